// `mirror explain`, `events list|show` and `scopes list|probe` beside a worker that is this test, in front of the simulator. Each reason is brought
// about; packages/mirror/src/judge has those that would take days.
import { openProcore } from '@procore-mirror/calls';
import { catalogue } from '@procore-mirror/catalogue';
import { type Database, noteWorker, noteWorkerStopped, openDatabase } from '@procore-mirror/database';
import {
  createNeighbours,
  type FetchSettings,
  recordDelivery,
  startFetchLoop,
  startFillLoop,
  startHookLoop,
  startVerifyLoop,
  usualPace,
} from '@procore-mirror/mirror';
import { type AppProcess, createTestDatabase, startApp, type TestDatabase } from '@procore-mirror/testing';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { runMirror } from './testing/run-mirror.ts';

const companyId = '598134325683880';
const patience = { timeout: 120_000, interval: 50 };
const resources = ['RFIs', 'Locations', 'Submittals', 'Company Users', 'RFI Replies'];
let testDatabase: TestDatabase;
let database: Database;
let simulator: AppProcess;
let url: string;
let settings: FetchSettings;
let stopWorker = async () => {};
let project = '';
let otherProject = '';
const query = async (sql: string, values: unknown[] = []) => (await database.pool.query(sql, values)).rows;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  const limits = JSON.stringify({ callsPerHour: null, callsPerTenSeconds: null });
  simulator = startApp('simulator', { SIMULATOR_PORT: '0', SIMULATOR_PROJECTS: '2', SIMULATOR_SETTINGS: limits });
  url = String((await simulator.line('url')).url);
  expect(await mirror(['migrate'])).toMatchObject({ code: 0 });
  database = openDatabase({ url: testDatabase.url, applicationName: 'test' });
  expect(await mirror(['hooks', 'apply'])).toMatchObject({ code: 0 });
  stopWorker = await startWorker();
  for (const resource of ['Locations', 'RFIs', 'Submittals'])
    await edit(Array.from({ length: 12 }, () => ({ resource, action: 'create', silent: true })));
  expect(await mirror(['backfill'])).toMatchObject({ code: 0 });
  await untilQuiet();
  const rows = await query(`select project_id::text as id from procore.rfis group by 1 order by count(*) desc, 1`);
  [project, otherProject] = rows.map(({ id }) => id);
}, 120_000);
afterAll(async () => {
  await stopWorker();
  await simulator.end('SIGTERM');
  await database.close();
  await testDatabase.drop();
});

const environment = () => ({
  DATABASE_URL: testDatabase.url,
  ...{ PROCORE_LOGIN_URL: url, PROCORE_API_URL: url },
  ...{ PROCORE_CLIENT_ID: 'simulator', PROCORE_CLIENT_SECRET: 'simulator-secret', PROCORE_COMPANY_IDS: companyId },
  MIRROR_RESOURCES: resources.join(','),
  ...{ WEBHOOK_URL: 'https://mirror.example.com/webhooks/procore', WEBHOOK_AUTHORIZATION: 'Bearer of-the-test-only' },
});

const mirror = (args: string[], env: Record<string, string> = {}) => runMirror(args, { ...environment(), ...env });

/** A worker that fills, fetches and compares, and that probes what is parked only when it is asked to. */
async function startWorker(): Promise<() => Promise<void>> {
  const address = new URL(url);
  const procore = openProcore({
    account: {
      ...{ loginUrl: address, apiUrl: address },
      credentials: () => ({ clientId: 'simulator', clientSecret: 'simulator-secret' }),
    },
    ...{ database, holder: 'worker', onSecret: () => {}, onTrouble: () => {} },
  });
  settings = {
    ...{ database, client: procore.client, catalogue, delayMs: 0, ...usualPace, random: Math.random },
    ...{ neighbours: createNeighbours(), absencePauseMs: 10, retryDeadLettersAfterMs: [3_600_000] },
    parking: { firstPauseMs: 3_600_000, longestPauseMs: 7_200_000 },
  };
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  await noteWorker(database, 'worker');
  const heartbeat = setInterval(() => void noteWorker(database, 'worker'), 1_000);
  const common = { settings, holder: 'worker', log, canSignIn: async () => true };
  const hooks = {
    ...{ database, client: procore.client, catalogue, resources, companyIds: [companyId], projects: 'active' as const },
    ...{
      namespace: 'other',
      destinationUrl: null,
      secrets: () => new Map(),
      everyMs: 3_600_000,
      holder: 'worker',
      log,
    },
    ...{ onLook: () => {}, onProjects: () => {}, lookEveryMs: 200 },
  };
  const loops = [
    startFillLoop({ ...common, resources, idleMs: 20 }),
    startFetchLoop({ ...common, concurrency: 8, onReport: () => {} }),
    startVerifyLoop({ ...common, everyMs: 0, idleMs: 20 }),
    startHookLoop(hooks),
  ];
  return async () => {
    clearInterval(heartbeat);
    for (const loop of loops) await loop.close();
    await procore.close();
    await noteWorkerStopped(database, 'worker');
  };
}

async function control<T>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await fetch(`${url}/control/${path}`, {
    ...{ method, headers: { 'content-type': 'application/json' } },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(await answer.text());
  return JSON.parse(await answer.text());
}
const edit = async (edits: unknown[]) =>
  (await control<{ records: { id: string }[] }>('POST', 'edits', { edits })).records.map(({ id }) => id);
const create = async (resource: string, projectId = project) =>
  (await edit([{ resource, companyId, projectId, action: 'create', silent: true }]))[0] ?? '';
/** Nothing waits any more. */
const untilQuiet = () =>
  vi.waitFor(async () => expect(await query('select from mirror.pending limit 1')).toEqual([]), patience);

let events = 0;
type Told = { id: string; resource?: string; kind?: string; projectId?: string; selection?: typeof resources };
/** An event comes; returns its id. */
async function tell({ id, resource = 'RFIs', kind = 'update', projectId = project, selection = resources }: Told) {
  events += 1;
  const event = {
    ...{ id: `EVENT-${events}`, timestamp: new Date().toISOString(), reason: kind, company_id: companyId },
    ...{ project_id: projectId, resource_type: resource, resource_id: id },
  };
  const recording = { ...settings, selection: { companyIds: null, resources: selection } };
  await recordDelivery(recording, { body: Buffer.from(JSON.stringify(event)), receivedAt: new Date() });
  return event.id;
}
/** One whose row is there, and of which nothing waits. */
async function fetchedBefore(): Promise<string> {
  const [row] = await query(
    `select id::text as id from procore.rfis r where project_id = $1 and _deleted_at is null and _hidden_at is null and _complete
      and not exists (select from mirror.pending p where p.record_id = r.id::text) and id::text not in (select record_id from mirror.dead_letters
      where record_id is not null) limit 1`,
    [project],
  );
  return row?.id ?? '';
}
/** The record of an event that is fetched. */
async function fetched(resource = 'RFIs'): Promise<string> {
  const id = await create(resource);
  await tell({ id, resource });
  await untilQuiet();
  return id;
}

const moment = z.iso.datetime({ offset: true });
const orNull = <T extends z.ZodType>(type: T) => type.nullable();
const reasonCode = z.string().regex(/^[a-z]+(-[a-z]+)*$/);
const row = z.strictObject({
  ...{ project_id: orNull(z.string()), version: z.string().regex(/^\d+$/), fetched_at: orNull(moment) },
  ...{ changed_at: orNull(moment), is_complete: z.boolean(), was_seen: z.boolean(), deleted_at: orNull(moment) },
  ...{ hidden_at: orNull(moment), event_id: orNull(z.string()), event_received_at: orNull(moment) },
});
const parkedScope = z.strictObject({
  ...{ company_id: orNull(z.string()), project_id: orNull(z.string()), resource: orNull(z.string()) },
  ...{ reason: z.string(), detail: orNull(z.string()), parked_at: moment, probe_at: moment },
});
const listedScope = parkedScope.extend({
  ...{ probes: z.number(), pending: z.number(), fills: z.number(), waiting_since: orNull(moment) },
});
const proof = z.strictObject({
  ...{ rung: z.string(), outcome: z.string(), proved_at: moment, as_of: moment, detail: orNull(z.string()) },
});
const became = {
  outcome: z.enum(['pending', 'superseded', 'fetched', 'buried', 'hidden', 'given up', 'ignored', 'gone']),
  ...{ reason: orNull(z.string()), superseded_by: orNull(z.string()), due_at: orNull(moment) },
  ...{ attempts: orNull(z.number()), last_error: orNull(z.string()), version: orNull(z.string()) },
  ...{ fetched_at: orNull(moment), dead_letter: orNull(z.string()) },
};
const story = z.strictObject({
  ...{ company_id: z.string(), project_id: orNull(z.string()), verdict: z.enum(['fine', 'healing', 'needs you']) },
  ...{
    reason: reasonCode,
    message: z.string().min(20),
    fix: orNull(z.string()),
    row: orNull(row),
    elsewhere: orNull(row),
  },
  pending: orNull(
    z.strictObject({
      ...{
        lane: z.string(),
        event_id: orNull(z.string()),
        first_seen_at: moment,
        last_seen_at: moment,
        due_at: moment,
      },
      ...{ is_in_hand: z.boolean(), attempts: z.number(), last_error: orNull(z.string()), delete_seen: z.boolean() },
      absent_at: orNull(moment),
    }),
  ),
  dead_letter: orNull(
    z.strictObject({
      ...{
        id: z.string(),
        reason: z.string(),
        detail: orNull(z.string()),
        attempts: z.number(),
        first_seen_at: moment,
      },
      ...{ last_seen_at: moment, next_try_at: orNull(moment), event_id: orNull(z.string()) },
    }),
  ),
  hook: orNull(
    z.strictObject({
      ...{ hook_id: orNull(z.string()), status: orNull(z.string()), finding: orNull(z.string()) },
      ...{
        looked_at: orNull(moment),
        good_until: orNull(moment),
        carries: orNull(z.boolean()),
        is_offered: z.boolean(),
      },
      ...{ refused: z.array(z.string()), log_from: orNull(moment), log_until: orNull(moment) },
      undelivered_read_at: orNull(moment),
    }),
  ),
  fill: orNull(
    z.strictObject({
      ...{ resource: z.string(), state: z.string(), rows: z.number(), total: orNull(z.number()), requested_at: moment },
      ...{ finished_at: orNull(moment), detail: orNull(z.string()), complete_since: orNull(moment) },
    }),
  ),
  ...{ proof: orNull(proof), listing: orNull(proof), parked: z.array(parkedScope) },
  difference: orNull(z.strictObject({ kind: z.string(), fields: orNull(z.array(z.string())), found_at: moment })),
  company: orNull(z.strictObject({ is_selected: z.boolean(), left_at: orNull(moment), seen_at: orNull(moment) })),
  project: orNull(
    z.strictObject({
      ...{ name: orNull(z.string()), is_selected: z.boolean(), is_active: z.boolean(), left_at: orNull(moment) },
      ...{ seen_at: orNull(moment), forgotten_at: orNull(moment) },
    }),
  ),
  absences: z.array(z.strictObject({ noted_at: moment, look_at: orNull(moment), looks: z.number() })),
  gaps: z.array(z.strictObject({ since: orNull(moment), until: moment })),
  undelivered: orNull(z.strictObject({ count: z.number(), oldest_at: orNull(moment), asked_at: moment })),
  unread_bodies: z.array(
    z.strictObject({
      ...{ id: z.string(), reason: z.string(), detail: orNull(z.string()), first_seen_at: moment },
      company_id: orNull(z.string()),
    }),
  ),
  projects: z.array(z.strictObject({ project_id: z.string(), reason: reasonCode })),
  events: z.array(
    z.strictObject({
      ...{ id: z.string(), project_id: orNull(z.string()), kind: z.string(), occurred_at: moment, received_at: moment },
      ...{ via: z.string(), deliveries: z.number(), ...became },
    }),
  ),
  fetches: z.array(
    z.strictObject({
      ...{ called_at: moment, lane: orNull(z.string()), route: z.string(), status: orNull(z.number()) },
      records: orNull(z.number()),
    }),
  ),
});
const explained = z.strictObject({
  ...{ resource: z.string(), id: z.string(), is_cut_off: z.boolean(), stories: z.array(story).min(1) },
});

/** Both forms of the answer agree, and have the shape that is promised. */
async function explain(args: string[], env: Record<string, string> = {}) {
  const [asJson, inWords] = await Promise.all([
    mirror(['explain', ...args, '--json'], env),
    mirror(['explain', ...args], env),
  ]);
  expect({ ...asJson, stdout: '' }).toEqual({ ...inWords, stdout: '' });
  const { stories } = explained.parse(JSON.parse(asJson.stdout));
  const [first] = stories;
  if (first === undefined) throw new Error('there is a story');
  expect(inWords.stdout).toMatch(new RegExp(`^(Fine|Healing by itself|Needs you) \\(${first.reason}\\): .*\\.$`, 'm'));
  expect(inWords.stdout.split('\n').length).toBeLessThan(26 * stories.length);
  return { code: inWords.code, stories, words: inWords.stdout, ...first };
}

type Case = { args: string[]; env?: Record<string, string>; undo?: () => Promise<unknown> };
/** How it is brought about; what is said of it. */
const cases: [reason: string, verdict: string, arrange: () => Promise<Case>][] = [
  ['up-to-date', 'fine', async () => ({ args: ['RFIs', await fetched()] })],
  ['up-to-date', 'fine', async () => ({ args: ['rfis', await fetched(), '--project', project] })],
  [
    'deleted',
    'fine',
    async () => {
      const id = await fetched();
      await edit([{ resource: 'RFIs', companyId, projectId: project, id, action: 'delete', silent: true }]);
      await tell({ id, kind: 'delete' });
      await untilQuiet();
      return { args: ['RFIs', id] };
    },
  ],
  [
    'hidden',
    'healing',
    async () => {
      const id = await fetched();
      await edit([{ resource: 'RFIs', companyId, projectId: project, id, action: 'delete', silent: true }]);
      await tell({ id });
      await untilQuiet();
      return { args: ['RFIs', id] };
    },
  ],
  ['not-at-procore', 'fine', async () => ({ args: ['RFIs', '424242', '--project', project] })],
  ['not-at-procore', 'fine', async () => ({ args: ['RFIs', '424242'] })],
  // No list shows all people.
  ['never-told', 'needs you', async () => ({ args: ['Company Users', '424242'] })],
  [
    'differs',
    'needs you',
    async () => {
      const id = await create('RFIs');
      await mirror(['verify', '--full', '--resource', 'RFIs']);
      return { args: ['RFIs', id], undo: () => mirror(['verify', '--full', '--repair', '--resource', 'RFIs']) };
    },
  ],
  [
    'pending',
    'healing',
    async () => {
      const id = await create('RFIs');
      const due = settings.delayMs;
      settings.delayMs = 60_000;
      await tell({ id });
      settings.delayMs = due;
      const undo = () =>
        query('update mirror.pending set ready_at = now()').then(() =>
          query('update mirror.batches set due_at = now() where due_at is not null'),
        );
      return { args: ['RFIs', id], undo };
    },
  ],
  [
    'fetch-fails',
    'healing',
    async () => {
      const id = await create('RFIs');
      await control('PUT', 'faults', [{ resource: 'RFIs', recordId: id, status: 500 }]);
      await tell({ id });
      await vi.waitFor(async () => {
        expect(await query('select from mirror.pending where record_id = $1 and attempts > 0', [id])).toHaveLength(1);
      }, patience);
      return { args: ['RFIs', id], undo: () => control('PUT', 'faults', []) };
    },
  ],
  [
    'dead-letter',
    'healing',
    async () => {
      const id = await create('RFIs');
      await control('PUT', 'faults', [{ resource: 'RFIs', recordId: id, status: 422 }]);
      await tell({ id });
      await vi.waitFor(async () => {
        await query('update mirror.pending set ready_at = now()');
        await query('update mirror.batches set due_at = now() where due_at is not null');
        expect(await query('select from mirror.dead_letters where record_id = $1', [id])).toHaveLength(1);
      }, patience);
      const undo = () => control('PUT', 'faults', []);
      return { args: ['RFIs', id], undo };
    },
  ],
  [
    'body-not-read',
    'needs you',
    async () => {
      await tell({ id: '777', projectId: '' });
      const bodies = await query(`select record_id from mirror.dead_letters where kind = 'delivery'`);
      expect(bodies).toEqual([{ record_id: '777' }]);
      return { args: ['RFIs', '777', '--project', project], undo: () => mirror(['dead-letters', 'discard', '--all']) };
    },
  ],
  [
    'event-ignored',
    'needs you',
    async () => {
      const id = await create('RFIs');
      await tell({ id, selection: [] });
      return { args: ['RFIs', id] };
    },
  ],
  [
    'news-without-row',
    'needs you',
    async () => {
      const id = await fetched();
      await query('delete from procore.rfis where id = $1', [id]);
      return { args: ['RFIs', id] };
    },
  ],
  ['moved', 'fine', async () => ({ args: ['RFIs', await movedAway(), '--project', project] })],
  ['resource-not-selected', 'fine', async () => ({ args: ['Tasks', '1'] })],
  [
    'resource-not-selected',
    'fine',
    async () => ({ args: ['RFIs', await fetched()], env: { MIRROR_RESOURCES: 'Locations' } }),
  ],
  [
    'resource-unknown',
    'fine',
    async () => {
      await tell({ id: '5', resource: 'Teapots' });
      return { args: ['Teapots', '5'] };
    },
  ],
  ['resource-not-read', 'fine', async () => ({ args: [unread(), '5'], env: { MIRROR_RESOURCES: unread() } })],
  [
    'company-not-selected',
    'fine',
    async () => ({ args: ['Company Users', '1', '--company', '77'], ...(await aStray('77')) }),
  ],
  [
    'project-unknown',
    'needs you',
    async () => ({ args: ['RFIs', '41', '--project', '99'], ...(await aStray(companyId, '99')) }),
  ],
  [
    'project-not-selected',
    'fine',
    async () => {
      await query('update mirror.selection set is_selected = false, left_at = now() where project_id = $1', [
        otherProject,
      ]);
      const undo = () => query('update mirror.selection set is_selected = true, left_at = null');
      return { args: ['RFIs', '41', '--project', otherProject], undo };
    },
  ],
  [
    'never-filled',
    'needs you',
    async () => {
      await query(`create table kept as table mirror.backfills`);
      await query(`delete from mirror.backfills where resource = 'RFIs' and project_id = $1`, [project]);
      return { args: ['RFIs', '41'], undo: backToKept };
    },
  ],
  [
    'fill-failed',
    'needs you',
    async () => {
      await query(`create table kept as table mirror.backfills`);
      await query(
        `update mirror.backfills set state = 'failed', detail = 'HTTP 403' where resource = 'RFIs' and project_id = $1`,
        [project],
      );
      return { args: ['RFIs', '41', '--project', project], undo: backToKept };
    },
  ],
  [
    'tool-off',
    'fine',
    async () => {
      await query(`create table kept as table mirror.backfills`);
      await query(`update mirror.backfills set state = 'off', finished_at = now() where resource = 'RFIs'`);
      return { args: ['RFIs', '41', '--project', project], undo: backToKept };
    },
  ],
  [
    'hook-disabled',
    'needs you',
    async () => {
      await query(`update mirror.hooks set status = 'disabled' where project_id = $1`, [project]);
      return { args: ['RFIs', '41', '--project', project], undo: () => mirror(['hooks', 'apply']) };
    },
  ],
  [
    'hook-missing',
    'needs you',
    async () => {
      await query('create table kept_hooks as table mirror.hooks');
      await query('delete from mirror.hooks where project_id = $1', [project]);
      return { args: ['RFIs', '41', '--project', project], undo: hooksBack };
    },
  ],
  [
    'trigger-missing',
    'needs you',
    async () => {
      await query('create table kept_hooks as table mirror.hooks');
      await query(`update mirror.hooks set refused = '{RFIs update}' where project_id = $1`, [project]);
      return { args: ['RFIs', '41', '--project', project], undo: hooksBack };
    },
  ],
  [
    'undelivered',
    'needs you',
    async () => {
      await query(`insert into mirror.undelivered values ($1, now(), 12, now() - interval '7 hours', 6)`, [companyId]);
      return { args: ['RFIs', '41', '--project', project], undo: () => query('delete from mirror.undelivered') };
    },
  ],
  [
    'receiver-down',
    'needs you',
    async () => {
      await query(`insert into mirror.receivers (id, host, pid, version, started_at, reported_at, stopped_at, report)
        values ('1', 'h', 1, '1', now() - interval '1 hour', now() - interval '5 min', now() - interval '5 min', '{}')`);
      return { args: ['RFIs', await fetched()], undo: () => query('delete from mirror.receivers') };
    },
  ],
  [
    'mirror-was-down',
    'healing',
    async () => {
      const id = await fetched();
      await query(`insert into mirror.receivers (id, host, pid, version, started_at, reported_at, report)
        values ('1', 'h', 1, '1', now(), now(), '{}')`);
      await query(
        `insert into mirror.receiver_gaps (receiver, kind, since, until) values ('1', 'down', now() - interval '1 day', now())`,
      );
      await query(`update mirror.receivers set started_at = now() + interval '1 ms'`);
      const undo = () => query('delete from mirror.receivers').then(() => query('delete from mirror.receiver_gaps'));
      return { args: ['RFIs', id], undo };
    },
  ],
  [
    'events-not-sent',
    'healing',
    async () => {
      const gap = `insert into mirror.event_gaps (company_id, project_id, since, until) values ($1, $2, '-infinity', now())`;
      await query(gap, [companyId, project]);
      return { args: ['RFIs', '41', '--project', project], undo: () => query('delete from mirror.event_gaps') };
    },
  ],
];

const unread = () =>
  catalogue.entries.find(({ table, scope }) => table === null && scope === 'project')?.resource ?? '';
async function backToKept() {
  await query('truncate mirror.backfills');
  await query('insert into mirror.backfills select * from kept');
  await query('drop table kept');
}
async function hooksBack() {
  await query('truncate mirror.hooks');
  await query('insert into mirror.hooks select * from kept_hooks');
  await query('drop table kept_hooks');
}
/** Something makes a company or project known that is not among those that are mirrored. */
async function aStray(company: string, projectId: string | null = null): Promise<Pick<Case, 'undo'>> {
  await query(`insert into mirror.batches (company_id, project_id, resource) values ($1, $2, 'RFIs')`, [
    company,
    projectId,
  ]);
  return { undo: () => query('delete from mirror.batches where company_id = 77 or project_id = 99') };
}
/** A record that was in the first project when an event told of it. */
async function movedAway(): Promise<string> {
  const id = await fetched();
  await query('update procore.rfis set project_id = $2 where id = $1', [id, otherProject]);
  return id;
}

describe('explain', () => {
  test.each(cases)(
    '%s (%s)',
    async (reason, verdict, arrange) => {
      const { args, env, undo } = await arrange();
      try {
        const told = await explain(args, env);
        expect({ reason: told.reason, verdict: told.verdict, message: told.message }).toEqual({
          reason,
          verdict,
          message: told.message,
        });
        expect(told.code).toBe(verdict === 'fine' ? 0 : 1);
        if (verdict === 'needs you') expect(told.words).toMatch(/\nTo do: .*\.$/m);
      } finally {
        await undo?.();
        await untilQuiet();
      }
    },
    240_000,
  );

  test('the events of a record, its requests and its row stand by their time', async () => {
    const id = await fetched();
    const second = await tell({ id });
    await untilQuiet();
    // Calls are entered every few seconds.
    await vi.waitFor(async () => {
      expect((await explain(['RFIs', id])).fetches[0]).toMatchObject({ status: 200, lane: 'live' });
    }, patience);
    const { events: told, row: found, words } = await explain(['RFIs', id]);
    expect(told.map(({ id: event, outcome, superseded_by: by }) => [event, outcome, by])).toEqual([
      [second, 'fetched', null],
      [expect.any(String), 'superseded', second],
    ]);
    expect(told.map(({ version }) => version)).toEqual([found?.version, found?.version]);
    expect(words).toMatch(
      /^ {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC {2}event EVENT-\d+: update; superseded by EVENT-\d+: row version \d+/m,
    );
    const moments = words.split('\n').flatMap((line) => /^ {2}(\d{4}.{15}) UTC/.exec(line)?.[1] ?? []);
    expect(moments.length).toBeGreaterThan(5);
    expect(moments).toEqual(moments.toSorted());
  });

  test('an id of several companies and projects has a story for each, up to ten; --company and --project choose', async () => {
    const id = await fetched();
    const wait = (company: string, projects: string) =>
      query(
        `insert into mirror.pending (company_id, project_id, resource, record_id, ready_at)
          select $1, project::bigint, 'RFIs', $2, now() + interval '1 hour' from unnest($3::text[]) as project`,
        [company, id, projects.split(',')],
      );
    await wait(companyId, otherProject);
    await wait('77', '5');
    await aStray('77', '5');
    const { stories } = await explain(['RFIs', id], { PROCORE_COMPANY_IDS: `${companyId},77` });
    expect(stories.map((one) => [one.company_id, one.project_id]).toSorted()).toEqual(
      [
        ['77', '5'],
        [companyId, project],
        [companyId, otherProject],
      ].toSorted(),
    );
    expect((await explain(['RFIs', id, '--project', project])).stories).toHaveLength(1);
    expect((await explain(['RFIs', id, '--company', companyId])).stories).toHaveLength(2);
    await wait(companyId, '11,12,13,14,15,16,17,18,19');
    const many = await mirror(['explain', 'RFIs', id, '--json']);
    expect(JSON.parse(many.stdout)).toMatchObject({ is_cut_off: true, stories: { length: 10 } });
    expect(many.stderr).toBe('There are more; choose with --company and --project.\n');
    await query(`delete from mirror.pending where record_id = $1`, [id]);
    await query('delete from mirror.batches where company_id = 77');
  });

  test('without a worker what waits needs somebody to start one', async () => {
    await stopWorker();
    stopWorker = async () => {};
    const id = await create('RFIs');
    await tell({ id });
    expect(await explain(['RFIs', id])).toMatchObject({ code: 1, reason: 'no-worker', verdict: 'needs you' });
    const [listed] = JSON.parse((await mirror(['events', 'list', '--record', id, '--json'])).stdout);
    expect(listed).toMatchObject({ outcome: 'pending', due_at: expect.any(String) });
    stopWorker = await startWorker();
    await untilQuiet();
  });

  test.each([
    [['RFIs', 'abc'], 'abc is no id of RFIs: it is a number'],
    [['RFI', '5'], 'did you mean "RFIs"?'],
    [['RFIs', '5', '--project', '4'], 'the mirror knows no project 4'],
    [['Company Users', '5', '--project', 'own'], 'are of companies, not of projects'],
  ])('used wrongly: %j', async (args, message) => {
    const ran = await mirror(['explain', ...args.map((arg) => (arg === 'own' ? project : arg))]);
    expect(ran).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(message) });
  });
});

describe('events', () => {
  const list = async (...args: string[]) => JSON.parse((await mirror(['events', 'list', '--json', ...args])).stdout);

  test('an event says what became of it, in the list and by itself', async () => {
    const id = await fetched();
    const [event] = await list('--record', id);
    expect(event).toMatchObject({ outcome: 'fetched', version: expect.any(String), due_at: null });
    const shown = JSON.parse((await mirror(['events', 'show', event.id, '--json'])).stdout);
    expect(shown).toMatchObject({ id: event.id, outcome: 'fetched', version: event.version });
    expect((await mirror(['events', 'show', event.id])).stdout).toMatch(/^outcome +fetched: row version \d+ of /m);
    expect(await list('--record', id, '--outcome', 'pending')).toEqual([]);
    await edit([{ resource: 'RFIs', companyId, projectId: project, id, action: 'delete', silent: true }]);
    const deletion = await tell({ id, kind: 'delete' });
    await untilQuiet();
    expect((await list('--record', id)).map(({ outcome }: { outcome: string }) => outcome)).toEqual([
      'buried',
      'buried',
    ]);
    expect((await mirror(['events', 'list', '--record', id])).stdout).toContain(deletion);
  });

  test('an event of a company record that names a project waits with its record', async () => {
    const settled = settings.delayMs;
    settings.delayMs = 60_000;
    const [user] = await query('select id::text from procore.company_users limit 1');
    const event = await tell({ id: user.id, resource: 'Company Users' });
    settings.delayMs = settled;
    expect(await list('--record', user.id, '--outcome', 'pending')).toMatchObject([{ id: event, outcome: 'pending' }]);
    expect(await explain(['Company Users', user.id])).toMatchObject({
      reason: 'pending',
      events: [{ id: event, outcome: 'pending' }],
    });
    await query('update mirror.pending set ready_at = now()');
    await query('update mirror.batches set due_at = now() where due_at is not null');
    await untilQuiet();
    expect(await list('--record', user.id)).toMatchObject([{ id: event, outcome: 'fetched' }]);
  });
});

describe('scopes', () => {
  const parked = async (...args: string[]) => JSON.parse((await mirror(['scopes', 'list', '--json', ...args])).stdout);
  const park = async () => {
    const ids = [await create('Submittals'), await create('Submittals'), await create('Submittals')];
    await control('PUT', 'faults', [{ resource: 'Submittals', status: 403 }]);
    for (const id of ids) await tell({ id, resource: 'Submittals' });
    await vi.waitFor(async () => expect(await query('select from mirror.scopes')).toHaveLength(1), patience);
    return ids;
  };

  test('nothing is parked, and nothing is to be probed', async () => {
    expect(await mirror(['scopes', 'list'])).toEqual({ code: 0, stdout: 'Nothing is parked.\n', stderr: '' });
    expect(await mirror(['scopes', 'probe'])).toEqual({ code: 0, stdout: 'Nothing is parked.\n', stderr: '' });
  });

  test('what is parked is told with what waits; a probe that is refused leaves it so, one that is answered ends it', async () => {
    const [id = ''] = await park();
    const [scope] = z.array(listedScope).parse(await parked('--resource', 'submittals'));
    expect(scope).toMatchObject({
      resource: 'Submittals',
      project_id: project,
      reason: 'forbidden',
      pending: 3,
      fills: 0,
    });
    expect(await parked('--resource', 'RFIs')).toEqual([]);
    expect(await mirror(['scopes', 'list'])).toMatchObject({ code: 1, stdout: expect.stringMatching(/ 3 records /) });
    expect(await explain(['Submittals', id])).toMatchObject({ code: 1, reason: 'parked', verdict: 'healing' });

    const refused = await mirror(['scopes', 'probe', '--json', '--resource', 'Submittals']);
    expect(refused).toMatchObject({ code: 1, stderr: '' });
    expect(JSON.parse(refused.stdout)).toMatchObject({
      state: 'done',
      forgotten: [],
      probes: [{ state: 'refused', resource: 'Submittals' }],
    });

    await control('PUT', 'faults', []);
    expect(await mirror(['scopes', 'probe'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('answers again'),
    });
    expect(await parked()).toEqual([]);
    await untilQuiet();
    expect(await explain(['Submittals', id])).toMatchObject({ code: 0, reason: 'up-to-date' });
  }, 60_000);

  test('a company of which nothing waits is probed, too, and a resource of which nothing waits is forgotten', async () => {
    await query(
      `insert into mirror.scopes (company_id, reason, probe_at, parked_at)
      values ($1, 'not_connected', now() + interval '1 hour', now() - interval '1 hour')`,
      [companyId],
    );
    await query(
      `insert into mirror.scopes (company_id, project_id, resource, reason, probe_at)
      values ($1, $2, 'RFIs', 'failing', now() + interval '1 hour')`,
      [companyId, project],
    );
    const ran = await mirror(['scopes', 'probe', '--json']);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      probes: [{ company_id: companyId, resource: null, state: 'answered' }],
      forgotten: [{ resource: 'RFIs' }],
    });
    expect(ran.code).toBe(0);
    expect(await parked()).toEqual([]);
  }, 120_000);

  test('without a worker it is asked for all the same, with exit code 3', async () => {
    await stopWorker();
    stopWorker = async () => {};
    await query(
      `insert into mirror.scopes (company_id, reason, probe_at) values ($1, 'failing', now() + interval '1 hour')`,
      [companyId],
    );
    const { code, stderr } = await mirror(['scopes', 'probe', '--detach']);
    expect(code).toBe(3);
    expect(stderr).toMatch(/^error: no worker was seen for 30 s\nfix: start one/);
    expect(await query('select from mirror.scopes where probe_at <= now()')).toHaveLength(1);
  });

  test('what is parked because signing in fails is nothing to wait for: workers ask by themselves', async () => {
    await query('delete from mirror.scopes');
    await query(
      `insert into mirror.scopes (reason, detail, probe_at) values ('no_token', 'the secret is wrong', now())`,
    );
    await query('delete from mirror.event_gaps'); // of companies that refused us before
    const { code, stdout } = await mirror(['scopes', 'probe']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^all +all +all +no probe was made yet .* the secret is wrong$/m);
    expect((await explain(['RFIs', await fetchedBefore()])).reason).toBe('up-to-date');
  });
});
