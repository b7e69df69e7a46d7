import { catalogue } from '@procore-mirror/catalogue';
import { readRepairProgress, requestRepair } from '@procore-mirror/database';
import { createHooksApi, createProcoreClient, type ProcoreAnswer, type ProcoreClient } from '@procore-mirror/procore';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { applyHooks } from './apply-hooks.ts';
import { countCalls } from './count-calls.ts';
import { isNotReached } from './look-at-log.ts';
import { recordDelivery } from './record-delivery.ts';
import { startRepairLoop } from './repair-loop.ts';
import type { RepairLoopOptions } from './repair-options.ts';
import { openMigratedDatabase, simulateProcore } from './testing/test-mirror.ts';

const companyId = '598134325683880';
const DAY = 86_400_000;
const patience = { timeout: 30_000, interval: 50 };
type Said = { level: string; about: Record<string, unknown>; message: string };

let mirror: Awaited<ReturnType<typeof openMigratedDatabase>>;
let procore: Awaited<ReturnType<typeof simulateProcore>>;
let client: ProcoreClient;
let projectIds: string[];
let calls = 0;
let said: Said[] = [];
const loops: ReturnType<typeof startRepairLoop>[] = [];

const query = (sql: string, values: unknown[] = []) => mirror.database.pool.query(sql, values);
const control = <T>(method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE', what: string, body?: unknown) =>
  procore.system.control<T>(method, `/control/${what}`, body);
const edit = (count: number) =>
  control<{ events: number }>('POST', 'edits', {
    edits: Array.from({ length: count }, (_, index) => ({
      ...{ resource: 'RFIs', action: 'create', projectId: projectIds[index % projectIds.length] },
    })),
  });
const discard = async () => {
  for (let hour = 0; hour < 26; hour++) await control('POST', 'clock', { advanceMs: DAY / 48 });
  await expect
    .poll(() => control<{ outstanding: number }>('GET', 'quiet?timeoutMs=100'), patience)
    .toMatchObject({ outstanding: 0 });
};
const events = async () =>
  (
    await query('select count(*)::int as events, count(*) filter (where via = $1)::int as mended from mirror.events', [
      'delivery log',
    ])
  ).rows[0];
/** A receiver that was down until a moment ago. */
const report = async (since = '1 minute', until = '1 second') => {
  await query(`insert into mirror.receivers (id, host, pid, version, started_at, reported_at, report)
    values ('r', 'h', 1, '1', now() - interval '${until}', now(), '{}')`);
  await query(
    `insert into mirror.receiver_gaps values ('r', 'down', now() - interval '${since}', now() - interval '${until}', null, false)`,
  );
};
const allLooks = async () => (await query('select count(*)::int as looks from mirror.delivery_looks')).rows[0].looks;
/** But those at the whole log. */
const looks = async () =>
  (await query(`select count(*)::int as looks from mirror.delivery_looks where status <> 'any'`)).rows[0].looks;
const repair = async (since: Date | null = null, projectId: string | null = null) => {
  const requests = await requestRepair(mirror.database, `repair-${performance.now()}`, {
    companyIds: [companyId],
    projectId,
    since,
  });
  await expect.poll(async () => (await readRepairProgress(mirror.database.pool, requests)).over, patience).toBe(1);
  return readRepairProgress(mirror.database.pool, requests);
};

function start(more: Partial<RepairLoopOptions> = {}) {
  const log = (level: string) => (about: object, message: string) => said.push({ level, about: { ...about }, message });
  const pace = { delayMs: 0, maxWaitMs: 60_000 };
  const loop = startRepairLoop({
    ...{
      database: mirror.database,
      client: countCalls(client, () => calls++),
      everyMs: 50,
      holder: 'test',
      lookEveryMs: 10,
    },
    handOver: async (delivery) => {
      const settings = {
        database: mirror.database,
        catalogue,
        selection: { companyIds: null, resources: null },
        ...pace,
      };
      await recordDelivery(settings, { ...delivery, via: 'delivery log' });
    },
    log: { debug: log('debug'), warn: log('warn') },
    ...more,
  });
  loops.push(loop);
  return loop;
}

beforeAll(async () => {
  mirror = await openMigratedDatabase();
});
afterAll(() => mirror.close());
beforeEach(async () => {
  await query(`truncate mirror.selection, mirror.hooks, mirror.duties, mirror.fetches, mirror.scopes, mirror.events, mirror.pending,
    mirror.delivery_looks, mirror.repairs, mirror.undelivered, mirror.receivers, mirror.receiver_gaps`);
  procore = await simulateProcore();
  await control('POST', 'seed', { companyId, projects: 1 });
  client = createProcoreClient({ apiUrl: new URL(procore.url), token: procore.token, refuseToken: () => {} });
  const world = await procore.system.controlLines<{ id: string }>(`/control/world?resource=Projects`);
  projectIds = world.map(({ id }) => id);
  for (const projectId of [null, ...projectIds]) {
    const { hookId } = await applyHooks({
      ...{
        hooks: createHooksApi(client),
        catalogue,
        selection: { resources: null },
        companyId,
        projectId,
        namespace: 'procore-mirror',
      },
      ...{
        payloadVersion: 'v4.0',
        destinationUrl: 'http://127.0.0.1:9/webhooks/procore',
        authorization: 'Bearer of-the-test-only',
      },
      signal: AbortSignal.timeout(60_000),
    });
    await query(
      `insert into mirror.hooks (company_id, project_id, payload_version, hook_id) values ($1, $2, 'v4.0', $3)`,
      [companyId, projectId, hookId],
    );
  }
  [calls, said] = [0, []];
});
afterEach(async () => {
  await Promise.all(loops.splice(0).map((loop) => loop.close()));
  await client.close();
  await procore.close();
});

test.each([
  ['newest first', null],
  ['oldest first', 'v2.0'],
  ['none', 'v3.0'],
] as const)(
  'what was thrown away while nobody listened comes back: log %s, bodies %s',
  async (deliveryLogOrder, deliveryLogVersion) => {
    await control('PATCH', 'settings', { deliveryLogOrder, deliveryLogVersion });
    const first = await edit(124);
    await control('POST', 'clock', { advanceMs: DAY / 24 });
    const made = first.events + (await edit(126)).events;
    await discard();
    await report();
    start();
    await expect.poll(events, patience).toEqual({ events: made, mended: made });
    await expect.poll(looks, patience).toBe(9);
    const mended = said.filter(({ message }) => message.includes('brought in'));
    expect(mended.map(({ about }) => about.events)).toEqual([125, 125]);
    await loops.splice(0)[0]?.close();
    start({ everyMs: 0 });
    calls = 0;
    const again = await repair();
    expect(again).toMatchObject({ hooks: 3, newEvents: 0, unreached: [], olderThanLog: [], over: 1 });
    expect(again.calls).toBe(deliveryLogOrder === 'newest first' ? 9 : 11); // without an order every page is read
    expect(calls).toBe(again.calls);
  },
);

test('a repair costs its own looks, whatever workers look at by themselves meanwhile', async () => {
  start();
  await expect.poll(allLooks, patience).toBe(3);
  expect(await repair()).toMatchObject({ hooks: 3, looks: 9, calls: 9, unreached: [] });
});

test('a log that is cut off covers no gap: what came of it is kept, and it is read again', async () => {
  const made = await edit(20);
  await discard();
  await report();
  let isCut = true;
  const cutting: ProcoreClient = {
    ...client,
    pages: (path, options) => {
      if (isCut) options.onDoubt?.('its next link leads nowhere', true);
      return client.pages(path, options);
    },
  };
  start({ client: cutting });
  await expect.poll(allLooks, patience).toBe(12);
  const known = () =>
    query(
      'select distinct looked_at is not null as is_good, day is not null as covers, finding from mirror.delivery_looks',
    );
  const finding = 'its log was not read to its end: its next link leads nowhere';
  await expect.poll(async () => (await known()).rows, patience).toEqual([{ is_good: false, covers: false, finding }]);
  expect(await events()).toEqual({ events: made.events, mended: made.events });
  isCut = false;
  await query(`update mirror.delivery_looks set next_at = now(), tried_at = now() - interval '1 day'`);
  await expect
    .poll(async () => (await known()).rows, patience)
    .toEqual([{ is_good: true, covers: true, finding: null }]);
});

test('without a gap whole logs are looked at, and what was lost on the way is brought in; nothing twice', async () => {
  const made = await edit(6);
  await discard();
  start({ everyMs: 3_600_000 });
  await expect.poll(events, patience).toEqual({ events: made.events, mended: made.events });
  const covered = async () =>
    (await query(`select status, count(covers_until)::int as covers from mirror.delivery_looks group by 1`)).rows;
  await expect.poll(covered, patience).toEqual([{ status: 'any', covers: 3 }]);
  await query(`delete from mirror.events where ctid in (select ctid from mirror.events limit 2)`);
  await query(
    `update mirror.delivery_looks set covers_until = covers_until - interval '2 hours', tried_at = now() - interval '2 hours'`,
  );
  await loops.splice(0)[0]?.close();
  start({ everyMs: 3_600_000 });
  await expect.poll(events, patience).toEqual({ events: made.events, mended: made.events });
  await expect.poll(() => calls, patience).toBe(6);
  const brought = said.filter(({ message }) => message.includes('brought in'));
  expect(brought.reduce((sum, { about }) => sum + Number(about.events), 0)).toBe(made.events + 2);
});

test('what was recorded once and lost is brought in again when somebody asks since when', async () => {
  const made = await edit(30);
  await discard();
  start({ everyMs: 0 });
  expect(await looks()).toBe(0);
  expect(await repair()).toMatchObject({ newEvents: made.events, found: made.events });
  await query('delete from mirror.events where ctid in (select ctid from mirror.events limit 7)');
  expect(await repair(new Date(Date.now() - 20 * DAY))).toMatchObject({ newEvents: 7, hooks: 3 });
});

test('only the project that is asked for is looked at', async () => {
  start({ everyMs: 0 });
  expect(await repair(null, projectIds[0])).toMatchObject({ hooks: 1, looks: 3, calls: 3 });
});

test('a log that is refused is told with the permission, and nobody asks it again and again', async () => {
  await control('POST', 'faults', [{ kind: 'webhooks', status: 403 }]);
  start();
  await expect.poll(allLooks, patience).toBe(3);
  const { unreached } = await repair();
  expect(unreached.map(({ reason }) => reason.includes('Webhooks API: Standard'))).toEqual([true, true, true]);
  expect((await query('select company_id::text as id, reason from mirror.scopes')).rows).toEqual([]); // it says who we are
  const before = calls;
  await report();
  await expect.poll(() => said.length, patience).toBeGreaterThan(0);
  expect((await repair()).calls).toBe(0);
  expect(calls).toBe(before);
  expect(calls).toBeLessThanOrEqual(4);
});

test('a company that disconnected the app is parked after three refusals, and costs no upkeep but its probes', async () => {
  await control('PATCH', `companies/${companyId}`, { connected: false });
  await report();
  start();
  await expect
    .poll(async () => (await query('select reason from mirror.scopes')).rows, patience)
    .toEqual([{ reason: 'not_connected' }]);
  const before = calls;
  expect(before).toBeLessThanOrEqual(5);
  const { unreached } = await repair();
  expect(unreached).toHaveLength(3);
  expect(calls).toBe(before);
});

test('a company that answers others is not parked, though it refuses its logs and does not say who we are', async () => {
  await control('PATCH', `companies/${companyId}`, { connected: false });
  await query(
    `insert into mirror.fetches (company_id, called_at, lane, route, status, ms) values ($1, now(), 'live', 'GET /rest/v1.0/rfis', 200, 1)`,
    [companyId],
  );
  start();
  expect((await repair()).unreached).toHaveLength(3);
  expect((await query('select reason from mirror.scopes')).rows).toEqual([]);
  expect(calls).toBe(3);
});

test('nor is one that lists its projects, though its service account may ask for nothing else', async () => {
  await control('POST', 'faults', [
    { kind: 'webhooks', status: 403 },
    { kind: 'other', status: 403 },
  ]);
  start();
  expect((await repair()).unreached).toHaveLength(3);
  expect(calls).toBe(5);
  expect((await query('select reason from mirror.scopes')).rows).toEqual([]);
});

test('a repair ends where Procore is not reached, and where the company left since; nobody else gives up', async () => {
  await procore.close();
  start();
  const { unreached, calls: made } = await repair();
  expect(unreached.map(({ reason }) => isNotReached(reason))).toEqual([true, true, true]);
  expect(made).toBeLessThanOrEqual(4);
  await query('truncate mirror.delivery_looks');
  await loops.splice(0)[0]?.close();
  await query('insert into mirror.selection (company_id, is_selected, left_at) values ($1, false, now())', [companyId]);
  start();
  expect(await repair()).toMatchObject({ over: 1, newEvents: 0 });
});

test('a company that is parked is asked nothing; who asks is told', async () => {
  await query(
    `insert into mirror.scopes (company_id, reason, detail, parked_at, probe_at) values ($1, 'refused', 'HTTP 403', now(), now() + interval '1 hour')`,
    [companyId],
  );
  start();
  const { unreached } = await repair();
  expect(unreached).toHaveLength(3);
  expect(unreached[0]?.reason).toContain('not asked');
  expect(calls).toBe(0);
});

test('a day on which deliveries were missed and that the log has forgotten is told', async () => {
  const made = await edit(20);
  await discard();
  start({ everyMs: 0 });
  expect(await repair()).toMatchObject({ newEvents: made.events });
  await query(`update mirror.events set received_at = now() - interval '3 days'`);
  await query(
    `insert into mirror.receiver_gaps values ('r', 'refused', now() - interval '2 days', now() - interval '1 day', 3, null)`,
  );
  await control('PATCH', 'settings', { deliveryLogDays: 0 });
  const { olderThanLog } = await repair(new Date(Date.now() - 5 * DAY));
  const day = new Date(Date.now() - 2 * DAY).toISOString().slice(0, 10);
  expect(olderThanLog).toEqual([{ companyId, day }]);
  await control('PATCH', 'settings', { deliveryLogDays: 30 });
  await query(`update mirror.receiver_gaps set since = now(), until = now()`);
  expect((await repair(new Date(Date.now() - 5 * DAY))).olderThanLog).toEqual([]);
});

test('while nobody listens the busiest hooks tell how long', async () => {
  await edit(4);
  await query(`insert into mirror.receivers (id, host, pid, version, started_at, reported_at, recorded_at, report)
    values ('r', 'h', 1, '1', now() - interval '1 day', now() - interval '1 hour', now() - interval '1 hour', '{}')`);
  const ahead = await control<{ nowMs: number }>('GET', 'clock');
  let aheadMs = ahead.nowMs - Date.now();
  start({ now: () => Date.now() + aheadMs });
  const noted = async () => (await query('select count, alarm_hours from mirror.undelivered')).rows;
  for (const [hours, alarmHours] of [
    [2.1, 2],
    [4, 6],
    [5, 11],
  ] as const) {
    await control('POST', 'clock', { advanceMs: hours * 3_600_000 });
    aheadMs += hours * 3_600_000;
    await expect.poll(noted, patience).toEqual([{ count: 4, alarm_hours: alarmHours }]);
  }
  // A log that refuses tells nothing new, so what is known stands.
  await loops.splice(0)[0]?.close();
  await query(`update mirror.delivery_looks set tried_at = now() + interval '1 day'`);
  await control('POST', 'faults', [{ kind: 'webhooks', status: 403 }]);
  start({ now: () => Date.now() + aheadMs });
  const askedAt = async () => (await query('select asked_at::text as at from mirror.undelivered')).rows[0]?.at;
  for (let times = 0; times < 2; times += 1) {
    const last = await askedAt();
    await expect.poll(askedAt, patience).not.toBe(last);
  }
  expect(await noted()).toEqual([{ count: 4, alarm_hours: 11 }]);
  // Nor does one without filters that is longer than is read.
  await loops.splice(0)[0]?.close();
  await control('DELETE', 'faults');
  const row = (id: number) => ({ id: `${id}`, status: 'delivered', payload: {} });
  const fields = { data: Array.from({ length: 1001 }, (_, id) => row(id)) };
  const pages: ProcoreClient['pages'] = async function* (where, own) {
    if (!/deliveries$/.test(where)) return yield* client.pages(where, own);
    const bytes = Buffer.from(JSON.stringify(fields));
    yield own.read({ text: { bytes, fields }, [Symbol.dispose]: () => {} } as ProcoreAnswer); // read of no more
  };
  start({ now: () => Date.now() + aheadMs, client: { ...client, pages } });
  for (let times = 0; times < 2; times += 1) {
    const last = await askedAt();
    await expect.poll(askedAt, patience).not.toBe(last);
  }
  expect(await noted()).toEqual([{ count: 4, alarm_hours: 11 }]);
});

test('a whole log is looked at once more only where calls for all its pages are left', async () => {
  await query(`update mirror.budget set call_limit = 600 where window_name = 'hour'`);
  const first = start();
  await expect.poll(allLooks, patience).toBe(3);
  await first.close();
  await query(`update mirror.delivery_looks set pages = 40, in_order = null, covers_until = now() - interval '2 hours',
    tried_at = now() - interval '1 hour'`);
  const again = async () =>
    (await query(`select count(*)::int as count from mirror.delivery_looks where status = 'any' and pages < 40`))
      .rows[0].count;
  const used = (count: number) =>
    query(
      `insert into mirror.fetches (company_id, called_at, lane, route, status, ms)
        select $1, now() - interval '1 minute', 'upkeep', 'GET /rest/v2.0/companies/{id}/webhooks/hooks/{id}/deliveries', 200, 1
        from generate_series(1, $2)`,
      [companyId, count],
    );
  await used(3); // of 42
  const second = start({ holder: 'other' });
  for (const _ of [1, 2]) await repair(); // so that a round is over
  await second.close();
  expect(await again()).toBe(0);
  await query('delete from mirror.fetches');
  start({ holder: 'third' });
  await expect.poll(again, patience).toBeGreaterThan(0);
});

test('looks keep to their share of the calls, and to that of comparisons, too, after a gap', async () => {
  await query(`update mirror.budget set call_limit = 600 where window_name = 'hour'`);
  const called = (count: number) =>
    query(
      `insert into mirror.fetches (company_id, called_at, lane, route, status, ms)
        select $1, now() - interval '1 minute', 'upkeep', 'GET /rest/v2.0/companies/{id}/webhooks/hooks/{id}/deliveries', 200, 1
        from generate_series(1, $2)`,
      [companyId, count],
    );
  await called(56); // of 58
  const first = start();
  await expect.poll(allLooks, patience).toBe(2);
  await first.close();
  await called(55); // of 118
  const asked = async () => (await query('select count(*)::int as count from mirror.undelivered')).rows[0].count;
  expect(await asked()).toBe(0);
  await report();
  start({ holder: 'other' });
  await expect.poll(allLooks, patience).toBeGreaterThan(3);
  await expect.poll(() => calls, patience).toBe(2 + 7);
  expect(await asked()).toBe(0); // within the same share
  await query(`update mirror.budget set call_limit = 1000000 where window_name = 'hour'`);
  await expect.poll(looks, patience).toBe(9);
  await expect.poll(asked, patience).toBe(1);
});
