import { afterAll, beforeAll, expect, test } from 'vitest';
import { takeVersion } from '../connection/version-gap.ts';
import { openSampleMirror, type SampleMirror } from '../testing/sample-mirror.ts';
import { countToEmpty, EMPTIED, emptyMirror, isWorkerSeen, KEPT, noteOrigin, readOrigin } from './origin.ts';

let mirror: SampleMirror;
beforeAll(async () => {
  mirror = await openSampleMirror();
});
afterAll(() => mirror.close());

const query = (text: string) => mirror.database.pool.query(text);

test('a database is of the environment of its first worker, unless it holds nothing', async () => {
  expect(await readOrigin(mirror.database.pool)).toBeNull();
  expect(await noteOrigin(mirror.database, 'sandbox')).toBe('sandbox');
  expect(await noteOrigin(mirror.database, 'production')).toBe('production');
  await mirror.store({ json: '[{"id": 1}]' });
  expect(await noteOrigin(mirror.database, 'monthly-sandbox')).toBe('production');
  expect(await readOrigin(mirror.database.pool)).toMatchObject({ environment: 'production', resetAt: null });
});

test('a worker is seen while it says so, or while batches are in hand', async () => {
  const seen = () => isWorkerSeen(mirror.database.pool);
  expect(await seen()).toBe(false);
  await query(`insert into mirror.workers (holder, seen_at) values ('killed', now() - interval '31 s')`);
  await query(`insert into mirror.workers (holder, stopped_at) values ('ended', now())`);
  expect(await seen()).toBe(false);
  await query(`insert into mirror.workers (holder, seen_at) values ('runs', now() - interval '20 s')`);
  expect(await seen()).toBe(true);
  await query('truncate mirror.workers');
  await query(
    `insert into mirror.batches (company_id, resource, lease_until) values (1, 'RFIs', now() + interval '10 s')`,
  );
  expect(await seen()).toBe(true);
  await query('truncate mirror.batches');
});

test('of each table for operators it is said whether a reset empties it', async () => {
  const { rows } = await query(`select tablename as name from pg_tables where schemaname = 'mirror'`);
  expect([...KEPT, ...EMPTIED].toSorted()).toEqual(rows.map(({ name }) => name).toSorted());
});

test('a mirror that is emptied holds nothing, and its numbers go on', async () => {
  await mirror.store({ json: '[{"id": 1}]' });
  await query(`insert into mirror.scopes (company_id, reason, probe_at) values (1, 'failing', now())`);
  await query(
    `insert into mirror.budget (window_name, call_limit, remaining, reset_at) values ('hour', 600, 5, now() + interval '1 h')`,
  );
  const held = await countToEmpty(mirror.database.pool);
  expect(held).toContainEqual({ table: 'procore.notes', rows: 1 });
  expect(held).toContainEqual({ table: 'mirror.scopes', rows: 1 });
  const [version, generation] = [await takeVersion(mirror.database), await nextGeneration()];
  await emptyMirror(mirror.database, () => {});
  expect(await countToEmpty(mirror.database.pool)).toEqual([]);
  expect((await query('select remaining from mirror.budget')).rows).toEqual([{ remaining: 5 }]);
  expect((await readOrigin(mirror.database.pool))?.resetAt).toEqual(expect.any(String));
  expect(BigInt(await takeVersion(mirror.database))).toBeGreaterThan(BigInt(version));
  expect(await nextGeneration()).toBeGreaterThan(generation);
  await expect(query('select from mirror.migrations')).resolves.toMatchObject({ rowCount: expect.any(Number) });
});

async function nextGeneration(): Promise<bigint> {
  const { rows } = await query(`select nextval('mirror.generation') as number`);
  return BigInt(rows[0].number);
}
