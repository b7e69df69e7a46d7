// What somebody does to hooks is set right by a worker with its first look after it, however often it looks.
import { createHooksApi, createProcoreClient, type HooksApi, type ProcoreClient } from '@procore-mirror/procore';
import type { AppProcess } from '@procore-mirror/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Mirror, startMirror } from './start-mirror.ts';

type Hook = { id: string; projectId: string | null; namespace: string; status: string; triggers: unknown[] };
type Line = { msg?: string; project_id?: string | null; done?: string[] };

const companyId = '598134325683880';
const namespace = 'procore-mirror';
const authorization = 'Bearer another-value-that-somebody-set';
const patience = { timeout: 60_000, interval: 50 };
const LOOKED = ['looked at a hook', 'set a hook right'];

let mirror: Mirror;
let client: ProcoreClient;
let api: HooksApi;
let worker: AppProcess;

beforeAll(async () => {
  mirror = await startMirror('postgres', { projects: 2, simulator: { callsPerHour: null, callsPerTenSeconds: null } });
  const { system } = mirror;
  const { clientId, clientSecret } = system.secrets;
  const login = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret };
  const { access_token: token } = await system.control<{ access_token: string }>('POST', '/oauth/token', login);
  const apiUrl = new URL(system.simulatorUrl);
  client = createProcoreClient({ apiUrl, token: async () => token, refuseToken: () => {} });
  api = createHooksApi(client);
  await system.startIngest();
  worker = await startWorker('400');
});
afterAll(async () => {
  await client.close();
  await mirror.close();
});

const startWorker = (everyMs: string) =>
  mirror.system.startWorker({
    ...{ PROCORE_COMPANY_IDS: companyId, WEBHOOK_URL: mirror.system.receiverUrl, CHECK_HOOKS_EVERY_MS: everyMs },
    WEBHOOK_AUTHORIZATION: mirror.system.secrets.authorization,
  });
const hooks = () => mirror.system.control<Hook[]>('GET', '/control/hooks');
const linesOf = ({ output }: AppProcess) =>
  output()
    .split('\n')
    .flatMap((line): Line[] => (line.startsWith('{') ? [JSON.parse(line)] : []));
/** What each look at the project did, by the worker's own log. */
const looksAt = (projectId: string | null) =>
  linesOf(worker).flatMap((line) =>
    LOOKED.includes(line.msg ?? '') && line.project_id === projectId ? [line.done ?? []] : [],
  );
const edit = (edits: object[]) => mirror.system.control('POST', '/control/edits', { edits });

test('each scope gets its hook', async () => {
  await expect.poll(async () => (await hooks()).length, patience).toBe(3);
  const isLeftAlone = async () => (await hooks()).every(({ projectId }) => looksAt(projectId).length > 2);
  await expect.poll(isLeftAlone, patience).toBe(true);
});

type OnHook = { companyId: string; projectId: string | null; hookId: string };
test.each<[string, (hook: OnHook) => Promise<unknown>, string[]]>([
  ['deleted', (hook) => api.remove(hook), ['create']],
  ['disabled', (hook) => api.patch({ ...hook, change: { status: 'disabled' } }), ['patch']],
  [
    'led elsewhere',
    (hook) => api.patch({ ...hook, change: { destinationUrl: 'https://elsewhere.example.com/' } }),
    ['patch'],
  ],
  ['given another header', (hook) => api.patch({ ...hook, change: { authorization } }), ['patch']],
  ['given another payload version', (hook) => api.patch({ ...hook, change: { payloadVersion: 'v2.0' } }), ['patch']],
  [
    'robbed of five triggers',
    async (hook) => {
      const triggerIds = (await api.listTriggers(hook)).slice(0, 5).map(({ id }) => id);
      await api.removeTriggers({ ...hook, triggerIds });
    },
    ['add triggers'],
  ],
  ...['v4.0', 'v2.0'].map((payloadVersion): [string, (hook: OnHook) => Promise<unknown>, string[]] => [
    `doubled in version ${payloadVersion}`,
    (hook) => {
      const destinationUrl = mirror.system.receiverUrl;
      return api.create({ ...hook, namespace, payloadVersion, destinationUrl, authorization });
    },
    ['remove'],
  ]),
])(
  'a hook that was %s is healed by the first look that begins after it, and then left alone',
  async (_, spoil, done) => {
    const before = await hooks();
    const spoiled: { projectId: string | null; seen: number }[] = [];
    for (const { id: hookId, projectId } of before.slice(0, 2)) {
      await spoil({ companyId, projectId, hookId });
      spoiled.push({ projectId, seen: looksAt(projectId).length });
    }
    for (const { projectId, seen } of spoiled) {
      await expect.poll(() => looksAt(projectId).length, patience).toBeGreaterThan(seen + 2);
      const then = looksAt(projectId).slice(seen - 1); // one may have ended between the two
      const at = then.findIndex((actions) => actions.length > 0);
      expect(then[at]).toEqual(done);
      expect(at).toBeLessThanOrEqual(2); // that one, one that was under way, and the next one
      expect(then.filter((actions) => actions.length > 0)).toHaveLength(1);
    }
    const bare = (all: Hook[]) =>
      all.map(({ projectId, status, triggers }) => `${projectId} ${status} ${triggers.length}`).toSorted();
    expect(bare(await hooks())).toEqual(bare(before));
  },
);

test('a hook of another namespace stays, though it has our URL', async () => {
  const destinationUrl = mirror.system.receiverUrl;
  const other = { companyId, namespace: 'of-others', payloadVersion: 'v4.0', destinationUrl, authorization };
  const { id: hookId } = await api.create(other);
  await api.patch({ companyId, hookId, change: { status: 'disabled' } });
  const before = await hooks();
  const seen = looksAt(null).length;
  await expect.poll(() => looksAt(null).length, patience).toBeGreaterThan(seen + 3);
  expect(await hooks()).toEqual(before);
  await api.remove({ companyId, hookId });
});

test('a project that is archived loses its hook after the first list that begins after it', async () => {
  const projectId = (await hooks()).findLast((hook) => hook.projectId !== null)?.projectId ?? '';
  await edit([{ resource: 'Projects', action: 'update', id: projectId, fields: { active: false } }]);
  const seen = linesOf(worker).length;
  await expect.poll(() => looksAt(projectId).flat().includes('remove'), patience).toBe(true);
  const since = linesOf(worker).slice(seen);
  const removedAt = since.findIndex(({ project_id, done }) => project_id === projectId && done?.includes('remove'));
  const lists = since.slice(0, removedAt).filter(({ msg }) => msg === 'listed the projects of a company');
  expect(lists.length).toBeLessThanOrEqual(2); // one that was under way, and the next one
  expect((await hooks()).map((hook) => hook.projectId)).not.toContain(projectId);
});

test('a new project gets its hook within a minute of its event, however seldom hooks are looked at', async () => {
  await mirror.system.killWorker();
  worker = await startWorker('3600000');
  const before = (await hooks()).length;
  await edit([{ resource: 'Projects', action: 'create' }]);
  await expect.poll(async () => (await hooks()).length, patience).toBe(before + 1);
});
