// Times of which no log of deliveries tells.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Database } from '../connection/open-database.ts';
import { inTransaction } from '../connection/transaction.ts';
import { noteHook, noteHookLapse } from '../schedule/hooks.ts';
import { addProof, type Proof } from '../schedule/proofs.ts';
import { endNoToken, keepParked, parkForNoToken, parkScope, unparkScopes } from '../schedule/scopes.ts';
import { anEvent, newsOf, pace } from '../testing/an-event.ts';
import { type EmptyMirror, openEmptyMirror } from '../testing/empty-mirror.ts';
import { discardDeadLetters, keepUnreadDelivery } from './dead-letters.ts';
import { recordEvent } from './record-event.ts';

let mirror: EmptyMirror;
let database: Database;

beforeAll(async () => {
  mirror = await openEmptyMirror();
  database = mirror.database;
});
afterAll(() => mirror.close());
beforeEach(() =>
  database.pool.query(`truncate mirror.events, mirror.pending, mirror.batches, mirror.dead_letters, mirror.event_gaps, mirror.hooks,
    mirror.trigger_sets, mirror.delivery_looks, mirror.scopes, mirror.proofs`),
);

async function gaps(): Promise<string[]> {
  const { rows } = await database.pool.query<{ gap: string }>(
    `select concat_ws(' ', because, company_id, coalesce(project_id::text, '-'), coalesce(resource, '-'), case when since = '-infinity' then 'never'
        else to_char(since at time zone 'UTC', 'HH24:MI') end, case when until between now() - interval '1 minute' and now() + interval '1 minute' then 'now' end) as gap
      from mirror.event_gaps order by company_id, project_id nulls first, resource, since`,
  );
  return rows.map(({ gap }) => gap);
}

const ignore = (
  at: string,
  lacking = [{ projectId: '7', resource: 'RFIs' }] as { projectId: string | null; resource: string }[],
) =>
  recordEvent(database, {
    ...{
      event: anEvent({ occurredAt: `2026-06-01T${at}:00Z` }),
      ignored: 'resource_not_selected',
      lacking,
      news: [],
      pace,
    },
  });

test('an event that is ignored leaves a gap in each table that lacks it, one for all of them', async () => {
  const lacking = [
    { projectId: '7', resource: 'RFIs' },
    { projectId: null, resource: 'Company Users' },
  ];
  for (const at of ['10:00', '09:00', '11:00']) await ignore(at, lacking);
  await Promise.all(['12:00', '08:00', '13:00'].map((at) => ignore(at, lacking)));
  expect(await gaps()).toEqual(['ignored 1 - company users 08:00 now', 'ignored 1 7 rfis 08:00 now']);
  await database.pool.query(`update mirror.event_gaps set until = now() - interval '1 day'`);
  await ignore('14:00', lacking);
  expect(await gaps()).toEqual(['ignored 1 - company users 08:00 now', 'ignored 1 7 rfis 08:00 now']);
});

test('neither one that is fetched nor a second delivery leaves one', async () => {
  const event = anEvent();
  const lacking = [{ projectId: '7', resource: 'RFIs' }];
  await recordEvent(database, { event, ignored: null, news: [newsOf(event)], pace });
  await recordEvent(database, { event, ignored: 'resource_not_selected', lacking, news: [], pace });
  expect(await gaps()).toEqual([]);
});

const hook = { companyId: '1', projectId: '7', payloadVersion: 'v4.0' };
const lookAtHook = (carries: string[] | null, lapsed: string[] | 'all') =>
  noteHook(database, hook, {
    seen: {
      ...{ hookId: '5', status: 'active', destinationUrl: null, triggerCount: null, wantedKey: null, secretKey: null },
      ...{ notOffered: [], refused: [], hasListedTriggers: carries !== null, carries },
    },
    ...{ finding: null, lapsed, agoMs: 0 },
  });

test('triggers that a hook had not had before were lacking for longer than since they were last listed', async () => {
  await lookAtHook(['rfis', 'submittals'], 'all');
  await lookAtHook(['submittals'], []); // RFIs are not selected any more
  await lookAtHook(['submittals'], []);
  await database.pool.query('truncate mirror.event_gaps');
  await database.pool.query(`update mirror.hooks set triggers_listed_at = '2026-06-01T10:00:00Z'`);
  await noteHookLapse(database, hook, { lapsed: ['rfis', 'submittals'], isMissing: false });
  expect(await gaps()).toEqual(['hook 1 7 rfis never now', 'hook 1 7 submittals 10:00 now']);
  await database.pool.query('truncate mirror.event_gaps');
  await lookAtHook(['rfis', 'submittals'], ['rfis', 'submittals']);
  expect(await gaps()).toEqual(['hook 1 7 rfis never now', 'hook 1 7 submittals 10:00 now']);
});

const company = { companyId: '1', projectId: null, resource: null };
const trouble = (reason: 'not_connected' | 'unauthorized' | 'failing') => ({ reason, detail: '', atLeastMs: 0 });
const pauses = { firstPauseMs: 60_000, longestPauseMs: 3_600_000 };

/** Company 1 has a hook of its own and one in a project, company 2 has one. All of the latter's log was recorded until ten. */
async function haveHooks(): Promise<void> {
  await database.pool.query(`insert into mirror.hooks (company_id, project_id, payload_version, hook_id)
    values (1, null, 'v4.0', 'a'), (1, 7, 'v4.0', 'b'), (2, null, 'v4.0', 'c')`);
  await database.pool.query(`insert into mirror.delivery_looks (company_id, project_id, hook_id, status, day, covers_until)
    values (1, 7, 'b', 'any', '2026-06-01', '2026-06-01T10:00:00Z'), (1, 7, 'b', 'failed', '2026-06-01', '2026-06-01T09:00:00Z')`);
}
const OF_COMPANY = ['disconnected 1 - - never now', 'disconnected 1 7 - 10:00 now'];

test('what a company does while it refuses us may be lacking, since all of its logs was recorded', async () => {
  await haveHooks();
  await parkScope(database, company, trouble('not_connected'), pauses);
  await keepParked(database, company, trouble('failing'), pauses);
  expect(await unparkScopes(database, { ...company, projectId: '7', resource: 'RFIs' })).toBe(1);
  expect(await gaps()).toEqual(OF_COMPANY);
  expect(await unparkScopes(database, company)).toBe(0);
  expect(await gaps()).toEqual(OF_COMPANY);
});

test('one that failed first and refused us then refused us', async () => {
  await haveHooks();
  await parkScope(database, company, trouble('failing'), pauses);
  await keepParked(database, company, trouble('unauthorized'), pauses);
  await unparkScopes(database, company);
  expect(await gaps()).toEqual(OF_COMPANY);
});

test('all do where everything refused us, whatever ends it', async () => {
  await haveHooks();
  const everything = { ...company, companyId: null };
  const all = [...OF_COMPANY, 'disconnected 2 - - never now'];
  await parkScope(database, everything, trouble('not_connected'), pauses);
  await unparkScopes(database, company);
  expect(await gaps()).toEqual(all);
  await database.pool.query('truncate mirror.event_gaps');
  await parkScope(database, everything, trouble('not_connected'), pauses);
  await database.pool.query('update mirror.scopes set probe_at = now()');
  await parkForNoToken(database, '');
  await endNoToken(database);
  expect(await gaps()).toEqual(all);
});

test('trouble that passes leaves none, nor does a resource that refuses us', async () => {
  await haveHooks();
  await parkScope(database, company, trouble('failing'), pauses);
  await unparkScopes(database, company);
  const rfis = { companyId: '1', projectId: '7', resource: 'RFIs' };
  await parkScope(database, rfis, trouble('unauthorized'), pauses);
  await unparkScopes(database, rfis);
  await parkForNoToken(database, '');
  await endNoToken(database);
  expect(await gaps()).toEqual([]);
});

const rfis = { companyId: '1', projectId: '7', resource: 'RFIs' };
const equal = (asOf: Date): Proof => ({
  ...{ rung: 'listing', asOf: asOf.toISOString(), ours: 1, theirs: 1, missing: 0, changed: 0, extra: 0, calls: 1 },
  ...{ outcome: 'equal', detail: null },
});
const giveUp = (happenedAt: string) =>
  database.pool.query(
    `insert into mirror.dead_letters (id, reason, raw, kind, company_id, project_id, resource, record_id, happened_at, to_fill)
      values ('1/7/RFIs/42', 'r', '{}', 'record', 1, 7, 'RFIs', '42', ${happenedAt}, false)`,
  );
const outcomes = async () =>
  (await database.pool.query<{ outcome: string }>('select outcome from mirror.proofs order by as_of')).rows.map(
    ({ outcome }) => outcome,
  );
const all = {};

test('nothing is proved equal whose dead letter was discarded after it was compared', async () => {
  await giveUp(`now() - interval '1 hour'`);
  const began = new Date();
  await discardDeadLetters(database, all);
  expect(await inTransaction(database, (client) => addProof(client, rfis, equal(began)))).toMatchObject({
    outcome: 'not proved',
  });
  const others = { ...rfis, resource: 'Submittals' };
  await inTransaction(database, (client) => addProof(client, others, equal(began)));
  const later = new Date(Date.now() + 60_000);
  await inTransaction(database, (client) => addProof(client, rfis, equal(later)));
  expect(await outcomes()).toEqual(['not proved', 'equal', 'equal']);
});

test('nor one that ended after the news came, though it began before', async () => {
  const began = new Date(Date.now() - 3_600_000);
  await giveUp(`now() - interval '1 minute'`);
  await inTransaction(database, (client) => addProof(client, rfis, equal(began)));
  await discardDeadLetters(database, all);
  expect(await outcomes()).toEqual(['not proved']);
});

test('a comparison that ends while somebody discards is told of it', async () => {
  await giveUp(`now() - interval '1 hour'`);
  const [noted, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const proof = inTransaction(database, async (client) => {
    await addProof(client, rfis, equal(new Date()));
    noted.resolve();
    await goOn.promise;
  });
  await noted.promise;
  const discarded = discardDeadLetters(database, all);
  const isWaiting = async () => (await mirror.test.pool.query('select from pg_locks where not granted')).rowCount !== 0;
  await expect.poll(isWaiting, { timeout: 20_000 }).toBe(true);
  goOn.resolve();
  await Promise.all([proof, discarded]);
  expect(await outcomes()).toEqual(['not proved']);
});

test('a body that named no project is lacking in all of them once it is discarded', async () => {
  const about = { companyId: '1', projectId: null, resource: 'RFIs', recordId: '42' };
  const letter = { id: 'x', reason: 'missing_project', detail: '', raw: '{}', about, via: 'delivery' };
  await keepUnreadDelivery(database.pool, {
    ...{ ...letter, occurredAt: '2026-06-01T10:00:00Z', receivedAt: new Date() },
  });
  await discardDeadLetters(database, all);
  expect(await gaps()).toEqual(['discarded 1 - rfis 10:00 now']);
});
