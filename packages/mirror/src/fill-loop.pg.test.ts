// Fills by workers that die: each goes on where it was, whoever takes it over.
import { type Database, requestNewProjects } from '@procore-mirror/database';
import { createProcoreClient } from '@procore-mirror/procore';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startFillLoop } from './fill-loop.ts';
import { requestFills } from './request-fills.ts';
import type { FetchSettings } from './run/fetch-settings.ts';
import { scriptLists } from './testing/script-lists.ts';
import { type ScriptedProcore, scriptProcore, startTestMirror, type TestMirror } from './testing/test-mirror.ts';
import { watchFills } from './watch-fills.ts';

let procore: ScriptedProcore;
let mirror: TestMirror;

beforeAll(async () => {
  procore = await scriptProcore();
  mirror = await startTestMirror(procore);
});
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.close();
});
afterAll(() => mirror.close());
beforeEach(async () => {
  await mirror.clear();
  procore.calls = [];
});

const log = { info: () => {}, warn: () => {}, error: () => {} };
const query = async (sql: string) => (await mirror.database.pool.query(sql)).rows;
const settings = (): FetchSettings => ({ ...mirror.settings, pageSize: 10 });
const project = { companyId: '1', projectId: '7' };
const request = (...resources: string[]) =>
  requestFills(mirror.database, { catalogue: mirror.settings.catalogue, scopes: [{ ...project, resources }] });
const workers: ReturnType<typeof startFillLoop>[] = [];
function work(holder: string, own: FetchSettings = settings(), atOnce = 4): (typeof workers)[number] {
  const worker = startFillLoop({
    atOnce,
    settings: own,
    holder,
    resources: null,
    log,
    canSignIn: async () => true,
    idleMs: 5,
    leaseMs: 60_000,
  });
  workers.push(worker);
  return worker;
}
const states = () => query('select resource, state, rows::int, detail from mirror.backfills order by position');
const untilOver = () =>
  expect
    .poll(async () => (await states()).every(({ state }) => state === 'done' || state === 'failed'), {
      timeout: 20_000,
    })
    .toBe(true);
/** Beside the tools, which each project is asked for once. */
const asked = () => procore.calls.filter((call) => !call.includes('/tools?'));
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

/** The settings of a worker that is killed after so many steps: from then on it can do nothing, not even say so. */
function mortal(steps: number): { own: FetchSettings; isDead: () => boolean } {
  let left = steps;
  const step = () => {
    left -= 1;
    if (left < 0) throw new Error('killed');
  };
  const { pool } = mirror.database;
  const own: Pick<Database['pool'], 'query' | 'connect'> = {
    query: ((...args: Parameters<typeof pool.query>) => {
      step();
      return pool.query(...args);
    }) as typeof pool.query,
    connect: (async () => {
      step();
      const client = await pool.connect();
      return new Proxy(client, {
        get: (target, name) => {
          if (name === 'query')
            return async (...args: Parameters<typeof client.query>) => {
              step();
              return target.query(...args);
            };
          if (name === 'release') return () => target.release(left < 0); // what it had begun is rolled back
          return Reflect.get(target, name);
        },
      });
    }) as typeof pool.connect,
  };
  const { client } = mirror.settings;
  const database = { ...mirror.database, pool: own } as Database;
  const calls: FetchSettings['client'] = {
    ...client,
    pages: async function* (path, options) {
      step();
      for await (const page of client.pages(path, options)) {
        step();
        yield page;
      }
    },
  };
  return { own: { ...settings(), database, client: calls }, isDead: () => left < 0 };
}

test('workers that are killed again and again read no page twice but the one under way, and leave out no record', async () => {
  let seed = 7;
  const random = (most: number) => {
    seed = (seed * 16_807) % 2_147_483_647;
    return seed % most;
  };
  for (let play = 0; play < 4; play += 1) {
    await mirror.clear();
    procore.calls = [];
    const [locations, rfis, replies] = [upTo(35 + random(20)), upTo(15 + random(10)), upTo(13)];
    const answer = scriptLists({ '/locations': locations, '/rfis': rfis });
    procore.answer = (path, search) => {
      const parent = /\/rfis\/(\d+)\/replies$/.exec(path)?.[1];
      const of = replies.map((id) => Number(parent) * 100 + id);
      return parent === undefined ? answer(path, search) : scriptLists({ '/replies': of })(path, search);
    };
    await request('RFI Replies', 'RFIs', 'Locations');
    let kills = 0;
    for (let turn = 0; !(await states()).every(({ state }) => state === 'done'); turn += 1) {
      const { own, isDead } = mortal(30 + random(300));
      const worker = work(`worker ${turn}`, own);
      await expect
        .poll(
          async () => isDead() || (await states()).every(({ state }) => state !== 'waiting' && state !== 'running'),
          {
            interval: 5,
            timeout: 20_000,
          },
        )
        .toBe(true);
      kills += isDead() ? 1 : 0;
      await worker.close();
      await query(`update mirror.backfills set lease_until = now() where lease_until > now()`);
    }
    expect(await states()).toEqual([
      { resource: 'Locations', state: 'done', rows: locations.length, detail: null },
      { resource: 'RFIs', state: 'done', rows: rfis.length, detail: null },
      { resource: 'RFI Replies', state: 'done', rows: rfis.length * replies.length, detail: null },
    ]);
    expect((await mirror.rows('locations')).length).toBe(locations.length);
    expect((await mirror.rows('rfis')).length).toBe(rfis.length);
    expect((await mirror.rows('rfi_replies')).length).toBe(rfis.length * replies.length);
    const pages = new Set(asked());
    expect(asked().length - pages.size).toBeLessThanOrEqual(kills);
    expect(kills).toBeGreaterThan(1);
  }
}, 120_000);

/** Answers, but the call that `isHeld` waits until it is let go. */
function holding(answer: ScriptedProcore['answer'], isHeld: (search: URLSearchParams) => boolean) {
  const [asked, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let isFirst = true;
  procore.answer = async (path, search) => {
    if (isFirst && isHeld(search)) {
      isFirst = false;
      asked.resolve();
      await release.promise;
    }
    return answer(path, search);
  };
  return { asked: asked.promise, release: release.resolve };
}

test('who lost a fill while a page was under way stores that page no more, and the other goes on before it', async () => {
  const held = holding(scriptLists({ '/locations': upTo(25) }), (search) => search.get('page') === '2');
  await request('Locations');
  const client = createProcoreClient({
    ...{ apiUrl: new URL(procore.url), token: procore.token, refuseToken: () => {}, sleep: async () => {} },
  });
  const slow = work('slow', { ...settings(), client }, 1); // as another process
  await held.asked;
  await query(`update mirror.backfills set lease_until = now()`);
  const other = work('other');
  await untilOver();
  held.release();
  await slow.close();
  await other.close();
  await client.close();
  expect(await states()).toEqual([{ resource: 'Locations', state: 'done', rows: 25, detail: null }]);
  expect(asked().map((call) => new URLSearchParams(call.split('?')[1]).get('page'))).toEqual([null, '2', '2', '3']);
  expect(await mirror.rows('locations')).toHaveLength(25);
});

test('a worker that is told to stop gives back what it has, which goes on at once', async () => {
  const held = holding(scriptLists({ '/locations': upTo(25) }), (search) => search.get('page') === '3');
  await request('Locations');
  const first = work('first');
  await held.asked;
  await first.close();
  held.release();
  expect(await query('select state, rows::int, calls::int, lease_until from mirror.backfills')).toEqual([
    { state: 'waiting', rows: 20, calls: 2, lease_until: null },
  ]);
  const second = work('second');
  await untilOver();
  await second.close();
  expect(await query('select rows::int, total::int, calls::int, place from mirror.backfills')).toEqual([
    { rows: 25, total: 25, calls: 3, place: null },
  ]);
});

test('whoever asks for what is under way joins it, and what is done begins anew only when its request is over', async () => {
  const held = holding(scriptLists({ '/locations': upTo(25), '/rfis': [1] }), (search) => search.get('page') === '2');
  const [first] = await request('Trades', 'Locations');
  await query(`update mirror.backfills set state = 'done', finished_at = now() where resource = 'Trades'`);
  const worker = work('worker');
  await held.asked;
  const requests = await request('Trades', 'Locations', 'RFIs');
  expect(requests).toHaveLength(2);
  expect(requests).toContain(first);
  expect(
    await query(
      'select resource, state, request = any($1) as joined, place is null as new from mirror.backfills order by 1'.replace(
        'any($1)',
        `'${first}'`,
      ),
    ),
  ).toEqual([
    { resource: 'Locations', state: 'running', joined: true, new: false },
    { resource: 'RFIs', state: 'waiting', joined: false, new: true },
    { resource: 'Trades', state: 'done', joined: true, new: true },
  ]);
  held.release();
  await untilOver();
  await worker.close();
  expect(asked().map((call) => call.split('/').at(-1))).toHaveLength(4);
  expect(await request('Trades', 'Locations')).not.toContain(first);
  expect(await query(`select count(*)::int as waiting from mirror.backfills where state = 'waiting'`)).toEqual([
    { waiting: 2 },
  ]);
});

test('of those that ask for the same at once each gets what is under way', async () => {
  for (let round = 1; round <= 10; round += 1) {
    await query('truncate mirror.backfills');
    const [one, other] = await Promise.all([request('Trades', 'Locations'), request('Locations', 'Trades')]);
    expect(one).toHaveLength(1);
    expect(other).toEqual(one);
  }
});

test('a fill of a part of a new project does not count for the rest of it', async () => {
  await query(`insert into mirror.selection (company_id, project_id, is_selected, selected_at) values
    (1, null, true, now() - interval '1 day'), (1, 7, true, now())`);
  await request('Locations');
  const resources = ['Locations', 'RFIs'].map((resource, position) => ({ resource, position }));
  expect(await requestNewProjects(mirror.database, { request: 'new', resources })).toBe(1);
});

test('who watches what was forgotten meanwhile hears that it is gone', async () => {
  const requests = await request('Locations');
  await query('truncate mirror.backfills');
  const display = { columns: () => null, live: () => {}, note: () => {} };
  const watch = { database: mirror.database, companyIds: ['1'], display, signal: AbortSignal.timeout(30_000) };
  expect(await watchFills({ ...watch, requests })).toMatchObject({ end: 'gone' });
});

test('in a scope one is filled after the other, parents first, whole lists before others', async () => {
  procore.answer = scriptLists({ '/locations': [1], '/rfis': [1], '/replies': [5], '/offices': [1] });
  const { catalogue } = mirror.settings;
  const scopes = [
    { ...project, resources: ['RFI Replies', 'RFIs', 'Locations'] },
    { companyId: '1', projectId: null, resources: ['Offices'] },
  ];
  await requestFills(mirror.database, { catalogue, scopes });
  await query(`update mirror.backfills set due_at = now() + interval '1 hour' where resource <> 'Offices'`);
  const worker = work('worker');
  await expect.poll(async () => (await states())[0]).toMatchObject({ resource: 'Offices', state: 'done' });
  await query(`update mirror.backfills set due_at = now()`);
  await untilOver();
  await worker.close();
  expect(asked().map((call) => call.split('?')[0]?.split('/').at(-1))).toEqual([
    ...['offices', 'locations', 'rfis', 'replies'],
  ]);
});

test('what Procore refuses fails with its reason, and the rest goes on', async () => {
  const answer = scriptLists({ '/locations': [1, 2] });
  procore.answer = (path, search) => (path.endsWith('/rfis') ? { status: 403 } : answer(path, search));
  await request('RFIs', 'Locations', 'Submittals');
  const worker = work('worker');
  await untilOver();
  await worker.close();
  expect(await states()).toMatchObject([
    { resource: 'Locations', state: 'done', rows: 2 },
    { resource: 'RFIs', state: 'failed', detail: expect.stringContaining('was answered 403') },
    { resource: 'Submittals', state: 'failed', detail: expect.stringContaining('was answered 404') },
  ]);
});

test('trouble that may pass stops a fill for a while, and it goes on where it was', async () => {
  const answer = scriptLists({ '/locations': upTo(25) });
  let isWell = false;
  procore.answer = (path, search) => {
    if (path.endsWith('/me')) return { body: { id: 5 } };
    return search.has('page') && !isWell ? { status: 502 } : answer(path, search);
  };
  await request('Locations');
  const worker = work('worker');
  await expect
    .poll(() => query(`select attempts from mirror.backfills where state = 'waiting' and due_at > now()`), {
      timeout: 10_000,
    })
    .toEqual([{ attempts: 1 }]);
  isWell = true;
  procore.calls = [];
  await query('update mirror.backfills set due_at = now()');
  await untilOver();
  await worker.close();
  expect(asked().every((call) => call.includes('page='))).toBe(true);
  expect(await states()).toMatchObject([{ state: 'done', rows: 25 }]);
});

test('a parked scope costs no call, and is filled when its probe is due', async () => {
  procore.answer = scriptLists({ '/locations': [1] });
  await query(
    `insert into mirror.scopes (company_id, reason, detail, probe_at) values (1, 'failing', 'it was down', now() + interval '1 hour')`,
  );
  await request('Locations');
  const worker = work('worker');
  const other = work('other');
  await query('select 1');
  expect(await states()).toMatchObject([{ state: 'waiting' }]);
  expect(asked()).toEqual([]);
  const answer = procore.answer;
  procore.answer = (path, search) => (path.endsWith('/me') ? { body: { id: 5 } } : answer(path, search));
  await query('update mirror.scopes set probe_at = now()');
  await untilOver();
  await worker.close();
  await other.close();
  expect(await query('select from mirror.scopes')).toEqual([]);
});

test('a project that is selected later than its company is filled by itself, once', async () => {
  procore.answer = scriptLists({ '/locations': [1] });
  await query(`insert into mirror.selection (company_id, project_id, is_selected, selected_at) values
    (1, null, true, now() - interval '1 day'), (1, 5, true, now() - interval '1 day'), (1, 7, true, now()),
    (1, 8, false, now()), (2, 9, true, now())`);
  const worker = startFillLoop({
    settings: settings(),
    holder: 'worker',
    resources: ['Locations', 'Trades'],
    log,
    canSignIn: async () => true,
    idleMs: 5,
  });
  await expect
    .poll(() => states(), { timeout: 10_000 })
    .toEqual([{ resource: 'Locations', state: 'done', rows: 1, detail: null }]);
  await worker.close();
  expect(await query('select project_id from mirror.backfills')).toEqual([{ project_id: '7' }]);
  const resources = [{ resource: 'Locations', position: 1 }];
  expect(await requestNewProjects(mirror.database, { request: 'again', resources })).toBe(0);
  await query(`update mirror.selection set selected_at = now() where project_id = 7`);
  expect(await requestNewProjects(mirror.database, { request: 'again', resources })).toBe(1);
});

test('that calls are used up is logged once, and that there are some again', async () => {
  const held = holding(scriptLists({ '/locations': upTo(25) }), (search) => search.get('page') === '2');
  const said: string[] = [];
  const info = (_keys: Record<string, unknown>, message: string) => void said.push(message);
  const hour = (remaining: number) =>
    query(`update mirror.budget set call_limit = 600, remaining = ${remaining}, reset_at = now() + interval '23 minutes'
      where window_name = 'hour'`);
  await request('Locations');
  const own = { settings: settings(), holder: 'worker', resources: null, log: { ...log, info } };
  const worker = startFillLoop({ ...own, canSignIn: async () => true, idleMs: 5, lookEveryMs: 10 });
  workers.push(worker);
  await held.asked;
  await hour(0);
  await expect.poll(() => said.length).toBe(1);
  await hour(600);
  await expect.poll(() => said.length).toBe(2);
  held.release();
  await untilOver();
  expect(said).toEqual([
    expect.stringMatching(/^backfills wait for calls: 0 of 600 calls left, next at \d\d:\d\d, about 23 min to go$/),
    'backfills have calls again, and go on',
    'filled a resource',
  ]);
  await query('update mirror.budget set call_limit = 1000000, remaining = 1000000');
});
