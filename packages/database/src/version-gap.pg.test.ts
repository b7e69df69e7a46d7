// Numbers that fell behind the rows, as after logical replication or a restore of one schema.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { markAbsent } from './mark-absent.ts';
import { markAbsentChildren } from './mark-absent-children.ts';
import { migrateDatabase } from './migrate-database.ts';
import { badges, notes, openSampleMirror, people, type SampleMirror, sampleTables } from './sample-mirror.ts';
import { inTransaction } from './transaction.ts';
import { takeVersion } from './version-gap.ts';

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

  test('and none comes twice, whoever takes them while both fall back', async () => {
    const before = BigInt(await takeVersion(mirror.database));
    const taken = await Promise.all(
      Array.from({ length: 60 }, async (_, index) => {
        if (index === 20) await setSequence(10);
        if (index === 40) await highest(10);
        return takeVersion(mirror.database);
      }),
    );
    expect(new Set(taken).size).toBe(60);
    expect(taken.filter((version) => BigInt(version) <= before)).toEqual([]);
  });
});

describe('a store that meets a row numbered above those that were given', () => {
  test('has them go on above it and stores', async () => {
    await store('of before', '900000');
    await fallBehind(10);
    const { records } = await store('of now');
    expect(records).toMatchObject([{ stored: true, isWhole: true }]);
    expect(await title()).toBe('of now');
    expect(BigInt(await takeVersion(mirror.database))).toBeGreaterThan(900_000n);
    await store('of later');
    expect(await title()).toBe('of later');
  });

  test('does so for fetches, too, that took their number before the lift, in their order', async () => {
    await store('of before', '900000');
    await mirror.store({ json: '{"id": 2, "title": "of before"}', version: '800000' });
    await fallBehind(10);
    const [first, second, third] = [
      await takeVersion(mirror.database),
      await takeVersion(mirror.database),
      await takeVersion(mirror.database),
    ];
    await store('third', third);
    await mirror.store({ json: '{"id": 2, "title": "of now"}', version: first! });
    expect((await mirror.row(notes, '2'))?.title).toBe('of now');
    await store('second', second);
    expect(await title()).toBe('third');
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
    const { records } = await mirror.store({ ...answer, version: await takeVersion(mirror.database) });
    expect(records).toMatchObject([{ stored: true }]);
  });

  test('marks absent what is absent, children too', async () => {
    await mirror.store({ json: '[{"id": 1}, {"id": 2, "survey_id": 44}]', version: '900000' });
    await fallBehind(10);
    const version = await takeVersion(mirror.database);
    await inTransaction(mirror.database, async (client) => {
      const place = { table: notes, companyId: '1', projectId: '2', version };
      await markAbsent(client, { ...place, records: [{ id: '1', parentId: null, bury: true, hasNews: true }] });
      await markAbsentChildren(client, { ...place, parentIds: ['44'], except: [], bury: true, noted: null });
    });
    expect((await mirror.row(notes, '1'))?._deleted_at).toEqual(expect.any(String));
    expect((await mirror.row(notes, '2'))?._deleted_at).toEqual(expect.any(String));
  });

  test('is safe in several processes at once', async () => {
    await store('of before', '900000');
    await fallBehind(10);
    const versions = await Promise.all(Array.from({ length: 8 }, () => takeVersion(mirror.database)));
    await Promise.all(versions.map((version) => store(`of ${version}`, version)));
    const newest = versions
      .map(BigInt)
      .toSorted((a, b) => (a > b ? 1 : -1))
      .at(-1);
    expect(await title()).toBe(`of ${newest}`);
    const further = await Promise.all(Array.from({ length: 8 }, () => takeVersion(mirror.database)));
    expect(new Set([...versions, ...further]).size).toBe(16);
  });

  test('stores news of a row that was numbered above before another took a number', async () => {
    await store('of before', '5000000');
    const slow = await takeVersion(mirror.database);
    await mirror.store({ json: '{"id": 2, "title": "of before"}', version: '4000000' });
    await mirror.store({ json: '{"id": 2, "title": "of now"}', version: await takeVersion(mirror.database) });
    await store('of now', slow);
    expect(await title()).toBe('of now');
    expect((await mirror.row(notes, '2'))?.title).toBe('of now');
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
