import { catalogue } from '@procore-mirror/catalogue';
import { type Database, type Drift, inTransaction, storeRecords, takeVersion } from '@procore-mirror/database';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { backfillResource } from '../backfill-resource.ts';
import { type ScriptedProcore, scriptProcore, startTestMirror, type TestMirror } from '../testing/test-mirror.ts';
import { createDriftWatch, type DriftWatch } from './drift-watch.ts';

const MINUTES_10 = 600_000;
const { table } = catalogue.get('Locations');
const whole: Record<string, unknown> = Object.fromEntries(table.columns.map(({ name }) => [name, null]));

let procore: ScriptedProcore;
let mirror: TestMirror;
let database: Database;
let nowMs = 0;
let told: (Drift & { resource: string })[] = [];

beforeAll(async () => {
  procore = await scriptProcore();
  mirror = await startTestMirror(procore);
  database = mirror.database;
});
afterAll(() => mirror.close());
beforeEach(async () => {
  nowMs = 0;
  told = [];
  await database.pool.query('truncate mirror.schema_drift, procore.locations');
});

function aWatch(): DriftWatch {
  const onError = (error: unknown) => {
    throw error;
  };
  const onNew = (resource: string, drift: Drift) => void told.push({ resource, ...drift });
  return createDriftWatch({ database, onNew, onError, now: () => nowMs });
}

let lastId = 9007199254740992n;

/** Stores records with these fields and an id each, and shows them to the watch. */
async function see(watch: DriftWatch, records: readonly Record<string, unknown>[]): Promise<string[]> {
  const ids = records.map((_, at) => String(lastId + BigInt(at + 1)));
  lastId += BigInt(records.length);
  const texts = records.map((fields, at) => `{"id": ${ids[at]}, ${JSON.stringify(fields).slice(1)}`);
  const answer = { companyId: '1', projectId: '7', wrapper: 'none', parentId: null, only: null } as const;
  const version = await takeVersion(database);
  await inTransaction(database, (client) =>
    storeRecords(client, { ...answer, table, version, json: Buffer.from(`[${texts.join(',')}]`) }),
  );
  await watch.see(table, '1', ids);
  return ids;
}

async function noted(): Promise<Record<string, unknown>[]> {
  const columns = 'resource, field, kind, json_type, count, example_record_id';
  return (await database.pool.query(`select ${columns} from mirror.schema_drift order by field`)).rows;
}

test('records as the catalogue knows them are no news', async () => {
  await see(aWatch(), [whole, { ...whole, company_id: 1, project_id: 7 }]);
  expect(await noted()).toEqual([]);
});

test('an unknown field is noted and told once, with every digit of the record that had it', async () => {
  const [, second] = await see(aWatch(), [
    { ...whole, mood: null },
    { ...whole, mood: { is: 'good' } },
  ]);
  const drift = { field: 'mood', kind: 'unknown', jsonType: 'object', count: 2, exampleRecordId: second };
  expect(told).toEqual([{ resource: 'Locations', ...drift }]);
  await see(aWatch(), [{ ...whole, mood: 5 }]); // another process
  expect(told).toHaveLength(1);
  expect(await noted()).toEqual([
    expect.objectContaining({ resource: 'Locations', field: 'mood', json_type: 'object', count: '3' }),
  ]);
});

test('a resource is looked at once in ten minutes, and then at what came meanwhile', async () => {
  const watch = aWatch();
  await see(watch, [whole]);
  const statements = vi.spyOn(database.pool, 'query');
  nowMs = MINUTES_10 - 1;
  await see(watch, [{ ...whole, mood: 1 }]);
  expect(await noted()).toEqual([]);
  expect(statements.mock.calls.flat().filter((query) => String(query).includes('jsonb_each'))).toEqual([]);
  statements.mockRestore();
  nowMs = MINUTES_10;
  await see(watch, [whole]);
  expect(told.map(({ field }) => field)).toEqual(['mood']);
});

test('a field has vanished when twenty sampled records in a row came without it', async () => {
  const watch = aWatch();
  const { code: _, ...withoutCode } = whole;
  const eighteen = Array.from({ length: 18 }, () => withoutCode);
  const looks = [eighteen, [withoutCode, whole], eighteen]; // where it came once, the count starts again; null counts
  for (const look of looks) {
    await see(watch, look);
    nowMs += MINUTES_10;
  }
  expect(told).toEqual([]);
  const ids = await see(watch, [withoutCode, withoutCode]);
  expect(told).toEqual([
    { resource: 'Locations', field: 'code', kind: 'vanished', jsonType: null, count: 20, exampleRecordId: ids[1] },
  ]);
  nowMs += MINUTES_10;
  await see(watch, [withoutCode]);
  expect(told).toHaveLength(1);
  expect(await noted()).toMatchObject([{ field: 'code', kind: 'vanished', json_type: null, count: '21' }]);
});

test('a resource without typed columns is left alone', async () => {
  const statements = vi.spyOn(database.pool, 'query');
  await aWatch().see(catalogue.get('Change Event Line Items').table, '1', ['1']);
  expect(statements).not.toHaveBeenCalled();
  statements.mockRestore();
});

test('records with thousands of fields do not fill the table', async () => {
  const fields = (prefix: string) => Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`${prefix}_${n}`, 1]));
  await see(aWatch(), [{ ...whole, ...fields('field'), ['x'.repeat(3000)]: 1 }]);
  await see(aWatch(), [{ ...whole, ...fields('other') }]);
  expect(await noted()).toHaveLength(200);
  expect(told).toHaveLength(200);
});

test('trouble with the watch is told and stops nothing', async () => {
  const errors: unknown[] = [];
  const watch = createDriftWatch({ database, onNew: () => {}, onError: (error) => errors.push(error) });
  await database.pool.query('alter table mirror.schema_drift rename to not_there');
  await see(watch, [{ ...whole, mood: 1 }]);
  await database.pool.query('alter table mirror.not_there rename to schema_drift');
  expect(errors).toHaveLength(1);
});

test('what a run stores is seen', async () => {
  procore.answer = () => ({ body: [{ ...whole, id: 4, mood: 'good' }] });
  const settings = { ...mirror.settings, driftWatch: aWatch() };
  const scope = { companyId: '1', projectId: '7', resource: 'Locations' };
  await backfillResource(settings, scope, { signal: AbortSignal.timeout(30_000), now: new Date() });
  expect(told).toMatchObject([{ resource: 'Locations', field: 'mood', jsonType: 'string', exampleRecordId: '4' }]);
});
