import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { catalogue, loadCatalogue } from '@procore-mirror/catalogue';
import { createHooksApi, createProcoreClient, type HooksApi, type ProcoreClient } from '@procore-mirror/procore';
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

async function* nothing(): AsyncGenerator<never> {}

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
    const whenDelivered: ProcoreClient = {
      ...client,
      pages: (path, own) => (path.endsWith('/deliveries') ? nothing() : client.pages(path, own)),
    };
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
    const bare = (all: SimulatedHook[]) => all.map(({ id: _id, triggers, ...hook }) => ({ ...hook, triggers: triggers.length }));
    expect(bare(await hooks())).toEqual(bare(made));
    expect(await doneBy(applyAllHooks(options()))).toEqual([]);
  });

  test('superfluous triggers are removed when less is to be mirrored', async () => {
    expect(await doneBy(applyAllHooks(options({ resources: ['RFIs', 'Projects'] })))).toEqual(
      [null, ...projectIds].map((projectId) => `${projectId}: remove triggers`),
    );
    expect((await hooks()).map(({ triggers }) => triggers.length)).toEqual([2, 3, 3]);
  });

  test('hooks of other namespaces stay as they are', async () => {
    const other = {
      namespace: 'of-others',
      payloadVersion: 'v2.0',
      destinationUrl: 'https://a.example/',
      authorization: 'x',
    };
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
