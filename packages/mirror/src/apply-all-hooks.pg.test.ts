import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { catalogue, loadCatalogue } from '@procore-mirror/catalogue';
import {
  createHooksApi,
  createProcoreClient,
  type HooksApi,
  type ProcoreAnswer,
  type ProcoreClient,
  ProcoreResponseError,
} from '@procore-mirror/procore';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { appliedInWords, applyAllHooks, planAllHooks } from './apply-all-hooks.ts';
import { applyHooks } from './apply-hooks.ts';
import { type SimulatedHook, type SimulatedHooks, simulateHooks } from './testing/simulate-hooks.ts';
import { openMigratedDatabase } from './testing/test-mirror.ts';

const namespace = 'procore-mirror';
const destinationUrl = 'http://127.0.0.1:9/webhooks/procore';
const authorization = 'Bearer of-the-test-only';
let simulated: SimulatedHooks;
let companyId: string;
let client: ProcoreClient;
let api: HooksApi;
let directory: string;
let projectIds: readonly string[];

beforeAll(async () => {
  simulated = await simulateHooks();
  ({ client, companyId, projectIds } = simulated);
  api = createHooksApi(client);
  directory = await mkdtemp(path.join(tmpdir(), 'procore-mirror-hooks-'));
});
afterAll(async () => {
  await simulated.close();
  await rm(directory, { recursive: true });
});
beforeEach(async () => {
  await control('DELETE', 'faults');
  await set({ withoutEvents: {} });
  for (const { id, projectId } of await hooks()) await api.remove({ companyId, projectId, hookId: id });
});

const control: SimulatedHooks['control'] = (...call) => simulated.control(...call);
const set = (settings: object) => control('PATCH', 'settings', settings);
const hooks = () => simulated.hooks();
/** How often each method was used by `work`. */
async function callsOf(work: () => Promise<unknown>): Promise<Record<string, number>> {
  const made = Map.groupBy(await simulated.callsDuring(work), ({ method }) => method);
  return Object.fromEntries([...made].map(([method, all]) => [method, all.length]));
}

/** The same client, to which calls of lists whose path matches are answered so. */
function answering(pattern: RegExp, body: unknown): ProcoreClient {
  const pages: ProcoreClient['pages'] = async function* (where, own) {
    if (!pattern.test(where)) return yield* client.pages(where, own);
    const bytes = Buffer.from(JSON.stringify(body));
    yield own.read({ text: { bytes, fields: body }, [Symbol.dispose]: () => {} } as ProcoreAnswer); // read of no more
  };
  return { ...client, pages };
}
const NO_ROWS = { data: [] };
/** The same client, to which calls of lists whose path matches are refused. */
function refusing(pattern: RegExp, status: number): ProcoreClient {
  const pages: ProcoreClient['pages'] = async function* (where, own) {
    if (pattern.test(where)) throw new ProcoreResponseError(`GET ${where} was answered ${status}`, { status });
    yield* client.pages(where, own);
  };
  return { ...client, pages };
}

const options = (more: Partial<Parameters<typeof applyAllHooks>[0]> = {}) => ({
  client,
  catalogue,
  scopes: [null, ...projectIds].map((projectId) => ({ companyId, projectId })),
  resources: null,
  namespace,
  destinationUrl,
  authorization,
  signal: AbortSignal.timeout(30_000),
  ...more,
});
/** What was done where, without the triggers. */
const doneBy = async (applied: ReturnType<typeof applyAllHooks>) =>
  (await applied).flatMap(({ actions, ...scope }) => actions.map((action) => `${scope.projectId}: ${action.do}`));

test('a resource that the company does not offer is named, and keeps no other from its hook', async () => {
  const file = path.join(directory, 'catalogue.json');
  const show = '/rest/v1.0/projects/{project_id}/robots/{id}';
  await writeFile(file, JSON.stringify([{ resource: 'Robots', scope: 'project', show }]));
  const scopes = [null, projectIds[0] ?? ''].map((projectId) => ({ companyId, projectId }));
  const own = options({ catalogue: loadCatalogue(file), scopes });
  expect(appliedInWords(await applyAllHooks({ ...own, resources: ['robots', 'RFIs', 'Trades'] }))).toEqual([
    'Hooks: 2 scopes, 2 hooks created, 5 triggers added',
    expect.stringMatching(/^Procore offers no events of Robots: /),
  ]);
  const offered = (await hooks()).flatMap(({ triggers }) =>
    triggers.map(({ resource, kind }) => `${resource} ${kind}`),
  );
  expect(offered.toSorted()).toEqual(['RFIs create', 'RFIs delete', 'RFIs update', 'Trades create', 'Trades delete']);
  expect(appliedInWords(await applyAllHooks({ ...own, resources: ['Robots'] }))).toEqual([
    'Hooks: 2 scopes, 0 hooks created, 0 triggers added, 5 superfluous triggers removed',
    expect.stringMatching(/^Procore offers no events of Robots: /),
  ]);
});

test('each scope gets a hook with all that is offered, and a second time costs one call a scope, two for the offers and no write', async () => {
  expect(await callsOf(() => applyAllHooks(options()))).toEqual({ GET: 5, POST: 6 });
  const made = await hooks();
  expect(made.map(({ projectId }) => projectId)).toEqual([null, ...projectIds]);
  const mirrored = (scope: string) =>
    catalogue.mirrored.filter((entry) => entry.scope === scope).reduce((sum, { events }) => sum + events.length, 0);
  expect(made.map(({ triggers }) => triggers.length)).toEqual([
    mirrored('company'),
    mirrored('project'),
    mirrored('project'),
  ]);
  expect(await callsOf(() => applyAllHooks(options()))).toEqual({ GET: 5 });
  expect(await hooks()).toEqual(made);
});

test('a plan says what would be done, and does nothing', async () => {
  const plan = () => planAllHooks(options({ authorization: null }));
  expect(await callsOf(plan)).toEqual({ GET: 5 });
  expect(await doneBy(plan())).toEqual([null, ...projectIds].map((projectId) => `${projectId}: create`));
  expect(await hooks()).toEqual([]);
});

test('a plan tells what Procore shows of the secrets of our hooks, also of those of scopes that left; undefined: nothing', async () => {
  await applyAllHooks(options());
  const tails = async (more: Parameters<typeof options>[0] = {}) =>
    (await planAllHooks(options(more))).map(({ ours }) => ours.map(({ authorizationTail }) => authorizationTail));
  expect(await tails()).toEqual(Array(projectIds.length + 1).fill([authorization.slice(-5)]));
  const [first, second] = projectIds.map((projectId) => ({ companyId, projectId }));
  expect(await tails({ scopes: first ? [first] : [], left: second ? [second] : [] })).toEqual(
    Array(2).fill([authorization.slice(-5)]),
  );
  const id = (await hooks()).find(({ projectId }) => projectId === first?.projectId)?.id;
  const row = { ...{ id, status: 'active', namespace, payload_version: 'v4.0' }, destination_url: destinationUrl };
  const blind = answering(/\/webhooks\/hooks$/, { data: [row] });
  expect(await tails({ client: blind, scopes: first ? [first] : [] })).toEqual([[undefined]]);
});

describe('with what is remembered of each hook', () => {
  let mirror: Awaited<ReturnType<typeof openMigratedDatabase>>;
  beforeAll(async () => {
    mirror = await openMigratedDatabase();
  });
  afterAll(() => mirror.close());
  beforeEach(() => mirror.database.pool.query('delete from mirror.hooks'));

  const remembering = (more: Partial<Parameters<typeof applyAllHooks>[0]> = {}) =>
    options({ database: mirror.database, keys: new Map([[authorization, 'key-of-it']]), ...more });
  const known = async () => (await mirror.database.pool.query('select * from mirror.hooks order by project_id')).rows;
  const hookOf = async (projectId: string | undefined) => {
    const hook = (await hooks()).find((one) => one.projectId === projectId);
    return { companyId, projectId: projectId ?? '', hookId: hook?.id ?? '' };
  };

  test('a project that offers less costs one call a look, and so does one that offers more', async () => {
    await set({ withoutEvents: { [projectIds[0] ?? '']: ['Submittals'], [projectIds[1] ?? '']: ['RFIs'] } });
    await applyAllHooks(remembering());
    await applyAllHooks(remembering()); // of Submittals the second project has been asked now
    const look = async () => (await applyAllHooks(remembering())).map(({ notOffered }) => notOffered.join());
    expect(await callsOf(look)).toEqual({ GET: 5 });
    expect(await look()).toEqual(['', 'Submittals', 'RFIs']);
    expect(await callsOf(() => planAllHooks(remembering()))).toEqual({ GET: 5 });
    await set({ withoutEvents: {} });
    expect(await doneBy(applyAllHooks(remembering()))).toEqual(projectIds.map((id) => `${id}: add triggers`));
  });

  test('it is written down as it is, without the secret; who plans writes nothing', async () => {
    await planAllHooks(remembering());
    expect(await known()).toEqual([]);
    await applyAllHooks(remembering());
    const made = await hooks();
    expect(await known()).toMatchObject(
      [made[1], made[2], made[0]].map((hook) => ({
        ...{ project_id: hook?.projectId, hook_id: hook?.id, status: 'active', destination_url: destinationUrl },
        ...{ trigger_count: hook?.triggers.length, secret_key: 'key-of-it', finding: null },
      })),
    );
    expect(JSON.stringify(await known())).not.toContain(authorization);
  });

  test('two that apply at once make one hook a scope', async () => {
    await Promise.all([applyAllHooks(remembering()), applyAllHooks(remembering())]);
    expect((await hooks()).map(({ projectId }) => projectId).toSorted()).toEqual([null, ...projectIds].toSorted());
  });

  test('a trigger that was swapped is found within a month', async () => {
    await applyAllHooks(remembering());
    const hook = await hookOf(projectIds[1]);
    const [first] = await api.listTriggers(hook);
    await api.removeTriggers({ ...hook, triggerIds: [first?.id ?? ''] });
    await api.addTriggers({ ...hook, triggers: [{ resource: 'Robots', eventType: 'create' }] });
    const count = (await hooks()).find(({ id }) => id === hook.hookId)?.triggers.length;
    await mirror.database.pool.query('update mirror.hooks set trigger_count = $1 where hook_id = $2', [
      count,
      hook.hookId,
    ]);
    expect(await doneBy(applyAllHooks(remembering()))).toEqual([]);
    await mirror.database.pool.query(`update mirror.hooks set triggers_listed_at = now() - interval '31 days'`);
    expect(await doneBy(applyAllHooks(remembering()))).toEqual([`${projectIds[1]}: add triggers`]);
  });

  test('a hook that was given another value gets ours, even where both end alike', async () => {
    const before = 'Bearer of-before-of-the-test-only';
    await applyAllHooks(remembering({ authorization: before, keys: new Map([[before, 'key-of-before']]) }));
    const keys = new Map([
      [authorization, 'key-of-it'],
      [before, 'key-of-before'],
    ]);
    expect(await doneBy(applyAllHooks(remembering({ keys, accepted: [before] })))).toEqual([]);
    expect(await doneBy(applyAllHooks(remembering({ keys, accepted: null })))).toEqual([]);
    expect(await doneBy(applyAllHooks(remembering({ keys })))).toEqual(
      [null, ...projectIds].map((projectId) => `${projectId}: patch`),
    );
    expect(await doneBy(applyAllHooks(remembering({ keys })))).toEqual([]);
  });

  test('a scope that refuses is remembered with its reason', async () => {
    await applyAllHooks(remembering({ scopes: [{ companyId, projectId: '1' }] }));
    expect(await known()).toMatchObject([
      { project_id: '1', hook_id: null, finding: expect.stringContaining('404'), looked_at: expect.anything() },
    ]);
  });

  test('a scope that left loses its hook, but not while Procore has events to deliver to it', async () => {
    await applyAllHooks(remembering());
    const scopes = [{ companyId, projectId: null }];
    const left = [{ companyId, projectId: projectIds[1] ?? '' }];
    await control('POST', 'edits', { edits: [{ resource: 'RFIs', action: 'create', projectId: projectIds[1] }] });
    const [, waits] = await applyAllHooks(remembering({ scopes, left }));
    expect(waits).toMatchObject({ actions: [], trouble: null, waits: expect.stringContaining('have been delivered') });
    const whenDelivered = answering(/deliveries$/, NO_ROWS);
    expect(await doneBy(planAllHooks(remembering({ scopes, left })))).toEqual([`${projectIds[1]}: remove`]);
    const removed = await applyAllHooks(remembering({ scopes, left, client: whenDelivered }));
    expect(appliedInWords(removed).join()).toContain('1 hooks removed of what is not mirrored any more');
    expect((await hooks()).map(({ projectId }) => projectId)).toEqual([null, projectIds[0]]);
    expect((await known()).find((row) => row.project_id === projectIds[1])).toMatchObject({
      hook_id: null,
      finding: null,
    });
    expect(await doneBy(applyAllHooks(remembering({ scopes, left })))).toEqual([]);
  });
});

describe('of what left the selection', () => {
  let mirror: Awaited<ReturnType<typeof openMigratedDatabase>>;
  let left: { companyId: string; projectId: string };
  let hookId: string | undefined;
  beforeAll(async () => {
    mirror = await openMigratedDatabase();
  });
  afterAll(() => mirror.close());
  beforeEach(async () => {
    await mirror.database.pool.query('truncate mirror.hooks, mirror.selection');
    left = { companyId, projectId: projectIds[1] ?? '' };
    await applyAllHooks(options({ database: mirror.database }));
    hookId = (await hooks()).find(({ projectId }) => projectId === left.projectId)?.id;
    await leave(0);
  });

  const leave = (hoursAgo: number) =>
    mirror.database.pool.query(
      `insert into mirror.selection (company_id, project_id, is_selected, left_at) values ($1, $2, false, now() - $3 * interval '1 hour')
        on conflict (company_id, project_id) do update set left_at = excluded.left_at`,
      [companyId, left.projectId, hoursAgo],
    );
  const known = async () =>
    (
      await mirror.database.pool.query('select hook_id, finding from mirror.hooks where project_id = $1', [
        left.projectId,
      ])
    ).rows[0];
  const apply = async (own: ProcoreClient) =>
    (
      await applyAllHooks(options({ database: mirror.database, scopes: [], left: [left], client: own, pausesMs: [] }))
    )[0];

  test.each([500, 502, 503, 403, 429])(
    'a hook stays while the log of deliveries answers %i, for twelve hours',
    async (status) => {
      const own = refusing(/deliveries$/, status);
      expect(await apply(own)).toMatchObject({ actions: [], waits: expect.stringContaining(String(status)) });
      expect(await known()).toMatchObject({ hook_id: hookId, finding: expect.stringContaining(String(status)) });
      await leave(13);
      expect(await apply(own)).toMatchObject({ actions: [{ do: 'remove', hookId }], waits: null, trouble: null });
      expect(await known()).toEqual({ hook_id: null, finding: null });
    },
  );

  test('a hook is not kept by a server that has no such log', async () => {
    expect(await apply(refusing(/deliveries$/, 404))).toMatchObject({ actions: [{ do: 'remove', hookId }] });
  });

  test('a hook that we may not look at any more is not forgotten, and is told', async () => {
    const own = refusing(/hooks$/, 403);
    const trouble = expect.stringMatching(new RegExp(`hook ${hookId} stands there still.* 403`));
    expect(await apply(own)).toMatchObject({ actions: [], trouble });
    expect(await known()).toEqual({ hook_id: hookId, finding: trouble });
    const planned = await planAllHooks(options({ database: mirror.database, scopes: [], left: [left], client: own }));
    expect(planned).toMatchObject([{ trouble }]);
    expect(await apply(client)).toMatchObject({ actions: [{ do: 'remove', hookId }], trouble: null });
  });
});

describe('a change that Procore answers well and does not make', () => {
  let mirror: Awaited<ReturnType<typeof openMigratedDatabase>>;
  beforeAll(async () => {
    mirror = await openMigratedDatabase();
  });
  afterAll(() => mirror.close());

  test.each([
    ['shows', false],
    ['hides', true],
  ])('and that its answer %s is told by name, and tried once a look', async (_, isEcho) => {
    let patches = 0;
    const send: ProcoreClient['send'] = async (method, where, own) => {
      if (method !== 'PATCH') return client.send(method, where, own);
      patches += 1;
      const answer = await client.get(where, own);
      const { data } = JSON.parse(answer.text.bytes.toString());
      const shown = { ...data, ...(isEcho && JSON.parse(JSON.stringify(own.body))) };
      return { ...answer, text: { ...answer.text, bytes: Buffer.from(JSON.stringify({ data: shown })) } };
    };
    const own = options({
      ...{ database: mirror.database, scopes: [{ companyId, projectId: null }], client: { ...client, send } },
      keys: new Map([[authorization, 'key-of-it']]),
    });
    await mirror.database.pool.query('truncate mirror.hooks');
    await applyAllHooks(own);
    const [hook] = await hooks();
    const other = { status: 'disabled', payloadVersion: 'v2.0', authorization: 'Bearer another' } as const;
    await api.patch({ companyId, hookId: hook?.id ?? '', change: other });
    await mirror.database.pool.query(`update mirror.hooks set secret_key = 'key-of-another'`);
    const names = ['status', 'authorization', 'payloadVersion'].map((name) => `${name} of hook ${hook?.id}`);
    for (const round of [1, 2]) {
      expect(await applyAllHooks(own)).toMatchObject([{ refused: names, trouble: null }]);
      expect(patches).toBe(round);
      expect(await planAllHooks(own)).toMatchObject([{ refused: names, actions: [{ do: 'patch' }] }]);
    }
    const { rows } = await mirror.database.pool.query('select secret_key, finding from mirror.hooks');
    expect(rows).toEqual([{ secret_key: 'key-of-another', finding: expect.stringContaining(names.join(', ')) }]);
    expect(await applyAllHooks({ ...own, client })).toMatchObject([{ refused: [], actions: [{ do: 'patch' }] }]);
    expect(await planAllHooks(own)).toMatchObject([{ refused: [], actions: [] }]);
  });
});

describe('what is offered', () => {
  const wrong: [string, unknown][] = [
    ['nothing', NO_ROWS],
    ['names without events', { data: [{ name: 'RFIs', actions: [] }] }],
    ['rows without names', { data: [{ resource: 'RFIs' }] }],
    ['no list', { errors: 'maintenance' }],
    ['null', null],
  ];
  test.each(wrong)('is not believed when it is %s: no hook is made, and that is told', async (_, body) => {
    const own = options({ client: answering(/resources$/, body) });
    expect(await planAllHooks(own)).toMatchObject(
      [null, ...projectIds].map((projectId) => ({ projectId, trouble: expect.any(String), actions: [] })),
    );
    expect(await doneBy(applyAllHooks(own))).toEqual([]);
    expect(await doneBy(applyAllHooks(options()))).toHaveLength(3);
  });

  test.each(wrong)('and is %s for a project that says so keeps it, and others, from no hook', async (_, body) => {
    const client = answering(new RegExp(`projects/${projectIds[0]}/.*resources$`), body);
    const applied = await applyAllHooks(options({ client }));
    expect(applied.map(({ trouble, notOffered }) => ({ trouble, notOffered }))).toEqual(
      Array(3).fill({ trouble: null, notOffered: [] }),
    );
    const counts = (await hooks()).map(({ triggers }) => triggers.length);
    expect(counts[1]).toBe(counts[2]);
  });

  test.each(wrong)(
    'and is %s for a hook that lacks triggers changes none, and sets the rest right',
    async (_, body) => {
      await applyAllHooks(options());
      const made = await hooks();
      const hook = { companyId, projectId: projectIds[1] ?? '', hookId: made[2]?.id ?? '' };
      const [first] = await api.listTriggers(hook);
      await api.removeTriggers({ ...hook, triggerIds: [first?.id ?? ''] });
      await api.patch({ ...hook, change: { status: 'disabled' } });
      const own = options({ client: answering(/resources$/, body) });
      expect((await applyAllHooks(own))[2]).toMatchObject({ actions: [{ do: 'patch' }], trouble: expect.any(String) });
      expect((await hooks())[2]).toMatchObject({
        status: 'active',
        triggers: { length: (made[2]?.triggers.length ?? 0) - 1 },
      });
      expect(await doneBy(applyAllHooks(options()))).toEqual([`${projectIds[1]}: add triggers`]);
    },
  );
});

describe('what was changed by somebody else is set right', () => {
  let made: SimulatedHook[];
  beforeEach(async () => {
    await applyAllHooks(options());
    made = await hooks();
  });

  const onProject = () => ({ companyId, projectId: projectIds[1] ?? '', hookId: made[2]?.id ?? '' });
  const rfi = { resource: 'RFIs', eventType: 'create' };

  test.each<[string, () => Promise<unknown>, string[], Record<string, number>]>([
    ['disabled', () => api.patch({ ...onProject(), change: { status: 'disabled' } }), ['patch'], { PATCH: 1 }],
    [
      'wrong URL',
      () => api.patch({ ...onProject(), change: { destinationUrl: 'https://a.example/' } }),
      ['patch'],
      { PATCH: 1 },
    ],
    [
      'wrong header',
      () => api.patch({ ...onProject(), change: { authorization: 'Bearer another' } }),
      ['patch'],
      { PATCH: 1 },
    ],
    ['wrong version', () => api.patch({ ...onProject(), change: { payloadVersion: 'v2.0' } }), ['patch'], { PATCH: 1 }],
    ['deleted', () => api.remove(onProject()), ['create'], { POST: 2 }],
    ['five triggers missing', () => removeSome(5), ['add triggers'], { POST: 1 }],
    [
      'a second one of ours',
      async () => {
        const { id: hookId } = await api.create({
          ...onProject(),
          namespace,
          payloadVersion: 'v4.0',
          destinationUrl,
          authorization,
        });
        await api.addTriggers({ ...onProject(), hookId, triggers: [rfi] });
      },
      ['remove'],
      { DELETE: 1 },
    ],
  ])('%s', async (_, harm, done, writes) => {
    await harm();
    let applied: string[] = [];
    const { GET: reads = 0, ...written } = await callsOf(async () => {
      applied = await doneBy(applyAllHooks(options()));
    });
    expect(applied).toEqual(done.map((kind) => `${projectIds[1]}: ${kind}`));
    expect(written).toEqual(writes);
    expect(reads).toBeLessThanOrEqual(9); // three pages of triggers, and what the project itself offers
    const bare = (all: SimulatedHook[]) =>
      all.map(({ id: _id, triggers, ...hook }) => ({ ...hook, triggers: triggers.length }));
    expect(bare(await hooks())).toEqual(bare(made));
    expect(await doneBy(applyAllHooks(options()))).toEqual([]);
  });

  test('superfluous triggers are removed when less is to be mirrored', async () => {
    expect(await doneBy(applyAllHooks(options({ resources: ['RFIs', 'Projects'] })))).toEqual(
      [null, ...projectIds].map((projectId) => `${projectId}: remove triggers`),
    );
    expect((await hooks()).map(({ triggers }) => triggers.length)).toEqual([2, 3, 3]);
  });

  test('ours are found on all pages of the list', async () => {
    const disabled = { change: { status: 'disabled' } } as const;
    await api.patch({ ...onProject(), ...disabled });
    for (let more = 0; more < 101; more += 1) {
      const { id: hookId } = await api.create({
        ...{ ...onProject(), namespace, payloadVersion: 'v4.0', destinationUrl, authorization },
      });
      if (more < 100) await api.patch({ ...onProject(), hookId, ...disabled });
    }
    const done = Array(101).fill(`${projectIds[1]}: remove`);
    expect(await doneBy(applyAllHooks(options()))).toEqual([`${projectIds[1]}: add triggers`, ...done]);
    expect(await hooks()).toHaveLength(3);
  });

  test.each(['https://a.example/', destinationUrl])('hooks of other namespaces stay as they are: %s', async (to) => {
    const other = { namespace: 'of-others', payloadVersion: 'v2.0', destinationUrl: to, authorization: 'x' };
    const { id } = await api.create({ companyId, ...other });
    await api.patch({ companyId, hookId: id, change: { status: 'disabled' } });
    const before = await hooks();
    expect(await doneBy(applyAllHooks(options()))).toEqual([]);
    expect(await hooks()).toEqual(before);
  });

  async function removeSome(count: number): Promise<void> {
    const triggers = await api.listTriggers(onProject());
    await api.removeTriggers({ ...onProject(), triggerIds: triggers.slice(0, count).map(({ id }) => id) });
  }
});

test('a project that refuses a name is asked for its own offers, and the name is told, not tried again', async () => {
  await set({ withoutEvents: { [projectIds[1] ?? '']: ['RFIs'] } });
  const first = await applyAllHooks(options());
  expect(first.map(({ notOffered, refused }) => ({ notOffered, refused }))).toEqual([
    { notOffered: [], refused: [] },
    { notOffered: [], refused: [] },
    { notOffered: ['RFIs'], refused: [] },
  ]);
  expect(appliedInWords(first).at(-1)).toMatch(/^Procore offers no events of RFIs: /);
  expect(Object.keys(await callsOf(() => applyAllHooks(options())))).toEqual(['GET']);
  // One that offers less does not speak against triggers that others have.
  await set({ withoutEvents: { [projectIds[0] ?? '']: ['Submittals'] } });
  const second = await doneBy(applyAllHooks(options({ scopes: [{ companyId, projectId: projectIds[1] ?? '' }] })));
  expect(second).toEqual([`${projectIds[1]}: add triggers`]);
  expect(Object.keys(await callsOf(() => applyAllHooks(options())))).toEqual(['GET']);
});

test('what Procore offers and does not take, and a change that it does not make, are told', async () => {
  const own = {
    ...options({ resources: ['RFIs'] }),
    companyId,
    projectId: projectIds[0] ?? '',
    payloadVersion: 'v4.0',
  } as const;
  const apply = (change: Partial<HooksApi>) =>
    applyHooks({ ...own, hooks: { ...api, ...change }, selection: { resources: ['RFIs'] } });
  const done = await apply({ addTriggers: async ({ triggers }) => ({ refused: triggers.slice(0, 1) }) });
  expect(done.refused).toEqual(['RFIs create']);
  const [hook] = await api.list({ ...own, namespace });
  await api.patch({ ...own, hookId: hook?.id ?? '', change: { status: 'disabled', payloadVersion: 'v3.0' } });
  const patched = await apply({ patch: (asked) => api.patch({ ...asked, change: { status: 'active' } }) });
  expect(patched.refused).toEqual([`payloadVersion of hook ${hook?.id}`]);
});

test.each([1, 2, 3, 4, 5, 6])('who is cut off after %i writes plans anew, and ends the same', async (writes) => {
  let left = writes;
  const cut = new AbortController();
  const cutOff: ProcoreClient = {
    ...client,
    send: async (...call) => {
      const answer = await client.send(...call);
      left -= 1;
      if (left === 0) cut.abort();
      return answer;
    },
  };
  const seen: (string | null)[] = [];
  const first = applyAllHooks(
    options({ client: cutOff, signal: cut.signal, onScope: ({ projectId }) => seen.push(projectId) }),
  );
  if (writes < 6) await expect(first).rejects.toThrow();
  else await first;
  expect(seen).toEqual([null, ...projectIds].slice(0, Math.floor(writes / 2)));
  await applyAllHooks(options());
  expect((await hooks()).map(({ projectId }) => projectId)).toEqual([null, ...projectIds]);
  expect(Object.keys(await callsOf(() => applyAllHooks(options())))).toEqual(['GET']);
});

test('a scope that refuses has its trouble, and the others their hooks', async () => {
  const scopes = [
    { companyId, projectId: '1' },
    { companyId, projectId: projectIds[0] ?? '' },
  ];
  const applied = await applyAllHooks(options({ scopes }));
  expect(applied).toMatchObject([
    { trouble: expect.stringContaining('404'), isUnreached: false, actions: [] },
    { trouble: null, actions: [{ do: 'create' }] },
  ]);
  expect(appliedInWords(applied)[0]).toMatch(/^No hook in project 1: /);
});

test('who does not answer is left alone after three scopes', async () => {
  let asked = 0;
  const nobody = createProcoreClient({
    ...{ apiUrl: new URL('http://127.0.0.1:9'), token: async () => 'x', refuseToken: () => {}, sleep: async () => {} },
    beforeCall: async () => {
      asked += 1;
    },
  });
  const scopes = [1, 2, 3, 4, 5].map((id) => ({ companyId, projectId: String(id) }));
  const planned = await planAllHooks(options({ client: nobody, scopes, pausesMs: [] }));
  const askedFor3 = asked;
  expect(planned.map(({ isUnreached }) => isUnreached)).toEqual([true, true, true, true, true]);
  expect(planned.map(({ trouble }) => trouble?.startsWith('not asked'))).toEqual([false, false, false, true, true]);
  expect(askedFor3 % 3).toBe(0);
  await nobody.close();
});
