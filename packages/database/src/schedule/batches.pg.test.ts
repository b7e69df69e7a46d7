import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Database } from '../connection/open-database.ts';
import { inTransaction } from '../connection/transaction.ts';
import { type LoggedEvent, recordEvent } from '../events/record-event.ts';
import { markPending, type Pace } from '../pending/mark-pending.ts';
import { noteBatch } from '../pending/note-batch.ts';
import { noteListed } from '../pending/postpone-records.ts';
import { settleRecords } from '../pending/settle-records.ts';
import { anEvent, newsOf, pace } from '../testing/an-event.ts';
import { type EmptyMirror, openEmptyMirror } from '../testing/empty-mirror.ts';
import type { Lane } from './batch.ts';
import { claimBatch, readPauseForNews, releaseBatch, renewLease, rescheduleBatches } from './batches.ts';
import { giveProbeBack, keepParked, parkScope, unparkScopes } from './scopes.ts';

let mirror: EmptyMirror;
let database: Database;

beforeAll(async () => {
  mirror = await openEmptyMirror();
  database = mirror.database;
});
afterAll(() => mirror.close());
beforeEach(() =>
  database.pool.query(
    'truncate mirror.events, mirror.pending, mirror.batches, mirror.budget, mirror.scopes, mirror.dead_letters, mirror.first_calls',
  ),
);

const key = { companyId: '1', projectId: '7', resource: 'RFIs', lane: 'live' } as const;
const mine = { holder: 'me', leaseMs: 60_000, mostPerCompany: 16, onlyLive: false };

function record(event: LoggedEvent, change: Partial<Pace> = {}): ReturnType<typeof recordEvent> {
  return recordEvent(database, { event, ignored: null, news: [newsOf(event)], pace: { ...pace, ...change } });
}

async function mark(lane: Lane, change: Partial<LoggedEvent> = {}): Promise<void> {
  const news = [newsOf(anEvent(change))];
  await markPending(database.pool, { news, lane, pace });
}

async function releaseAgain(): Promise<void> {
  await database.pool.query('update mirror.batches set due_at = now()');
  await claimBatch(database, mine);
  await releaseBatch(database, key, { holder: 'me', restMs: 0 });
}

const note = (delayMs = 0) => noteBatch(database.pool, key, { delayMs, absencePauseMs: 0, limit: 100 });
const settle = (records: Awaited<ReturnType<typeof note>>) =>
  inTransaction(database, (client) => settleRecords(client, key, records, 0));

test('one worker holds a batch until it gives it back or its lease runs out', async () => {
  await record(anEvent());
  expect(await claimBatch(database, { ...mine, holder: 'a', leaseMs: 60_000 })).toEqual({
    ...key,
    isProbe: false,
    isWideProbe: false,
    probeAsks: 'both',
  });
  expect(await claimBatch(database, { ...mine, holder: 'b', leaseMs: 60_000 })).toBeNull();
  await releaseBatch(database, key, { holder: 'a', restMs: 0 });
  expect(await claimBatch(database, { ...mine, holder: 'b', leaseMs: 0 })).not.toBeNull();
  expect(await claimBatch(database, { ...mine, holder: 'c', leaseMs: 60_000 })).not.toBeNull();
  expect(await renewLease(database, key, { holder: 'b', leaseMs: 60_000 })).toBe(false);
  expect(await renewLease(database, key, { holder: 'c', leaseMs: 60_000 })).toBe(true);
});

test('a batch without pending records is idle until there is news', async () => {
  await record(anEvent());
  await claimBatch(database, mine);
  await settle(await note());
  await releaseBatch(database, key, { holder: 'me', restMs: 0 });
  expect(await claimBatch(database, mine)).toBeNull();
  await record(anEvent());
  expect(await claimBatch(database, mine)).not.toBeNull();
});

test('news that comes while a batch is given back is not slept over', async () => {
  for (let round = 0; round < 30; round += 1) {
    await record(anEvent());
    await claimBatch(database, mine);
    await settle(await note());
    await Promise.all([releaseBatch(database, key, { holder: 'me', restMs: 0 }), record(anEvent())]);
    await releaseBatch(database, key, { holder: 'me', restMs: 0 });
    const { rows } = await database.pool.query('select due_at is not null as is_due from mirror.batches');
    expect(rows).toEqual([{ is_due: true }]);
  }
});

test('a company with batches in hand waits behind one without', async () => {
  for (const projectId of ['1', '2', '3']) await record(anEvent({ companyId: '1', projectId }));
  await record(anEvent({ companyId: '2', projectId: '9' }));
  const claimed = [await claimBatch(database, mine), await claimBatch(database, mine)];
  expect(new Set(claimed.map((batch) => batch?.companyId))).toEqual(new Set(['1', '2']));
});

test('a worker keeps room for another company, and for live batches', async () => {
  for (const projectId of ['1', '2', '3']) await record(anEvent({ companyId: '1', projectId }));
  const few = { ...mine, mostPerCompany: 2 };
  expect(await claimBatch(database, few)).not.toBeNull();
  expect(await claimBatch(database, few)).not.toBeNull();
  expect(await claimBatch(database, few)).toBeNull();
  expect(await claimBatch(database, { ...few, holder: 'another' })).not.toBeNull();
  await mark('backfill', { companyId: '2' });
  expect(await claimBatch(database, { ...few, onlyLive: true })).toBeNull();
  expect(await claimBatch(database, few)).toMatchObject({ companyId: '2', lane: 'backfill' });
});

test('lanes have batches of their own, and go in their order', async () => {
  await mark('backfill', { recordId: '1' });
  await mark('repair', { recordId: '2' });
  await record(anEvent({ recordId: '3' }));
  const lanes = [];
  for (let batch = await claimBatch(database, mine); batch !== null; batch = await claimBatch(database, mine)) {
    lanes.push(batch.lane);
    expect(batch).toMatchObject(batch.lane === 'live' ? key : { resource: 'RFIs' });
  }
  expect(lanes).toEqual(['live', 'repair', 'backfill']);
  expect((await note()).map(({ id, lane }) => [id, lane])).toEqual([
    ['3', 'live'],
    ['2', 'repair'],
    ['1', 'backfill'],
  ]);
});

test('news of an event takes a record out of a later lane, a backfill does not put it back', async () => {
  await mark('backfill');
  await record(anEvent());
  await mark('backfill');
  expect(await note()).toMatchObject([{ lane: 'live' }]);
});

test('detail waits until nothing live is due or in hand, but not for ever', async () => {
  await record(anEvent({ recordId: '1' }));
  await inTransaction(database, async (client) =>
    noteListed(client, key, await note(), { pauseMs: 0, lane: 'detail' }),
  );
  expect(await note()).toMatchObject([{ id: '1', lane: 'detail', isListed: true }]);
  await record(anEvent({ recordId: '2' }));
  const live = await claimBatch(database, mine);
  expect(live).toMatchObject({ lane: 'live' });
  expect(await claimBatch(database, mine)).toBeNull();
  await database.pool.query(`update mirror.batches set due_at = due_at - interval '31 s' where lane = 'detail'`);
  const detail = await claimBatch(database, mine);
  expect(detail).toMatchObject({ lane: 'detail' });
  await settle((await note()).filter(({ lane }) => lane === 'live'));
  await releaseBatch(database, live!, { holder: 'me', restMs: 0 });
  await database.pool.query(`update mirror.pending set ready_at = now()`);
  await releaseBatch(database, detail!, { holder: 'me', restMs: 0 });
  expect(await claimBatch(database, mine)).toMatchObject({ lane: 'detail' });
  await record(anEvent({ recordId: '1' }));
  expect(await note()).toMatchObject([{ id: '1', lane: 'live', isListed: false }]);
});

test.each([
  ['a record that fails again and again', 1, 'detail'],
  ['a record that did not fail', 0, null],
])('detail waits for live news in hand: %s', async (_, attempts, lane) => {
  await record(anEvent({ recordId: '1' }));
  await inTransaction(database, async (client) =>
    noteListed(client, key, await note(), { pauseMs: 0, lane: 'detail' }),
  );
  await record(anEvent({ recordId: '2' }));
  await database.pool.query(`update mirror.pending set attempts = $1 where record_id = '2'`, [attempts]);
  expect(await claimBatch(database, mine)).toMatchObject({ lane: 'live' });
  expect((await claimBatch(database, mine))?.lane ?? null).toBe(lane);
});

test.each(['due', 'in hand'])('detail waits for no live news of a parked scope, which is %s', async (state) => {
  await record(anEvent());
  const live = await claimBatch(database, mine);
  await inTransaction(database, async (client) =>
    noteListed(client, key, await note(), { pauseMs: 0, lane: 'detail' }),
  );
  await releaseBatch(database, live!, { holder: 'me', restMs: 0 });
  await record(anEvent({ resource: 'Submittals', recordId: '2' }));
  await parkScope(database, { ...key, resource: 'Submittals' }, refused, pauses);
  if (state === 'in hand') {
    await makeProbesDue();
    expect(await claimBatch(database, mine)).toMatchObject({ resource: 'Submittals', isProbe: true });
  }
  expect(await claimBatch(database, mine)).toMatchObject({ resource: 'RFIs', lane: 'detail' });
});

test.each([
  ['7000', 'detail'],
  [null, 'detail'],
])(
  'detail waits for no live news of a resource that is parked elsewhere in its company (%s)',
  async (projectId, lane) => {
    await record(anEvent());
    const live = await claimBatch(database, mine);
    await inTransaction(database, async (client) =>
      noteListed(client, key, await note(), { pauseMs: 0, lane: 'detail' }),
    );
    await releaseBatch(database, live!, { holder: 'me', restMs: 0 });
    await record(anEvent({ resource: 'Submittals', recordId: '2' }));
    expect(await claimBatch(database, mine)).toMatchObject({ resource: 'Submittals' });
    expect(await claimBatch(database, mine)).toBeNull(); // the live one in hand has news that did not fail
    await parkScope(database, { ...key, projectId, resource: 'Submittals' }, refused, pauses);
    expect(await claimBatch(database, mine)).toMatchObject({ resource: 'RFIs', lane });
  },
);

test('a parked scope is left alone until its probe, which one batch makes', async () => {
  await record(anEvent({ projectId: '7' }));
  await record(anEvent({ projectId: '8' }));
  const company = { companyId: '1', projectId: null, resource: null };
  await parkScope(database, company, refused, pauses);
  expect(await claimBatch(database, mine)).toBeNull();
  await makeProbesDue();
  expect(await claimBatch(database, mine)).toMatchObject({ isProbe: true, isWideProbe: true });
  expect(await claimBatch(database, mine)).toBeNull();
  await giveProbeBack(database, key);
  expect(await claimBatch(database, mine)).toMatchObject({ isProbe: true });
  expect(await unparkScopes(database, key)).toBe(1);
  await database.pool.query('update mirror.batches set lease_until = null');
  expect(await claimBatch(database, mine)).toMatchObject({ isProbe: false, isWideProbe: false });
});

const refused = { reason: 'forbidden', detail: 'HTTP 403', atLeastMs: 0 } as const;
const pauses = { firstPauseMs: 20_000, longestPauseMs: 7_200_000 };
const makeProbesDue = () => database.pool.query('update mirror.scopes set probe_at = now()');
const parked = async () => {
  const { rows } = await database.pool.query(
    `select concat_ws('/', company_id, project_id, resource) as scope, reason, probes,
      round(extract(epoch from probe_at - now()))::int as seconds from mirror.scopes order by 1`,
  );
  return rows;
};

test('a resource of which there is enough in hand is left alone', async () => {
  await record(anEvent({ projectId: '7' }));
  await record(anEvent({ projectId: '8', resource: 'Tasks' }));
  expect(await claimBatch(database, { ...mine, notResources: ['RFIs'] })).toMatchObject({ resource: 'Tasks' });
  expect(await claimBatch(database, { ...mine, notResources: ['RFIs'] })).toBeNull();
  expect(await claimBatch(database, { ...mine, notResources: ['Tasks'] })).toMatchObject({ resource: 'RFIs' });
});

test('everything may be parked, and one batch probes it', async () => {
  await record(anEvent({ projectId: '7' }));
  await record(anEvent({ companyId: '2', projectId: '8' }));
  await parkScope(database, { companyId: null, projectId: null, resource: null }, refused, pauses);
  expect(await claimBatch(database, mine)).toBeNull();
  await makeProbesDue();
  expect(await claimBatch(database, mine)).toMatchObject({ isProbe: true, isWideProbe: true });
  expect(await claimBatch(database, mine)).toBeNull();
});

test('only a refused probe lengthens the pause: to half of the time that the scope has been parked', async () => {
  const scope = { companyId: '1', projectId: '7', resource: 'RFIs' };
  for (let late = 0; late < 16; late += 1) await parkScope(database, scope, refused, pauses);
  expect(await parked()).toMatchObject([{ scope: '1/7/RFIs', probes: 0, seconds: 20 }]);
  const seconds: number[] = [];
  for (const parkedFor of ['10 s', '40 s', '100 s', '1 hour', '3 hours', '3 days']) {
    await database.pool.query(`update mirror.scopes set parked_at = now() - $1::interval`, [parkedFor]);
    await keepParked(database, scope, { ...refused, reason: 'failing' }, pauses);
    seconds.push(...(await parked()).map((one) => one.seconds));
  }
  expect(seconds).toEqual([20, 20, 50, 1800, 5400, 7200]);
  expect(await parked()).toMatchObject([{ probes: 6, reason: 'failing' }]);
});

test('a scope is left alone for as long as Procore says, but not for a day without a probe', async () => {
  const scope = { companyId: '1', projectId: '7', resource: 'RFIs' };
  await parkScope(database, scope, { ...refused, atLeastMs: 90_000 }, pauses);
  expect(await parked()).toMatchObject([{ seconds: 90 }]);
  await keepParked(database, scope, { ...refused, atLeastMs: 600_000 }, pauses);
  expect(await parked()).toMatchObject([{ seconds: 600 }]);
  const forADay = { ...refused, atLeastMs: 86_400_000 };
  await keepParked(database, scope, forADay, pauses);
  await parkScope(database, { ...scope, projectId: '8' }, forADay, pauses);
  expect(await parked()).toMatchObject([{ seconds: 7200 }, { seconds: 7200 }]);
});

test('what lies in a parked scope is not parked by itself, and what the same trouble parked before goes with it', async () => {
  const [rfis, submittals] = [{ ...key }, { ...key, resource: 'Submittals' }];
  const company = { companyId: '1', projectId: null, resource: null };
  await parkScope(database, rfis, refused, pauses);
  await parkScope(database, { ...rfis, companyId: '2' }, refused, pauses);
  await database.pool.query(`update mirror.scopes set parked_at = now() - interval '1 hour' where company_id = 2`);
  await parkScope(database, { companyId: '1', projectId: '7', resource: 'Tasks' }, refused, pauses);
  await database.pool.query(`update mirror.scopes set parked_at = now() - interval '1 hour' where resource = 'Tasks'`);
  await parkScope(database, company, refused, pauses);
  await parkScope(database, submittals, refused, pauses);
  expect((await parked()).map(({ scope }) => scope)).toEqual(['1', '1/7/RFIs', '1/7/Tasks', '2/7/RFIs']);
  expect(await unparkScopes(database, submittals)).toBe(2);
  expect((await parked()).map(({ scope }) => scope)).toEqual(['1/7/Tasks', '2/7/RFIs']);
  await parkScope(database, { companyId: null, projectId: null, resource: null }, refused, pauses);
  await parkScope(database, { ...company, companyId: '2' }, refused, pauses);
  expect(await unparkScopes(database, { ...company, companyId: '9' })).toBe(1);
});

test('a schedule that was lost is made anew from the pending records', async () => {
  await record(anEvent());
  await database.pool.query('truncate mirror.batches');
  expect(await rescheduleBatches(database)).toBe(1);
  expect(await claimBatch(database, mine)).not.toBeNull();
});

test('a batch gathers news that keeps coming, but not for longer than twice the pause more', async () => {
  const dueIn = async () => {
    const { rows } = await database.pool.query(
      `select extract(epoch from due_at - first_due_at)::float8 * 1000 as ms, due_at > now() as later from mirror.batches`,
    );
    return rows[0];
  };
  await record(anEvent({ recordId: '1' }), { delayMs: 1000 });
  expect(await dueIn()).toEqual({ ms: 0, later: true });
  await record(anEvent({ recordId: '2' }), { delayMs: 1000 });
  expect((await dueIn()).ms).toBeGreaterThan(0);
  await database.pool.query(
    `update mirror.batches set first_due_at = first_due_at - interval '10 s', due_at = due_at - interval '9.5 s'`,
  );
  await record(anEvent({ recordId: '3' }), { delayMs: 1000 });
  expect(await dueIn()).toEqual({ ms: 2000, later: false });
});

test('a batch rests the longer, the more of an hour the calls for news took, and nothing else does', async () => {
  const pauseMs = async (used: number, before = 0, { lane = 'live' as Lane, companyId = '1' } = {}) => {
    await database.pool.query('truncate mirror.budget, mirror.budget_use');
    await database.pool.query(
      `insert into mirror.budget (window_name, call_limit, remaining, known_by, opened_at, reset_at)
        values ('hour', 600, 600, 'count', now() - interval '30 min', now() + interval '30 min')`,
    );
    const use = `insert into mirror.budget_use (window_name, company_id, used, used_live, used_live_before)
      values ('hour', 1, 600, $1, $2)`;
    await database.pool.query(use, [used, before]);
    return Math.round((await readPauseForNews(database.pool, { ...key, companyId, lane })) / 1000);
  };
  expect(await pauseMs(300)).toBe(0);
  expect(await pauseMs(150, 300)).toBe(0);
  expect(await pauseMs(150, 600)).toBe(900);
  expect(await pauseMs(450)).toBe(900);
  expect(await pauseMs(600)).toBe(1800);
  expect(await pauseMs(900)).toBe(1800);
  expect(await pauseMs(600, 0, { lane: 'detail' })).toBe(0);
  expect(await pauseMs(600, 0, { companyId: '2' })).toBe(0);
  expect(await pauseMs(450)).toBe(900);
  await record(anEvent());
  const due = async () => {
    const { rows } = await database.pool.query(
      `select round(extract(epoch from p.ready_at - p.last_seen_at))::int as ready,
          round(extract(epoch from b.due_at - p.last_seen_at))::int as due
        from mirror.pending p join mirror.batches b using (company_id)`,
    );
    return rows;
  };
  expect(await due()).toEqual([{ ready: 0, due: 900 }]);
  await releaseAgain();
  expect(await due()).toEqual([{ ready: 0, due: 900 }]);
  expect(await rescheduleBatches(database)).toBe(0);
  await database.pool.query(`update mirror.pending set ready_at = now() - interval '2 s'`);
  await releaseAgain();
  expect((await due())[0].due).toBeLessThan(900); // more to do than one run could: no rest
  await database.pool.query('truncate mirror.budget, mirror.budget_use');
});

test('news makes a batch due that waits for a failed record', async () => {
  await record(anEvent({ recordId: '1' }));
  await database.pool.query(
    `update mirror.batches set due_at = now() + interval '5 min', first_due_at = now() + interval '5 min'`,
  );
  await record(anEvent({ recordId: '2' }));
  expect(await claimBatch(database, mine)).not.toBeNull();
});

test('while a company is paused, or a window of its own is used up, its batches wait and those of others do not', async () => {
  await record(anEvent());
  await record(anEvent({ companyId: '2' }));
  const pause = `insert into mirror.budget (window_name, company_id, call_limit, remaining, reset_at, known_by)
    values ($1, $2, 600, 0, now() + interval '1 minute', 'header')`;
  for (const window of ['pause', 'hour']) {
    await database.pool.query(pause, [window, 1]);
    expect(await claimBatch(database, mine)).toMatchObject({ companyId: '2' });
    expect(await claimBatch(database, mine)).toBeNull();
    await database.pool.query('truncate mirror.budget');
    expect(await claimBatch(database, mine)).toMatchObject({ companyId: '1' });
    await database.pool.query('update mirror.batches set lease_until = null');
  }
  await database.pool.query(pause, ['pause', null]);
  expect(await claimBatch(database, mine)).toBeNull();
});

test('while a window of calls is used up no batch is given out', async () => {
  await record(anEvent());
  await database.pool.query(`insert into mirror.budget (window_name, call_limit, remaining, reset_at, known_by)
    values ('hour', 600, 0, now() + interval '1 minute', 'header')`);
  expect(await claimBatch(database, mine)).toBeNull();
  await database.pool.query('update mirror.budget set reset_at = now()');
  expect(await claimBatch(database, mine)).toMatchObject({ resource: 'RFIs' });
});

test('no batch is given out while the first call of a window is out, but for two seconds only', async () => {
  await record(anEvent());
  await database.pool.query(`insert into mirror.budget (window_name, call_limit, remaining, reset_at, known_by)
    values ('spike', 25, 0, now() + interval '10 s', 'probe')`);
  await database.pool.query(`insert into mirror.first_calls (company_id, called_at) values (2, now())`);
  expect(await claimBatch(database, mine)).toBeNull();
  await database.pool.query(`update mirror.first_calls set called_at = now() - interval '2 s'`);
  expect(await claimBatch(database, mine)).toMatchObject({ resource: 'RFIs' });
});
