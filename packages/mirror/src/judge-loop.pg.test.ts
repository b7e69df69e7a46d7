import { setTimeout as sleep } from 'node:timers/promises';
import { catalogue } from '@procore-mirror/catalogue';
import { type Database, noteWorker, openDatabase } from '@procore-mirror/database';
import { createMigratedDatabase } from '@procore-mirror/database/testing';
import type { TestDatabase } from '@procore-mirror/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type JudgeLoop, startJudgeLoop } from './judge-loop.ts';

let server: TestDatabase;
let database: Database;
let said: string[];
const loops: JudgeLoop[] = [];
const patience = { timeout: 20_000 };

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
  await query(`truncate mirror.workers, mirror.duties, mirror.receivers, mirror.undelivered, mirror.events, mirror.pending, mirror.batches,
    mirror.backfills, mirror.selection, mirror.hooks, mirror.proofs, mirror.comparisons`);
  await query(`insert into mirror.receivers (id, host, pid, version, started_at, reported_at, report)
    values ('r', 'door', 1, '1', now(), now(), '{"spoolHolds": 0}')`);
});
afterEach(async () => {
  for (const loop of loops.splice(0)) await loop.close();
});

const query = (text: string) => database.pool.query(text);

type Options = Parameters<typeof startJudgeLoop>[0];

function start(holder: string, more: Partial<Options> = {}): JudgeLoop {
  const log = (level: string) => (about: object, message: string) =>
    void said.push(`${holder} ${level} ${'code' in about ? about.code : ''}: ${message}`);
  const loop = startJudgeLoop({
    ...{ database, holder, catalogue, environment: 'production', queueDepth: async () => 5, everyMs: 20 },
    pace: { checkHooksEveryMs: 3_600_000, repairEveryMs: 900_000, verifyEveryMs: 86_400_000 },
    log: { info: log('info'), warn: log('warn'), error: log('error') },
    ...more,
  });
  loops.push(loop);
  return loop;
}

const heldFor = (hours: number) =>
  query(`insert into mirror.undelivered (company_id, asked_at, count, oldest_at) values (7, now(), 3, now() - interval '${hours} hours 1 minute')
    on conflict (company_id) do update set oldest_at = excluded.oldest_at`);
const report = { version: '1', looksAfterHooks: true, login: null, procoreAheadMs: null };

test('what Procore cannot deliver is an alarm at 2, 6 and 11 hours, each once, and one worker at a time tells', async () => {
  await heldFor(1);
  const [one, other] = [start('one'), start('other')];
  await expect.poll(() => [one, other].filter((loop) => loop.judged() !== null).length, patience).toBe(1);
  const teller = one.judged() === null ? 'other' : 'one';
  for (const [index, hours] of [2, 6, 11].entries()) {
    await heldFor(hours);
    await expect.poll(() => said.length, patience).toBe(index + 1);
    await sleep(100); // so that more rounds tell nothing more
  }
  expect(said).toEqual([
    `${teller} warn undelivered: Procore could not deliver 3 events of company 7, and throws them away after 12 hours.`,
    `${teller} error undelivered: Procore could not deliver 3 events of company 7, and throws them away after 12 hours.`,
    `${teller} error undelivered: Procore could not deliver 3 events of company 7, and throws them away after 12 hours, the first within the hour.`,
  ]);
  expect([one, other].filter((loop) => loop.judged() !== null)).toHaveLength(1);
});

test('who takes over tells nothing again, and tells when it is gone', async () => {
  await heldFor(7);
  const first = start('first');
  await expect.poll(() => said.length, patience).toBe(1);
  await noteWorker(database, 'first', { ...report, told: first.told() }); // as its heartbeat does
  await first.close();
  let aheadMs = 0;
  const clock = {
    date: () => new Date(),
    now: () => performance.now() + aheadMs,
    sleep: (ms: number, signal?: AbortSignal) => sleep(ms, null, { signal }),
  };
  const second = start('second', { clock, everyMs: 50 });
  await expect.poll(() => second.judged()?.verdict, patience).toBe('needs you');
  await query('delete from mirror.undelivered');
  await expect.poll(() => second.judged()?.verdict, patience).toBe('fine');
  expect(said).toHaveLength(1);
  aheadMs = 60_000;
  await expect.poll(() => said, patience).toHaveLength(2);
  expect(said[1]).toBe('second info undelivered: what was found is gone');
  expect(second.told()).toEqual([]);
});

test('a worker that just starts is no reason to say that none runs, and a queue that is away is told', async () => {
  const loop = start('one', { queueDepth: () => Promise.reject(new Error('refused')) });
  await expect.poll(() => loop.judged()?.findings.map(({ code }) => code), patience).toEqual(['queue-unreachable']);
  expect(said).toEqual(['one error queue-unreachable: The queue of deliveries cannot be reached: refused']);
});

test('where the mirror cannot be judged any more nobody goes on to tell what was', async () => {
  const own = openDatabase({ url: server.url, applicationName: 'own' });
  const loop = start('one', { database: own, leaseMs: 1_000 });
  await expect.poll(() => loop.judged()?.verdict, patience).toBe('fine');
  await own.close();
  await expect.poll(() => loop.judged(), patience).toBe(null);
});

test('metrics know lanes, hooks, proofs and deliveries', async () => {
  await query(`insert into mirror.selection (company_id, project_id, is_selected, is_active) values
    (7, null, true, true), (7, 5, true, true), (7, 6, true, false), (8, null, false, true);
    insert into mirror.hooks (company_id, project_id, payload_version, hook_id, status, looked_at, good_until) values
      (7, null, 'v4.0', 'A', 'active', now(), now()), (7, 5, 'v4.0', 'B', 'disabled', now(), now());
    insert into mirror.pending (company_id, project_id, resource, record_id, lane, ready_at, first_seen_at) select 7, 5, 'RFIs', n, 'live', now(), now() - n * interval '10 minutes' from generate_series(1, 3) n;
    insert into mirror.pending (company_id, project_id, resource, record_id, lane, ready_at) values (7, 5, 'RFIs', '9', 'backfill', now());
    insert into mirror.comparisons (company_id, project_id, resource, rung, state, next_cheap_at, next_listing_at) values
      (7, 5, 'RFIs', 'count', 'done', now() - interval '1 hour', now() + interval '9 hours'), (7, 6, 'RFIs', 'count', 'done', now(), now());
    insert into mirror.proofs (company_id, project_id, resource, rung, proved_at, as_of, missing, changed, extra, calls, outcome) values
      (7, 5, 'RFIs', 'count', now() - interval '5 hours', now(), 0, 0, 0, 1, 'equal'), (7, 5, 'RFIs', 'count', now(), now(), 0, 0, 0, 1, 'not proved'),
      (7, 6, 'RFIs', 'listing', now() - interval '9 hours', now(), 0, 0, 0, 1, 'equal'), (7, 6, 'RFIs', 'count', now(), now(), 0, 0, 0, 1, 'equal');
    insert into mirror.events (id, company_id, project_id, resource, record_id, kind, occurred_at, received_at, payload_version, raw, outcome, via) values
      ('a', 7, 5, 'RFIs', '1', 'update', now(), now() - interval '3 minutes', 'v4.0', '{}', 'pending', 'delivery'),
      ('b', 7, 5, 'RFIs', '1', 'update', now(), now(), 'v4.0', '{}', 'pending', 'delivery log')`);
  const loop = start('one');
  await expect.poll(() => loop.judged() === null, patience).toBe(false);
  const { metrics, facts } = loop.judged() ?? {};
  const minutes = (at: string | null = null) =>
    at === null ? null : Math.floor((Date.parse(facts?.now ?? '') - Date.parse(at)) / 60_000);
  expect(metrics?.pending.map((one) => [one.lane, one.records, minutes(one.oldestAt)]).toSorted()).toEqual([
    ['backfill', 1, 0],
    ['live', 3, 30],
  ]);
  expect(metrics).toMatchObject({ hooks: { wanted: 2, active: 1 } });
  expect([minutes(metrics?.proofs.cheapAt), minutes(metrics?.proofs.listingAt)]).toEqual([300, 540]);
  expect(minutes(metrics?.deliveredAt)).toBe(3);
  expect(metrics?.migration).toMatch(/^\d{4}_/);
});
