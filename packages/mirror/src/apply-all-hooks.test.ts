import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadCatalogue } from '@procore-mirror/catalogue';
import { createProcoreClient, type ProcoreClient } from '@procore-mirror/procore';
import { type AppProcess, startApp } from '@procore-mirror/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { applyAllHooks } from './apply-all-hooks.ts';

type Hook = { projectId: string | null; triggers: { resource: string; kind: string }[] };

const companyId = '598134325683880';
let simulator: AppProcess;
let url: string;
let client: ProcoreClient;
let directory: string;

beforeAll(async () => {
  simulator = startApp('simulator', { SIMULATOR_PORT: '0', SIMULATOR_PROJECTS: '1' });
  url = String((await simulator.line('url')).url);
  const login = { grant_type: 'client_credentials', client_id: 'simulator', client_secret: 'simulator-secret' };
  const signedIn = await fetch(`${url}/oauth/token`, { method: 'POST', body: new URLSearchParams(login) });
  const { access_token: token } = (await signedIn.json()) as { access_token: string }; // the simulator's answer
  client = createProcoreClient({ apiUrl: new URL(url), token: async () => token, refuseToken: () => {} });
  directory = await mkdtemp(path.join(tmpdir(), 'procore-mirror-hooks-'));
});
afterAll(async () => {
  await client.close();
  await simulator.end('SIGTERM');
  await rm(directory, { recursive: true });
});

test('a resource that the company does not offer is named, and keeps no other from its hook', async () => {
  const file = path.join(directory, 'catalogue.json');
  const show = '/rest/v1.0/projects/{project_id}/robots/{id}';
  await writeFile(file, JSON.stringify([{ resource: 'Robots', scope: 'project', show }]));
  const world = await (await fetch(`${url}/control/world?resource=Projects`)).text();
  const { id: projectId } = JSON.parse(world.split('\n')[0] ?? '');
  const said: string[] = [];
  const options = {
    client,
    catalogue: loadCatalogue(file),
    scopes: [
      { companyId, projectId: null, resources: [] },
      { companyId, projectId, resources: [] },
    ],
    namespace: 'procore-mirror',
    destinationUrl: 'http://127.0.0.1:9/webhooks/procore',
    authorization: 'Bearer of-the-test-only',
    signal: AbortSignal.timeout(30_000),
    say: (line: string) => said.push(line),
  };
  await applyAllHooks({ ...options, resources: ['robots', 'RFIs', 'Trades'] });
  expect(said).toEqual([
    'Hooks: 2 scopes, 2 hooks created, 5 triggers added',
    expect.stringMatching(/^Procore offers no events of Robots: /),
  ]);
  const hooks = (await (await fetch(`${url}/control/hooks`)).json()) as Hook[]; // the simulator's answer
  const offered = hooks.flatMap(({ triggers }) => triggers.map(({ resource, kind }) => `${resource} ${kind}`));
  expect(offered.toSorted()).toEqual(['RFIs create', 'RFIs delete', 'RFIs update', 'Trades create', 'Trades delete']);
  await applyAllHooks({ ...options, resources: ['Robots'] });
  expect(said.slice(2)).toEqual([
    'Hooks: 2 scopes, 0 hooks created, 0 triggers added',
    expect.stringMatching(/^Procore offers no events of Robots: /),
  ]);
});
