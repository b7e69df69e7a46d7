// What `mirror.freshness` says of how much of a table is there.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { MirroredTable } from '../schema/mirrored-table.ts';
import { badges, notes, openSampleMirror, people, type SampleMirror } from '../testing/sample-mirror.ts';
import { migrateDatabase } from './migrate-database.ts';

let mirror: SampleMirror;

beforeAll(async () => {
  mirror = await openSampleMirror();
  // People live inside notes, and no list has badges.
  const tables: MirroredTable[] = [notes, { ...people, filledBy: [notes.resource] }, { ...badges, filledBy: [] }];
  await migrateDatabase({ url: mirror.test.url, tables });
});
afterAll(() => mirror.close());
beforeEach(() => query('truncate procore.notes, procore.people, procore.badges, mirror.pending, mirror.backfills'));

const query = async (text: string, values: unknown[] = []) => (await mirror.database.pool.query(text, values)).rows;
const place = { companyId: '1', projectId: '2', resource: notes.resource };

type Fill = 'waiting' | 'running' | 'done' | 'failed' | 'off' | 'done in part';
async function fill(state: Fill, resource = notes.resource, projectId: string | null = '2'): Promise<void> {
  const [stored, detail] = state === 'done in part' ? ['done', 'a parent failed'] : [state, null];
  await query(
    `insert into mirror.backfills (company_id, project_id, resource, state, detail) values ($1, $2, $3, $4, $5)
      on conflict on constraint backfills_scope do update set state = excluded.state, detail = excluded.detail`,
    [place.companyId, projectId, resource, stored, detail],
  );
}

async function wait(id: string, lane: string): Promise<void> {
  await query(
    `insert into mirror.pending (company_id, project_id, resource, record_id, lane, ready_at)
      values (1, 2, $1, $2, $3::mirror.lane, now())`,
    [notes.resource, id, lane],
  );
}

async function told(resource = notes.resource): Promise<string | undefined> {
  const [row] = await query('select completeness from mirror.freshness where resource = $1', [resource]);
  return row?.completeness;
}

type Case = { fill: Fill | null; parts?: number; wholes?: number; pending?: [id: string, lane: string][] };
const cases: [string, Case, string][] = [
  ['a table that was never filled', { fill: null, wholes: 1 }, 'since first event'],
  ['a fill that waits', { fill: 'waiting', wholes: 1 }, 'filling'],
  ['a fill that runs', { fill: 'running' }, 'filling'],
  ['a fill that is done, with whole rows', { fill: 'done', wholes: 2 }, 'complete'],
  ['a fill that found nothing', { fill: 'done' }, 'complete'],
  ['a tool that is off', { fill: 'off' }, 'complete'],
  ['news of a whole table', { fill: 'done', wholes: 2, pending: [['1', 'live']] }, 'complete'],
  ['records that are still to be shown', { fill: 'done', parts: 1, pending: [['1', 'backfill']] }, 'filling'],
  ['records in groups that are still to be shown', { fill: 'done', pending: [['1', 'backfill']] }, 'filling'],
  ['news that was refreshed in part', { fill: 'done', parts: 1, pending: [['1', 'detail']] }, 'filling'],
  ['a row that nothing will complete', { fill: 'done', parts: 2, pending: [['1', 'detail']] }, 'partial'],
  ['a fill that failed', { fill: 'failed', wholes: 2 }, 'partial'],
  ['a fill that failed, of which shows are still to come', { fill: 'failed', pending: [['1', 'backfill']] }, 'filling'],
  ['a fill that had to leave something out', { fill: 'done in part', wholes: 2 }, 'partial'],
];

test.each(cases)('%s', async (_, { fill: state, parts = 0, wholes = 0, pending = [] }, completeness) => {
  const records = (count: number, first: number) =>
    JSON.stringify(Array.from({ length: count }, (_, n) => ({ id: first + n })));
  await mirror.store({ json: records(parts, 1), isPart: true });
  await mirror.store({ json: records(wholes, 100), isPart: false });
  for (const [id, lane] of pending) await wait(id, lane);
  if (state !== null) await fill(state);
  expect(await told()).toBe(completeness);
});

test('a part that is deleted or hidden is no part that is missing', async () => {
  await mirror.store({ json: '[{"id": 1}, {"id": 2}]', isPart: true });
  await query(
    'update procore.notes set _deleted_at = case id when 1 then now() end, _hidden_at = case id when 2 then now() end',
  );
  await fill('done');
  expect(await told()).toBe('complete');
});

test('what lives inside a parent is as complete as that', async () => {
  await fill('running');
  expect(await told(people.resource)).toBe('filling');
  await fill('done');
  await wait('1', 'backfill');
  expect(await told(people.resource)).toBe('filling');
  await query('delete from mirror.pending');
  expect(await told(people.resource)).toBe('complete');
});

test('what no list can fill is there in part when the rest of its scope was filled', async () => {
  await mirror.store({ json: '[{"id": "X"}]', table: badges, projectId: null });
  expect(await told('Badges')).toBe('since first event');
  await fill('done', 'Others', null);
  expect(await told('Badges')).toBe('partial');
});
