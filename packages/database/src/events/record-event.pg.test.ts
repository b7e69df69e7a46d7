import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Database, openDatabase } from '../connection/open-database.ts';
import { noteBatch } from '../pending/note-batch.ts';
import { anEvent, newsOf, pace } from '../testing/an-event.ts';
import { type EmptyMirror, openEmptyMirror } from '../testing/empty-mirror.ts';
import { type LoggedEvent, recordEvent } from './record-event.ts';

let mirror: EmptyMirror;
let database: Database;

beforeAll(async () => {
  mirror = await openEmptyMirror();
  database = mirror.database;
});
afterAll(() => mirror.close());
beforeEach(() => database.pool.query('truncate mirror.events, mirror.pending, mirror.batches, mirror.dead_letters'));

const key = { companyId: '1', projectId: '7', resource: 'RFIs' };

const record = (event: LoggedEvent) => recordEvent(database, { event, ignored: null, news: [newsOf(event)], pace });
const note = () => noteBatch(database.pool, key, { delayMs: 0, absencePauseMs: 0, limit: 100 });

test('an event is logged digit for digit and marks its record pending', async () => {
  expect(await record(anEvent({ id: 'A', recordId: '9007199254740993' }))).toBe('new');
  const { rows } = await database.pool.query(`select raw ->> 'id' as raw_id, record_id, outcome from mirror.events`);
  expect(rows).toEqual([{ raw_id: '5982324300946918154', record_id: '9007199254740993', outcome: 'pending' }]);
  expect(await note()).toMatchObject([{ id: '9007199254740993', eventId: 'A', settles: true }]);
});

test('an event of a forgotten project is logged and ignored, until the project is selected again', async () => {
  const { pool } = database;
  const at = (event: LoggedEvent, projectId: string | null) =>
    recordEvent(database, { event, ignored: null, news: [newsOf(event)], projectId, pace });
  await pool.query('truncate mirror.selection');
  await pool.query(
    `insert into mirror.selection (company_id, project_id, is_selected, forgotten_at) values (1, 7, false, now())`,
  );
  expect(await at(anEvent({ id: 'A' }), '7')).toBe('forgotten');
  expect(await at(anEvent({ id: 'A' }), '7')).toBe('known');
  expect(await at(anEvent({ id: 'B' }), '8')).toBe('new');
  expect(await at(anEvent({ id: 'C' }), null)).toBe('new');
  await pool.query('update mirror.selection set is_selected = true');
  expect(await at(anEvent({ id: 'D' }), '7')).toBe('new');
  await pool.query('update mirror.selection set is_selected = false, forgotten_at = null');
  expect(await at(anEvent({ id: 'E' }), '7')).toBe('new');
  const { rows } = await pool.query(`select id, outcome, reason from mirror.events where outcome <> 'pending'`);
  expect(rows).toEqual([{ id: 'A', outcome: 'ignored', reason: 'project_not_selected' }]);
  const pending = await pool.query('select distinct event_id from mirror.pending order by 1');
  expect(pending.rows.map(({ event_id }) => event_id)).not.toContain('A');
  await pool.query('truncate mirror.selection');
});

test('an event is recorded though a worker that stores locked its records in another order', async () => {
  const first = anEvent({ recordId: '1' });
  const second = anEvent({ recordId: '2' });
  for (const event of [first, second]) await record(event);
  // Postgres has that one give way which finds the deadlock: the recorder, who looks first.
  await mirror.test.pool.query(
    `alter database ${new URL(mirror.test.url).pathname.slice(1)} set deadlock_timeout = '5s'`,
  );
  const recorder = openDatabase({ url: mirror.test.url, applicationName: 'recorder' });
  const client = await mirror.test.pool.connect();
  const update = (id: string) => client.query('update mirror.pending set attempts = 1 where record_id = $1', [id]);
  await client.query(`begin; set local deadlock_timeout = '1min'`);
  await update('2');
  const news = [first, second].map(newsOf);
  const recorded = recordEvent(recorder, { event: anEvent(), ignored: null, news, pace });
  const waiting = () =>
    database.pool.query(`select from pg_stat_activity where wait_event_type = 'Lock' and query like '%logged as%'`);
  await expect.poll(async () => (await waiting()).rowCount).toBe(1);
  await update('1');
  await client.query('commit');
  client.release();
  expect(await recorded).toBe('new');
  await recorder.close();
});

test('a second delivery of the same event is counted and asks for nothing', async () => {
  const event = anEvent();
  await record(event);
  const before = await note();
  expect(await record(event)).toBe('known');
  expect(await note()).toEqual(before);
  const { rows } = await database.pool.query('select deliveries from mirror.events');
  expect(rows).toEqual([{ deliveries: 2 }]);
});

test('another event under a known id is told apart and nothing is written', async () => {
  const event = anEvent();
  await record(event);
  expect(await record({ ...event, recordId: '43' })).toBe('differs');
  expect(await note()).toHaveLength(1);
});
