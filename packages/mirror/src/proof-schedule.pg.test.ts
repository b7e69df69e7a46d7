// The schedule of comparisons, with a Procore that a test scripts: which tables it has compared, in which order, and with how many calls.
import { findLackingFills, findOpenGaps, heedGaps } from '@procore-mirror/database';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { RUNGS } from './plan/next-proofs.ts';
import { type ProofScheduleOptions, startProofSchedule } from './proof-schedule.ts';
import { requestVerification } from './request-verification.ts';
import { realTime } from './run/clock.ts';
import { scriptLists } from './testing/script-lists.ts';
import { type ScriptedProcore, scriptProcore, startTestMirror, type TestMirror } from './testing/test-mirror.ts';
import { startVerifyLoop, type VerifyLoopOptions } from './verify-loop.ts';

const DAY_MS = 86_400_000;
const patience = { timeout: 30_000, interval: 20 };
const RESOURCES = ['Locations', 'RFIs', 'Submittals', 'Drawing Areas', 'Punch Items'];
/** The rungs between need more of a list than a count. */
const rungs = { ...RUNGS, cheap: 'count' } as const;
let procore: ScriptedProcore;
let mirror: TestMirror;
const loops: { close: () => Promise<void> }[] = [];
let warned: object[] = [];

const query = async (sql: string, values: unknown[] = []) => (await mirror.database.pool.query(sql, values)).rows;
const proved = async () =>
  (await query('select resource, rung from mirror.proofs order by as_of')).map(
    ({ resource, rung }) => `${resource} ${rung}`,
  );
const callsOf = (path: string) => procore.calls.filter((call) => call.includes(path));
const listCalls = () => procore.calls.filter((call) => call.includes('per_page=') && !call.includes('/tools'));

beforeAll(async () => {
  procore = await scriptProcore();
  mirror = await startTestMirror(procore);
});
afterEach(async () => {
  await Promise.all(loops.splice(0).map((loop) => loop.close()));
});
afterAll(() => mirror.close());
beforeEach(async () => {
  await mirror.clear();
  await query('truncate mirror.fetches, mirror.duties');
  await limit(1_000_000);
  warned = [];
  procore.calls = [];
  procore.answer = (path, search) => {
    if (path.endsWith('/tools')) return { body: [] };
    return scriptLists(
      Object.fromEntries(
        ['/locations', '/rfis', '/submittals', '/drawing_areas', '/punch_items'].map((end) => [end, [1, 2]]),
      ),
    )(path, search);
  };
});

const limit = (calls: number) =>
  query(`update mirror.budget set call_limit = $1, remaining = 1000000 where window_name = 'hour'`, [calls]);
const select = (projectId: string | null, fields = 'is_selected', value = true) =>
  query(
    `insert into mirror.selection (company_id, project_id, is_selected, ${fields === 'is_selected' ? 'is_active' : fields}) values (1, $1, true, $2)`,
    [projectId, value],
  );
/** The fill of these ended. */
const filled = async (projectId: string | null, resources: readonly string[], state = 'done') => {
  for (const resource of resources) {
    await query(
      `insert into mirror.backfills (company_id, project_id, resource, state, request, finished_at) values (1, $1, $2, $3, 'r', now())`,
      [projectId, resource, state],
    );
  }
};
const rows = (table: string, ids: readonly number[], projectId = 7) =>
  query(
    `insert into procore.${table} (company_id, project_id, id, _data, _version, _fetched_at)
      select 1, $2, id, jsonb_build_object('id', id, 'subject', 'subject ' || id), 1, now() from unnest($1::bigint[]) as i(id)`,
    [ids, projectId],
  );
/** Procore and the mirror have the same two records of each. */
async function wellFilled(): Promise<void> {
  await select(null);
  await select('7');
  await filled('7', RESOURCES);
  for (const table of ['locations', 'rfis', 'submittals', 'drawing_areas', 'punch_items']) await rows(table, [1, 2]);
}

function start(own: Partial<ProofScheduleOptions> & Partial<VerifyLoopOptions> = {}): void {
  const log = { info: () => {}, warn: (about: object) => void warned.push(about) };
  const { database, catalogue } = mirror.settings;
  const common = { holder: 'worker', everyMs: DAY_MS, log, ...own };
  const settings = { ...mirror.settings, pageSize: 10 };
  loops.push(
    startVerifyLoop({
      settings,
      canSignIn: async () => true,
      idleMs: 10,
      pausesMs: [0, 0],
      shareRestMs: 50,
      ...common,
    }),
  );
  if (common.everyMs > 0)
    loops.push(startProofSchedule({ database, catalogue, resources: null, rungs, lookEveryMs: 20, ...common }));
}
/** Two looks have begun since, so one of them has ended, and what it asked for is done. */
const settled = async () => {
  for (let looks = 0; looks < 2; looks += 1) {
    await query('delete from mirror.duties');
    await expect.poll(async () => (await query('select from mirror.duties')).length, patience).toBe(1);
  }
  const open = `select from mirror.comparisons where state in ('waiting', 'running') and due_at <= now() and lease_holder is distinct from 'another'`;
  await expect.poll(async () => (await query(open)).length, patience).toBe(0);
};

test('an idle mirror is proved table by table by the cheap rungs, then by whole lists, then rests until a day later, the longest unproved first', async () => {
  await wellFilled();
  start();
  await expect.poll(async () => (await proved()).length, patience).toBe(10);
  const first = await proved();
  expect(first.slice(0, 5).every((proof) => proof.endsWith(' count'))).toBe(true);
  expect(
    first
      .slice(0, 5)
      .map((proof) => proof.replace(' count', ''))
      .toSorted(),
  ).toEqual(RESOURCES.toSorted());
  expect(
    first
      .slice(5)
      .map((proof) => proof.replace(' listing', ''))
      .toSorted(),
  ).toEqual(RESOURCES.toSorted());
  expect(callsOf('/tools')).toHaveLength(1);
  await settled();
  expect(await proved()).toHaveLength(10);
  // At once, or a look could find some of them first.
  await query(`update mirror.comparisons c set next_cheap_at = now() - hours * interval '1 hour'
    from (values ('Submittals', 2), ('Punch Items', 3), ('Locations', 1)) v (resource, hours) where c.resource = v.resource`);
  await expect.poll(async () => (await proved()).length, patience).toBe(13);
  expect((await proved()).slice(10)).toEqual(['Punch Items count', 'Submittals count', 'Locations count']);
  expect(warned).toEqual([]);
});

test('what events missed is found by its numbers, then by its list, and repaired; somebody is told', async () => {
  await wellFilled();
  await query('delete from procore.rfis where id = 2');
  start();
  await expect
    .poll(async () => query('select resource, record_id, lane from mirror.pending'), patience)
    .toEqual([{ resource: 'RFIs', record_id: '2', lane: 'repair' }]);
  await expect.poll(async () => (await proved()).length, patience).toBe(10);
  expect((await proved()).filter((proof) => proof.startsWith('RFIs'))).toEqual(['RFIs count', 'RFIs listing']);
  expect(warned).toMatchObject([
    { resource: 'RFIs', rung: 'count', outcome: 'differs' },
    { resource: 'RFIs', rung: 'listing', missing: 1 },
  ]);
});

test.each([
  ['of the project', '7', null],
  ['of the project and one resource', '7', 'punch items'],
  ['of one resource, whatever the project', null, 'locations'],
] as const)(
  'after a gap %s what it touches is proved again: by its list, or by a fill where that alone does and it is small',
  async (_, projectId, resource) => {
    await wellFilled();
    await query(`update mirror.backfills set rows = 1001 where resource = 'Submittals'`);
    start();
    await expect.poll(async () => (await proved()).length, patience).toBe(10);
    await settled();
    await query(
      `insert into mirror.event_gaps (company_id, project_id, resource, since, until) values (1, $1, $2, '-infinity', now())`,
      [projectId, resource],
    );
    const open = async () => query('select from mirror.event_gaps where heeded_at is null');
    await expect.poll(open, patience).toEqual([]);
    const touched = RESOURCES.filter((name) => resource === null || name.toLowerCase() === resource);
    const isFilled = (name: string) => ['RFIs', 'Punch Items'].includes(name);
    const fills = await query(`select resource from mirror.backfills where state = 'waiting' order by 1`);
    expect(fills.map((fill) => fill.resource)).toEqual(touched.filter(isFilled).toSorted());
    // While a fill of the project is under way nothing of it is compared.
    await query(`update mirror.backfills set state = 'done' where state = 'waiting'`);
    await query(
      `update mirror.comparisons set next_listing_at = now() where next_listing_at < now() + interval '2 hours'`,
    );
    const listed = touched.filter((name) => !isFilled(name)).map((name) => `${name} listing`);
    await expect.poll(async () => (await proved()).slice(10).toSorted(), patience).toEqual(listed.toSorted());
    await settled();
    expect(await proved()).toHaveLength(10 + listed.length);
  },
);

test('a gap of what comes inside others has their lists compared', async () => {
  await wellFilled();
  await query('delete from mirror.comparisons');
  await query(
    `insert into mirror.event_gaps (company_id, project_id, resource, since, until) values (1, 7, 'rfi replies', '-infinity', now())`,
  );
  const until = await findOpenGaps(mirror.database.pool, '1');
  const shownBy = [{ resource: 'RFI Replies', parent: 'Locations' }];
  const gaps = { companyId: '1', until: until ?? '', shownBy };
  const lacking = await findLackingFills(mirror.database.pool, { ...gaps, resources: RESOURCES, mostRecords: 1_000 });
  expect(lacking.map(({ resource }) => resource)).toEqual(['Locations']);
  await heedGaps(mirror.database.pool, { ...gaps, resources: RESOURCES });
  expect(await query('select resource from mirror.comparisons where differs_since is not null')).toEqual([
    { resource: 'Locations' },
  ]);
});

test('whole lists have their turn, too, where what is cheap is due all the time', { timeout: 120_000 }, async () => {
  await wellFilled();
  start({ everyMs: 10 });
  const listed = async () => new Set((await proved()).filter((proof) => proof.endsWith(' listing'))).size;
  await expect.poll(listed, { ...patience, timeout: 100_000 }).toBe(RESOURCES.length);
});

test('what differs keeps its turn until its whole list is equal, whatever proves nothing meanwhile', async () => {
  await wellFilled();
  await query('delete from procore.rfis where id = 2');
  const well = procore.answer;
  let total = 3;
  procore.answer = async (path, search) => {
    const answer = await well(path, search);
    const isCut = path.endsWith('/rfis') && search.get('per_page') !== '1';
    return isCut ? { ...answer, headers: { total: String(total++) } } : answer;
  };
  start();
  const state = async () =>
    (
      await query(`select outcome, rung, differs_since is not null as differs, next_listing_at < now() + interval '2 days' as soon
      from mirror.comparisons where resource = 'RFIs'`)
    )[0];
  await expect.poll(state, patience).toEqual({ outcome: 'differs', rung: 'listing', differs: true, soon: true });
  // What was missing came back, and the list proves nothing.
  await rows('rfis', [2]);
  await query(`delete from mirror.pending`);
  await query(`update mirror.comparisons set next_listing_at = now() - interval '1 ms' where resource = 'RFIs'`);
  await expect.poll(state, patience).toEqual({ outcome: 'not proved', rung: 'listing', differs: true, soon: true });
  procore.answer = well;
  await query(`update mirror.comparisons set next_listing_at = now() - interval '1 ms' where resource = 'RFIs'`);
  await expect.poll(state, patience).toEqual({ outcome: 'equal', rung: 'listing', differs: false, soon: false });
});

test('it stops at its share of the calls, and goes on there when there are calls again', async () => {
  await wellFilled();
  await limit(40);
  // Calls that nobody enters stay counted while no time passes.
  const clock = { ...realTime, now: () => 0 };
  start({ clock, shareRestMs: 1_000, settings: { ...mirror.settings, pageSize: 10, clock } });
  await expect.poll(() => listCalls().length + callsOf('/tools').length, patience).toBe(4);
  await settled();
  expect(procore.calls).toHaveLength(4);
  const before = await proved();
  await limit(1_000_000);
  await expect.poll(async () => (await proved()).length, patience).toBe(10);
  expect((await proved()).slice(0, before.length)).toEqual(before);
});

test('what a person asks for goes on at once while the share is used up, and while the schedule has the scope in hand', async () => {
  await wellFilled();
  await limit(100);
  await query(
    `insert into mirror.fetches (called_at, company_id, lane, route, status, ms)
      select now() - interval '30 minutes', 1, 'verify', 'GET /x', 200, 1 from generate_series(1, 10)`,
  );
  await query(
    `insert into mirror.comparisons (company_id, project_id, resource, rung, state, started_at, lease_holder, lease_until)
      values (1, 7, 'Locations', 'count', 'running', now(), 'another', now() + interval '1 hour')`,
  );
  start();
  await settled();
  expect(procore.calls).toEqual([]);
  const task = { rung: 'listing', sample: null, repairs: false, buriesAll: false } as const;
  await requestVerification(mirror.database, {
    ...{ catalogue: mirror.settings.catalogue, task },
    scopes: [{ companyId: '1', projectId: '7', resources: ['RFIs', 'Submittals'] }],
  });
  await expect.poll(async () => proved(), patience).toEqual(['RFIs listing', 'Submittals listing']);
});

test.each<[string, () => Promise<unknown>]>([
  ['is being filled', () => query(`update mirror.backfills set state = 'running' where resource = 'RFIs'`)],
  ['was never filled', () => query('delete from mirror.backfills')],
  ['is not selected', () => query('update mirror.selection set is_selected = false where project_id = 7')],
  ['is not active', () => query('update mirror.selection set is_active = false where project_id = 7')],
  [
    'is parked',
    () =>
      query(
        `insert into mirror.scopes (company_id, project_id, reason, probe_at) values (1, 7, 'refused', now() + interval '1 hour')`,
      ),
  ],
  [
    'lies in a company that is parked',
    () =>
      query(
        `insert into mirror.scopes (company_id, reason, probe_at) values (1, 'refused', now() + interval '1 hour')`,
      ),
  ],
])('a scope that %s costs no call, and is compared when it is otherwise', async (_, make) => {
  await wellFilled();
  await make();
  start({ everyMs: 2_000 });
  await settled();
  expect(procore.calls).toEqual([]);
  await query('delete from mirror.scopes');
  await query(`update mirror.selection set is_selected = true, is_active = true`);
  await query('delete from mirror.backfills');
  await filled('7', RESOURCES);
  await expect.poll(async () => new Set(await proved()).size, patience).toBe(10);
});

test('of a tool that is off nothing is asked but, once for the project, whether it is', async () => {
  await wellFilled();
  procore.answer = (path) =>
    path.endsWith('/tools')
      ? { body: [{ engine_name: 'rfi', title: 'RFIs', is_active: false }] }
      : { body: [], headers: { total: '0' } };
  await query(`update mirror.backfills set state = 'off' where resource <> 'RFIs'`);
  start();
  await expect
    .poll(async () => query('select resource, state from mirror.comparisons'), patience)
    .toEqual([{ resource: 'RFIs', state: 'off' }]);
  await settled();
  expect(procore.calls).toHaveLength(1);
});

test('what a person is told of stays theirs until all that they asked for is over, and a moment longer', async () => {
  await wellFilled();
  await query(`insert into mirror.comparisons (company_id, project_id, resource, rung, state, outcome, request, finished_at, due_at) values
    (1, 7, 'RFIs', 'listing', 'done', 'differs', 'r', now() - interval '2 minutes', now()),
    (1, 7, 'Submittals', 'listing', 'waiting', null, 'r', null, now() + interval '1 hour'),
    (1, 7, 'Locations', 'listing', 'done', 'differs', 'just over', now(), now())`);
  start();
  await settled();
  expect((await proved()).filter((proof) => /RFIs|Locations/.test(proof))).toEqual([]);
  await query(
    `update mirror.comparisons set state = 'done', finished_at = now() - interval '2 minutes' where request is not null`,
  );
  await query(`update mirror.comparisons set next_cheap_at = now(), next_listing_at = now() where request is not null`);
  await expect
    .poll(async () => new Set((await proved()).map((proof) => proof.split(' ')[0])).size, patience)
    .toBe(RESOURCES.length);
});

test('VERIFY_EVERY_MS = 0: nothing is compared by itself, not even what an earlier schedule left', async () => {
  await wellFilled();
  await query(
    `insert into mirror.comparisons (company_id, project_id, resource, rung, state) values (1, 7, 'RFIs', 'count', 'waiting')`,
  );
  start({ everyMs: 0 });
  const task = { rung: 'count', sample: null, repairs: false, buriesAll: false } as const;
  await requestVerification(mirror.database, {
    ...{ catalogue: mirror.settings.catalogue, task },
    scopes: [{ companyId: '1', projectId: '7', resources: ['Locations'] }],
  });
  await expect.poll(proved, patience).toEqual(['Locations count']);
  expect(await query(`select state from mirror.comparisons where resource = 'RFIs'`)).toEqual([{ state: 'waiting' }]);
});
