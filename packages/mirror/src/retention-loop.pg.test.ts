import { type Database, giveUpRecords, noteBatch, openDatabase } from '@procore-mirror/database';
import { createMigratedDatabase } from '@procore-mirror/database/testing';
import type { TestDatabase } from '@procore-mirror/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startRetentionLoop } from './retention-loop.ts';

let server: TestDatabase;
let database: Database;
let said: string[];
const loops: { close: () => Promise<void> }[] = [];
const patience = { timeout: 30_000 };

beforeAll(async () => {
  server = await createMigratedDatabase([]);
  database = openDatabase({ url: server.url, applicationName: 'test' });
});
afterAll(async () => {
  await database.close();
  await server.drop();
});
beforeEach(async () => {
  said = [];
  await query(`truncate mirror.duties, mirror.events, mirror.pending, mirror.batches, mirror.dead_letters, mirror.repairs, mirror.fetches,
    mirror.event_gaps, mirror.hooks`);
});
afterEach(async () => {
  for (const loop of loops.splice(0)) await loop.close();
});

const query = (text: string) => database.pool.query(text);
const ids = async () => (await query('select id from mirror.events order by id')).rows.map(({ id }) => id);

function start(keepDays = 90, holder = 'one') {
  const log = (level: string) => (_: object, message: string) => void said.push(`${level} ${message}`);
  loops.push(
    startRetentionLoop({
      ...{ database, holder, keepDays, log: { info: log('info'), warn: log('warn') }, everyMs: 50, restMs: 0 },
    }),
  );
}

/** Old enough to go. `change` sets columns. */
const event = (id: string, { ago = '91 days', company = 1, record = '1' } = {}) =>
  query(`insert into mirror.events (id, company_id, project_id, resource, record_id, kind, occurred_at, received_at, payload_version, raw, outcome)
    values ('${id}', ${company}, 7, 'RFIs', '${record}', 'update', now() - interval '${ago}', now() - interval '${ago}', 'v4.0', '{}', 'pending')`);

test('events that arrived before go, and those that something needs stay', async () => {
  await event('first of 1', { ago: '400 days' });
  await event('first of 2', { ago: '91 days', company: 2 });
  await event('second of 2', { ago: '90 days 1 hour', company: 2 });
  await event('pending', { record: '2' });
  await event('pending, of before', { record: '2', ago: '200 days' });
  await event('given up', { record: '3' });
  await event('settled', { record: '4' });
  await event('young', { ago: '89 days 23 hours' });
  await event('of a repair', { company: 3, ago: '100 days' });
  await event('of a repair, too', { company: 3 });
  await query(`insert into mirror.repairs (request, company_id) values ('a', 3), ('b', 2);
    update mirror.repairs set finished_at = now() where company_id = 2;
    insert into mirror.pending (company_id, project_id, resource, record_id, ready_at) values (1, 7, 'RFIs', '2', now());
    insert into mirror.dead_letters (id, reason, raw, kind, company_id, project_id, resource, record_id, event_id)
      values ('1/7/RFIs/3', 'r', '{}', 'record', 1, 7, 'RFIs', '3', 'given up')`);
  start();
  const kept = [
    'first of 1',
    'first of 2',
    'given up',
    'of a repair',
    'of a repair, too',
    'pending',
    'pending, of before',
  ];
  await expect.poll(ids, patience).toEqual([...kept, 'young']);
  await query(
    `delete from mirror.pending; delete from mirror.dead_letters; update mirror.repairs set finished_at = now()`,
  );
  await expect.poll(ids, patience).toEqual(['first of 1', 'first of 2', 'of a repair', 'young']);
  expect(said).toContain('info removed what was old');
});

test.each([
  ['of one moment', `now() - interval '100 days'`],
  ['over years', `now() - interval '91 days' - n * interval '1 hour'`],
])('portions come to the end of many events $0, over what stays among them', async (_, receivedAt) => {
  await query(`insert into mirror.events (id, company_id, project_id, resource, record_id, kind, occurred_at, received_at, payload_version, raw, outcome)
    select 'e' || n, n % 5, 7, 'RFIs', n, 'update', now(), ${receivedAt}, 'v4.0', '{}', 'pending' from generate_series(1, 12000) n;
    insert into mirror.pending (company_id, project_id, resource, record_id, ready_at)
      select n % 5, 7, 'RFIs', n, now() from generate_series(1, 12000) n where n <= 3000 or n % 100 = 0`);
  start();
  const gone = `select count(*)::int as count from mirror.events e where not exists (select from mirror.pending p
    where p.company_id = e.company_id and p.record_id = e.record_id)`;
  await expect.poll(async () => (await query(gone)).rows[0].count, patience).toBeLessThanOrEqual(5); // the oldest of each company
  expect(
    (await query('select from mirror.events e join mirror.pending p using (company_id, record_id)')).rowCount,
  ).toBe(3_090);
  expect((await query('select distinct company_id from mirror.events')).rowCount).toBe(5);
});

test('dead letters that nothing tries again go, and what they told of counts as lacking', async () => {
  const letter = (id: string, columns: string, values: string) =>
    query(`insert into mirror.dead_letters (id, reason, raw, first_seen_at, last_seen_at, happened_at, ${columns})
      values ('${id}', 'r', '{}', now() - interval '200 days', now() - interval '91 days', now() - interval '92 days', ${values})`);
  const record = 'kind, company_id, project_id, resource, record_id';
  await letter('1/7/RFIs/1', record, `'record', 1, 7, 'RFIs', '1'`);
  await letter('1/7/RFIs/2', record, `'record', 1, 7, 'RFIs', '2'`);
  await letter('retried', `${record}, next_try_at`, `'record', 1, 7, 'RFIs', '3', now() + interval '1 day'`);
  await letter('pending', record, `'record', 1, 7, 'RFIs', '4'`);
  await letter('a body', 'company_id, resource', `2, 'Submittals'`);
  await letter('a report', 'company_id', 'null');
  await letter('young', 'company_id', '2');
  await query(`update mirror.dead_letters set last_seen_at = now() - interval '89 days' where id = 'young';
    update mirror.dead_letters set reason = 'bad_report' where id = 'a report';
    insert into mirror.hooks (company_id, payload_version, hook_id) values (9, 'v4.0', 'H');
    insert into mirror.pending (company_id, project_id, resource, record_id, ready_at) values (1, 7, 'RFIs', '4', now())`);
  start();
  const left = async () => (await query('select id from mirror.dead_letters order by id')).rows.map(({ id }) => id);
  await expect.poll(left, patience).toEqual(['pending', 'retried', 'young']);
  const { rows } =
    await query(`select company_id, project_id, resource, because, round(extract(epoch from now() - since) / 86400) as since,
    round(extract(epoch from now() - until) / 86400) as until from mirror.event_gaps order by company_id`);
  expect(rows.map((row) => Object.values(row).map(String).join(' '))).toEqual([
    '1 7 rfis discarded 92 0', // comparisons left these records out until now
    '2 null submittals discarded 92 91', // one that began after the body came has what it told of
  ]);
});

test('requests older than seven days go, however many there are', async () => {
  await query(`insert into mirror.fetches (called_at, company_id, route, status, ms) select now() - ago::interval, 1, 'GET /x', 200, 1
    from (values ('169 hours', 12000), ('167 hours', 3)) as f(ago, count), generate_series(1, count)`);
  start();
  await expect.poll(async () => (await query('select from mirror.fetches')).rowCount, patience).toBe(3);
});

test('who has the duty does it alone, and another one goes on after it', async () => {
  start(90, 'one');
  const holder = async () =>
    (await query(`select lease_holder from mirror.duties where name = 'retention'`)).rows[0]?.lease_holder;
  await expect.poll(holder, patience).toBe('one');
  start(90, 'other');
  await loops[0]?.close();
  await expect.poll(holder, patience).toBe('other');
  await event('first');
  await event('second');
  await expect.poll(ids, patience).toEqual(['first']);
});

test('a record keeps its events while it is given up, and news of it goes the usual way', async () => {
  await event('first', { ago: '300 days' });
  await event('old', { ago: '100 days' });
  await query(
    `insert into mirror.pending (company_id, project_id, resource, record_id, event_id, ready_at) values (1, 7, 'RFIs', '1', 'old', now())`,
  );
  const key = { companyId: '1', projectId: '7', resource: 'RFIs' };
  const notes = await noteBatch(database.pool, key, { delayMs: 0, absencePauseMs: 0, limit: 9 });
  start();
  await giveUpRecords(database, key, notes, { reason: 'r', detail: '', retryAfterMs: [3_600_000] });
  await event('gone', { record: '5' });
  await expect.poll(ids, patience).toEqual(['first', 'old']);
  expect((await query('select event_id from mirror.dead_letters')).rows).toEqual([{ event_id: 'old' }]);
});
