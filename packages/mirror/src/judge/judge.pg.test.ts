// Facts as the database tells them, brought about by rows, and what the judge makes of them.
import { type Database, openDatabase, readFacts, readUpkeep } from '@procore-mirror/database';
import { createMigratedDatabase } from '@procore-mirror/database/testing';
import type { TestDatabase } from '@procore-mirror/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { roundsOfUpkeep } from '../plan/rounds-of-upkeep.ts';
import { judge } from './judge.ts';

const DAY = 86_400_000;
const pace = { checkHooksEveryMs: 3_600_000, repairEveryMs: 900_000, verifyEveryMs: DAY };
const written = [
  'selection hooks undelivered repairs delivery_looks events dead_letters backfills batches budget comparisons proofs',
  'differences pending scopes workers receivers receiver_gaps event_gaps',
].flatMap((names) => names.split(' ').map((name) => `mirror.${name}`));
let server: TestDatabase;
let database: Database;

beforeAll(async () => {
  server = await createMigratedDatabase([]);
  database = openDatabase({ url: server.url, applicationName: 'test' });
});
afterAll(async () => {
  await database.close();
  await server.drop();
});
beforeEach(async () => {
  const report = { version: '1', looksAfterHooks: true, login: null, procoreAheadMs: 0, aheadMs: 0 };
  await database.pool.query(`truncate ${written.join(', ')}`);
  await database.pool.query(
    `insert into mirror.workers (holder, started_at, report) values ('w', now() - interval '1 day', $1)`,
    [JSON.stringify(report)],
  );
  await database.pool.query(`insert into mirror.receivers (id, host, pid, version, started_at, reported_at, report)
    values ('r', 'door', 1, '1', now(), now(), '{"spoolHolds": 0}')`);
  await database.pool.query(`insert into mirror.selection (company_id, project_id, is_selected, selected_at)
    values (7, null, true, now() - interval '9 days'), (7, 5, true, now() - interval '9 days')`);
  await database.pool.query(`insert into mirror.hooks (company_id, project_id, payload_version, hook_id, status, looked_at, good_until)
    values (7, null, 'v4.0', 'A', 'active', now(), now()), (7, 5, 'v4.0', 'B', 'active', now(), now())`);
});

async function told(): Promise<string[]> {
  const rounds = (await readUpkeep(database.pool, null)).map((one) => ({ ...one, ...roundsOfUpkeep(one, pace) }));
  const proofs = rounds.map(({ companyId, proofsMs }) => ({ companyId, roundMs: proofsMs ?? DAY }));
  const facts = await readFacts(database.pool, {}, { rounds: proofs, shownByFills: ['RFIs'] });
  const queue = { waiting: 0, problem: null };
  return judge({ ...facts, rounds, queue, overwrittenOn: null, fill: null }).findings.map(
    ({ severity, code }) => `${severity} ${code}`,
  );
}

const event = (
  ago: string,
  count: number,
) => `insert into mirror.events (id, company_id, project_id, resource, record_id, kind,
    occurred_at, received_at, payload_version, raw, outcome)
  select '${ago}/' || n, 7, 5, 'RFIs', n, 'update', now(), now() - interval '${ago}', 'v4.0', '{}', 'pending' from generate_series(1, ${count}) n`;
const compared = (ago: string, more = '') =>
  `insert into mirror.comparisons (company_id, project_id, resource, rung, state, outcome, finished_at, next_cheap_at, detail)
    values (7, 5, 'RFIs', 'count', 'done', ${more === '' ? `'equal'` : `'not proved'`}, now() - interval '${ago}', now() - interval '${ago}' + interval '1 day', ${more === '' ? 'null' : `'${more}'`})`;
const difference = (ago: string) =>
  `insert into mirror.differences (company_id, project_id, resource, record_id, kind, is_sure, found_at) values (7, 5, 'RFIs', '1', 'changed', true, now() - interval '${ago}')`;
const gap = (place: string, heededAt = 'now()') =>
  `insert into mirror.event_gaps (company_id, project_id, resource, since, until, because, heeded_at)
    values (7, ${place}, now() - interval '2 hours', now() - interval '1 hour', 'hook', ${heededAt})`;
const filled = (ago: string) =>
  `insert into mirror.backfills (company_id, project_id, resource, state, requested_at, started_at, finished_at, complete_since)
    values (7, 5, 'RFIs', 'done', now() - interval '${ago}', now() - interval '${ago}', now() - interval '${ago}', now() - interval '${ago}')`;
const batch = (ago: string, lane = 'live') =>
  `insert into mirror.batches (company_id, project_id, resource, lane, due_at, first_due_at) values (7, 5, 'RFIs', '${lane}', now() - interval '1 minute', now() - interval '${ago}')`;
const lost = `insert into mirror.repairs (request, company_id, finished_at, older_than_log) values ('a', 7, now() - interval '1 hour', '{2026-05-01}')`;

test.each<[what: string, sql: string[], found: string[]]>([
  ['all well', [], []],
  [
    'a hook missing',
    [`update mirror.hooks set hook_id = null, finding = 'answered 403', good_until = null where project_id = 5`],
    ['error hook-missing'],
  ],
  ['no hook wanted', [`update mirror.hooks set hook_id = null, status = null where project_id = 5`], []],
  [
    'triggers refused',
    [
      `update mirror.hooks set refused = '{RFIs update}', finding = 'Procore does not take RFIs update' where project_id = 5`,
    ],
    ['error hook-triggers-refused'],
  ],
  [
    'a hook not reached',
    [`update mirror.hooks set finding = 'answered 500' where project_id = 5`],
    ['warning hook-wrong'],
  ],
  ['a hook that nobody looked at', [`delete from mirror.hooks where project_id = 5`], ['error hook-unseen']],
  [
    'one of a project that left',
    [
      `update mirror.hooks set finding = 'answered 500', status = 'disabled' where project_id = 5`,
      'update mirror.selection set is_selected = false where project_id = 5',
    ],
    [],
  ],
  [
    'undelivered',
    [`insert into mirror.undelivered values (7, now(), 3, now() - interval '7 hours', 6)`],
    ['error undelivered'],
  ],
  ['older than the log', [lost], ['error older-than-log']],
  [
    'the same, verified since',
    [
      lost,
      `insert into mirror.comparisons (company_id, resource, rung, state, request, next_cheap_at, finished_at) values (7, 'RFIs', 'listing', 'done', 'b', now(), now())`,
    ],
    [],
  ],
  [
    'a log unread',
    [
      `insert into mirror.delivery_looks (company_id, project_id, hook_id, status, finding) values (7, 5, 'B', 'any', 'answered 403')`,
    ],
    ['warning log-unread'],
  ],
  ['a scope silent', [event('7 days 1 hour', 20)], ['warning scope-silent']],
  ['a scope that speaks', [event('7 days 1 hour', 20), event('1 hour', 1)], []],
  [
    'a fill failed',
    [
      `insert into mirror.backfills (company_id, project_id, resource, state, detail) values (7, 5, 'RFIs', 'failed', '403')`,
    ],
    ['error fill-failed'],
  ],
  [
    'a fill of what left',
    [
      `insert into mirror.backfills (company_id, project_id, resource, state, detail) values (7, 5, 'RFIs', 'failed', '403')`,
      'update mirror.selection set is_selected = false where project_id = 5',
    ],
    [],
  ],
  [
    'a fill under way',
    [
      `insert into mirror.backfills (company_id, project_id, resource, state, request) values (7, 5, 'RFIs', 'waiting', 'a')`,
    ],
    ['warning filling'],
  ],
  [
    'a fill stuck',
    [
      `insert into mirror.backfills (company_id, project_id, resource, state, request, due_at) values (7, 5, 'RFIs', 'waiting', 'a', now() - interval '7 hours')`,
    ],
    ['error fill-stuck'],
  ],
  ['records to complete', [batch('5 hours', 'backfill')], ['warning filling']],
  ['news that waits', [batch('3 hours')], ['error news-waits']],
  [
    'news that waits in a parked scope',
    [batch('3 hours'), `insert into mirror.scopes (company_id, reason, probe_at) values (7, 'failing', now())`],
    ['warning scope-parked'],
  ],
  ['news of an hour', [batch('1 hour')], []],
  ['a table unproved', [compared('2 days 12 hours')], ['warning table-unproved']],
  ['a table long unproved', [compared('3 days 12 hours')], ['error table-unproved']],
  ['a table proved', [compared('1 day 12 hours')], []],
  [
    'a table of which each comparison fails',
    [
      compared('1 hour', 'its list was refused'),
      `insert into mirror.proofs (company_id, project_id, resource, rung, proved_at, as_of, missing, changed, extra, calls, outcome) values (7, 5, 'RFIs', 'count', now() - interval '4 days', now(), 0, 0, 0, 1, 'equal')`,
    ],
    ['error table-unproved'],
  ],
  [
    'a table filled and never proved',
    [
      `insert into mirror.backfills (company_id, project_id, resource, state, finished_at) values (7, 5, 'RFIs', 'done', now() - interval '4 days')`,
    ],
    ['error table-unproved'],
  ],
  [
    'a table that only a fill shows, after a gap',
    [gap('5, null'), filled('2 days'), compared('1 hour')],
    ['warning table-standing'],
  ],
  ['the same, of one resource', [gap(`5, 'rfis'`), filled('2 days'), compared('1 hour')], ['warning table-standing']],
  [
    'the same, of a resource in the company',
    [gap(`null, 'rfis'`), filled('2 days'), compared('1 hour')],
    ['warning table-standing'],
  ],
  ['the same, filled since', [gap('5, null'), filled('1 minute'), compared('1 hour')], []],
  [
    'a table that is to be compared because of one',
    [compared('1 hour'), `update mirror.comparisons set differs_since = now()`],
    ['info events-missed'],
  ],
  ['a gap of what was never filled', [gap('5, null', 'null')], []],
  ['a gap of another resource', [gap(`5, 'submittals'`), filled('2 days'), compared('1 hour')], []],
  ['a gap of the company itself', [gap('null, null'), filled('2 days'), compared('1 hour')], []],
  ['a gap that is heeded soon', [gap('5, null', 'null'), filled('2 days'), compared('1 hour')], ['info events-missed']],
  ['differences', [difference('1 hour')], ['warning differences-left']],
  ['differences of yesterday', [difference('25 hours')], ['error differences-left']],
  [
    'differences that are repaired',
    [
      difference('25 hours'),
      `insert into mirror.comparisons (company_id, project_id, resource, rung, state, outcome, repairs, finished_at, next_cheap_at) values (7, 5, 'RFIs', 'listing', 'done', 'differs', true, now(), now() + interval '1 day')`,
    ],
    [],
  ],
  [
    'an hour used up',
    [
      `insert into mirror.budget (window_name, call_limit, remaining, reset_at, known_by) values ('hour', 600, 0, now() + interval '9 minutes', 'header')`,
    ],
    ['warning calls-used-up'],
  ],
  [
    'a pause',
    [
      `insert into mirror.budget (window_name, company_id, call_limit, remaining, reset_at, known_by) values ('pause', 7, 0, 0, now() + interval '9 minutes', 'refusal')`,
    ],
    ['warning calls-used-up'],
  ],
  [
    '503',
    [
      `insert into mirror.receiver_gaps (receiver, kind, since, until, count) values ('r', 'refused', now() - interval '8 minutes', now() - interval '7 minutes', 1), ('r', 'refused', now() - interval '2 minutes', now(), 1)`,
    ],
    ['error receiver-refuses'],
  ],
  [
    'a spool',
    [
      `update mirror.receivers set report = '{"spoolHolds": 3}'`,
      `insert into mirror.receiver_gaps (receiver, kind, since, until, count) values ('r', 'spooled', now() - interval '2 minutes', now(), 3)`,
    ],
    ['warning spool-in-use'],
  ],
  ['a clock', [`update mirror.workers set report = report || '{"aheadMs": 40000}'`], ['error clock-off']],
  ['no receiver', [`delete from mirror.receivers`], ['error receiver-silent']],
])('%s', async (_, sql, found) => {
  for (const statement of sql) await database.pool.query(statement);
  expect(await told()).toEqual(found);
});
