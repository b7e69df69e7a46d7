// What tests of hooks share: a simulator without limits, a client of it, and the hooks that it has.
import { createProcoreClient, type ProcoreClient } from '@procore-mirror/procore';
import { startApp } from '@procore-mirror/testing';

export type SimulatedHook = {
  id: string;
  projectId: string | null;
  namespace: string;
  status: string;
  destinationUrl: string;
  payloadVersion: string;
  triggers: { resource: string; kind: string }[];
};

type SimulatedCall = { method: string; path: string };

export type SimulatedHooks = {
  url: string;
  client: ProcoreClient;
  /** The company that it has, and its projects. */
  companyId: string;
  projectIds: readonly string[];
  /** One call to the control API: `control('POST', 'faults', [...])`. */
  control: (method: string, what: string, body?: unknown) => Promise<unknown>;
  hooks: () => Promise<SimulatedHook[]>;
  /** The calls that were made during `work`. */
  callsDuring: (work: () => Promise<unknown>) => Promise<SimulatedCall[]>;
  close: () => Promise<void>;
};

export async function simulateHooks({ projects = 2 }: { projects?: number } = {}): Promise<SimulatedHooks> {
  const limits = JSON.stringify({ callsPerHour: null, callsPerTenSeconds: null });
  const simulator = startApp('simulator', {
    ...{ SIMULATOR_PORT: '0', SIMULATOR_PROJECTS: String(projects), SIMULATOR_SETTINGS: limits },
  });
  const url = String((await simulator.line('url')).url);
  const login = { grant_type: 'client_credentials', client_id: 'simulator', client_secret: 'simulator-secret' };
  const signedIn = await fetch(`${url}/oauth/token`, { method: 'POST', body: new URLSearchParams(login) });
  const { access_token: token } = (await signedIn.json()) as { access_token: string }; // the simulator's answer
  const client = createProcoreClient({ apiUrl: new URL(url), token: async () => token, refuseToken: () => {} });
  const control = async (method: string, what: string, body?: unknown): Promise<unknown> => {
    const json = { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const answer = await fetch(`${url}/control/${what}`, { method, ...(body !== undefined && json) });
    const text = await answer.text();
    return text === '' ? null : JSON.parse(text);
  };
  const world = await (await fetch(`${url}/control/world?resource=Projects`)).text();
  const rows = world.trim().split('\n');
  return {
    url,
    client,
    companyId: '598134325683880',
    projectIds: rows.map((line) => JSON.parse(line).id),
    control,
    hooks: async () => (await control('GET', 'hooks')) as SimulatedHook[], // the simulator's answer
    callsDuring: async (work) => {
      await control('DELETE', 'calls');
      await work();
      return ((await control('GET', 'calls')) as { recent: SimulatedCall[] }).recent; // the simulator's answer
    },
    close: async () => {
      await client.close();
      await simulator.end('SIGTERM');
    },
  };
}
