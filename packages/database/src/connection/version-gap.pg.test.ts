// Numbers that fell behind the rows, as after logical replication or a restore of one schema.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { migrateDatabase } from '../migrate/migrate-database.ts';
import { markAbsent } from '../rows/mark-absent.ts';
import { markAbsentChildren } from '../rows/mark-absent-children.ts';
import { badges, notes, openSampleMirror, people, type SampleMirror, sampleTables } from '../testing/sample-mirror.ts';
import { inTransaction } from './transaction.ts';
import { takeVersion, VersionBehindError } from './version-gap.ts';

let mirror: SampleMirror;
beforeAll(async () => {
  mirror = await openSampleMirror();
});
afterAll(() => mirror.close());
beforeEach(async () => {
  const tables = sampleTables.map(({ name }) => `procore.${name}`);
  await mirror.database.pool.query(
    `truncate mirror.version_gaps, mirror.absences, mirror.pending, ${tables.join(', ')}`,
  );
  await fallBehind(1_000_000);
});

const setSequence = (to: number) => mirror.database.pool.query(`select setval('mirror.fetch_version', $1)`, [to]);
/** As if the rows of the mirrored tables alone came from another server. */
async function fallBehind(to: number) {
  await setSequence(to);
  await mirror.database.pool.query('delete from mirror.highest_version');
}
const store = async (title: string, version?: string) =>
  mirror.store({ json: `{"id": 1, "title": "${title}"}`, version: version ?? (await takeVersion(mirror.database)) });
const title = async () => (await mirror.row(notes, '1'))?.title;

describe('numbers go on rising', () => {
  const highest = (to: number) => mirror.database.pool.query('update mirror.highest_version set version = $1', [to]);
  test.each([
    ['the sequence falls back', () => setSequence(10)],
    ['the row of the highest number falls back', () => highest(10)],
    ['that row is lost', () => mirror.database.pool.query('delete from mirror.highest_version')],
  ])('when %s', async (_, fall) => {
    const before = await takeVersion(mirror.database);
    await store('of before', before);
    await fall();
    const now = await takeVersion(mirror.database);
    expect(BigInt(now)).toBeGreaterThan(BigInt(before));
    await store('of now', now);
    await store('of a slow read of before', before);
    expect(await title()).toBe('of now');
    const { rows } = await mirror.database.pool.query<{ last: string }>(
      'select last_value as last from mirror.fetch_version',
    );
    expect(BigInt(rows[0]!.last)).toBeGreaterThanOrEqual(BigInt(now));
  });

  test('and none comes twice, whoever takes them while the sequence falls back', async () => {
    const before = BigInt(await takeVersion(mirror.database));
    const taken = await Promise.all(
      Array.from({ length: 60 }, async (_, index) => {
        if (index === 20) await setSequence(10);
        if (index === 40) await setSequence(20);
        return takeVersion(mirror.database);
      }),
    );
    expect(new Set(taken).size).toBe(60);
    expect(taken.filter((version) => BigInt(version) <= before)).toEqual([]);
  });
});

describe('a store that meets a row numbered above those that were given', () => {
  const versionOf = async (id = '1') => BigInt((await mirror.row(notes, id))?._version ?? 0);

  test('is to be made anew, and comes above the row', async () => {
    await store('of before', '900000');
    await fallBehind(10);
    await expect(store('of now')).rejects.toThrow(VersionBehindError);
    await store('of now');
    expect(await title()).toBe('of now');
    expect(await versionOf()).toBeGreaterThan(900_000n);
    await store('of later');
    expect(await title()).toBe('of later');
  });

  test('so are those, in any order, that took their number before', async () => {
    await store('of before', '900000');
    await mirror.store({ json: '{"id": 2, "title": "of before"}', version: '800000' });
    await fallBehind(10);
    const [first, second] = [await takeVersion(mirror.database), await takeVersion(mirror.database)];
    await expect(store('second', second)).rejects.toThrow(VersionBehindError);
    const two = (version: string) => mirror.store({ json: '{"id": 2, "title": "of now"}', version });
    await expect(two(first)).rejects.toThrow(VersionBehindError);
    await two(await takeVersion(mirror.database));
    expect((await mirror.row(notes, '2'))?.title).toBe('of now');
    const lifted = await takeVersion(mirror.database);
    await store('after the lift', lifted);
    await store('second again', second);
    expect(await title()).toBe('after the lift');
  });

  test.each([
    ['a company table of text ids', { table: badges, projectId: null, json: '{"id": "A", "name": "new"}' }],
    ['a table whose ids repeat across projects', { table: people, json: '{"id": "7", "name": "new"}' }],
    ['a part of a record', { isPart: true, json: '{"id": 1, "title": "new"}' }],
    ['children inside a parent', { embedded: { field: 'lines' }, json: '{"id": 3, "lines": [{"id": 1}]}' }],
  ])('whatever it stores: %s', async (_, answer) => {
    await mirror.store({ ...answer, version: '900000' });
    await fallBehind(10);
    const now = async () => mirror.store({ ...answer, version: await takeVersion(mirror.database) });
    await expect(now()).rejects.toThrow(VersionBehindError);
    expect((await now()).records).toMatchObject([{ stored: true }]);
  });

  test('so is a look that finds records absent', async () => {
    await mirror.store({ json: '[{"id": 1}, {"id": 2, "survey_id": 44}]', version: '900000' });
    await fallBehind(10);
    const look = async () => {
      const place = { table: notes, companyId: '1', projectId: '2', version: await takeVersion(mirror.database) };
      return inTransaction(mirror.database, async (client) => {
        await markAbsent(client, { ...place, records: [{ id: '1', parentId: null, bury: true, hasNews: true }] });
        await markAbsentChildren(client, { ...place, parentIds: ['44'], except: [], bury: true, noted: null });
      });
    };
    await expect(look()).rejects.toThrow(VersionBehindError);
    expect((await mirror.row(notes, '1'))?._deleted_at).toBeNull();
    await look();
    expect((await mirror.row(notes, '1'))?._deleted_at).toEqual(expect.any(String));
    expect((await mirror.row(notes, '2'))?._deleted_at).toEqual(expect.any(String));
  });

  test('is safe in several processes at once', async () => {
    await store('of before', '900000');
    await fallBehind(10);
    const all = await Promise.allSettled(Array.from({ length: 8 }, () => store('of now')));
    expect(all.some(({ status }) => status === 'rejected')).toBe(true);
    const further = await Promise.all(Array.from({ length: 8 }, () => takeVersion(mirror.database)));
    expect(new Set(further).size).toBe(8);
    await store('of later', further[0]);
    expect(await title()).toBe('of later');
    const { rows } = await mirror.database.pool.query('select from mirror.version_gaps');
    expect(rows).toHaveLength(1);
  });

  test('leaves a sequence alone that is not behind', async () => {
    await store('newer', '900');
    await store('older', '800');
    expect(await title()).toBe('newer');
    const { rows } = await mirror.database.pool.query('select from mirror.version_gaps');
    expect(rows).toEqual([]);
  });
});

describe('migrate', () => {
  const migrate = async () => {
    const lines: string[] = [];
    await migrateDatabase({ url: mirror.test.url, tables: sampleTables, onProgress: (line) => lines.push(line) });
    return lines.filter((line) => line.includes('behind'));
  };

  test('compares the sequences with all rows and lifts them where they are behind', async () => {
    await mirror.store({ table: badges, projectId: null, json: '{"id": "A"}', version: '900000' });
    await mirror.database.pool.query(`insert into mirror.pending (company_id, resource, record_id, generation, ready_at)
      values (1, 'Badges', 'A', 700000, now())`);
    await fallBehind(10);
    expect(await migrate()).toEqual([
      'mirror.fetch_version was behind the rows; it goes on above 900000',
      'mirror.generation was behind the pending records; it goes on above them',
    ]);
    expect(BigInt(await takeVersion(mirror.database))).toBeGreaterThan(900_000n);
    expect(await migrate()).toEqual([]);
  });
});
