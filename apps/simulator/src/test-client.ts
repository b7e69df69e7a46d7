// What the tests of the simulator share: a simulator with a client signed in, and an endpoint that takes deliveries.
import { once } from 'node:events';
import http from 'node:http';
import { createSimulator, type Simulator, type SimulatorOptions } from './create-simulator.ts';

type Got = { status: number; headers: Headers; text: string; json: unknown };

export type TestClient = {
  simulator: Simulator;
  companyId: string;
  projectId: string;
  token: () => Promise<string>;
  /** GET with token and company header, both of which can be replaced. */
  get: (path: string, headers?: Record<string, string | undefined>) => Promise<Got>;
  send: (method: string, path: string, body?: unknown) => Promise<Got>;
  /** The records of a list, as parsed JSON, whatever stands around them. */
  list: (path: string) => Promise<Record<string, unknown>[]>;
  close: () => Promise<void>;
};

export const companyId = '598134325683880';

/** Starts a simulator without limits, unless the options set some, and signs in. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<TestClient> {
  const simulator = await createSimulator({
    ...options,
    settings: { callsPerHour: null, callsPerTenSeconds: null, ...options.settings },
  });
  const [project] = simulator.control.world({ resource: 'Projects' });
  let token = '';
  const signIn = async (): Promise<string> => {
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: 'simulator',
      client_secret: 'simulator-secret',
    });
    const answer = await fetch(`${simulator.url}/oauth/token`, { method: 'POST', body });
    const parsed: unknown = await answer.json();
    token = String(Object.entries(parsed ?? {}).find(([key]) => key === 'access_token')?.[1]);
    return token;
  };
  const call = async (method: string, path: string, headers: Record<string, string | undefined>, body?: unknown) => {
    if (token === '') await signIn();
    const all = { Authorization: `Bearer ${token}`, 'Procore-Company-Id': companyId, ...headers };
    const given = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const init = body === undefined ? {} : { body: JSON.stringify(body) };
    return read(await fetch(simulator.url + path, { method, headers: given, ...init }));
  };
  const get: TestClient['get'] = (path, headers = {}) => call('GET', path, headers);
  return {
    simulator,
    companyId,
    projectId: project?.id ?? '',
    token: signIn,
    get,
    send: (method, path, body) => call(method, path, {}, body),
    list: async (path) => {
      const { json } = await get(path);
      const [first] = Array.isArray(json) ? json : [];
      if (Array.isArray(json) && !Array.isArray(first?.meetings)) return json;
      // In `data`, in groups, or beside something: the one field that is a list.
      return Object.values(first ?? json ?? {}).find((value) => Array.isArray(value)) as Record<string, unknown>[];
    },
    close: simulator.close,
  };
}

async function read(response: Response): Promise<Got> {
  const text = await response.text();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: response.status, headers: response.headers, text, json };
}

export type TestEndpoint = {
  url: string;
  /** Bodies and headers in the order of arrival. */
  received: { body: string; headers: http.IncomingHttpHeaders }[];
  /** What it answers from now on; `hang` never answers. */
  answer: (status: number | 'hang') => void;
  close: () => Promise<void>;
};

export async function startEndpoint(): Promise<TestEndpoint> {
  const received: TestEndpoint['received'] = [];
  let status: number | 'hang' = 204;
  const server = http.createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => {
      body += part;
    });
    request.on('end', () => {
      received.push({ body, headers: request.headers });
      if (status !== 'hang') response.writeHead(status).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/hooks`,
    received,
    answer: (next) => {
      status = next;
    },
    close: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Waits until the condition holds; throws after 20 s. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
