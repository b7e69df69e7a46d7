// The product with our simulator in Procore's place.
import { type AppProcess, startApp } from './app-process.ts';
import { type Product, prepareProduct, secrets } from './product.ts';

export type SystemOptions = {
  databaseUrl: string;
  queueUrl: string;
  /** The simulator's settings (docs/simulator.md). */
  simulator?: Record<string, unknown>;
  /** Projects of the simulator's first company; 0 when the test makes its own. */
  projects?: number;
  fetchDelayMs?: number;
};

export type System = Product & {
  simulatorUrl: string;
  /** One call to the simulator's control API. */
  control: <T>(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown) => Promise<T>;
  /** The NDJSON answer of a control call. */
  controlLines: <T>(path: string) => Promise<T[]>;
};

/** Starts the simulator; receiver and worker follow when the test says so. */
export async function startSystem({ simulator, projects, ...options }: SystemOptions): Promise<System> {
  const started = startApp('simulator', {
    SIMULATOR_PORT: '0',
    SIMULATOR_CLIENT_ID: secrets.clientId,
    SIMULATOR_CLIENT_SECRET: secrets.clientSecret,
    SIMULATOR_PROJECTS: String(projects ?? 3),
    SIMULATOR_SETTINGS: JSON.stringify(simulator ?? {}),
  });
  const simulatorUrl = String((await started.line('url')).url);
  const product = await prepareProduct({ ...options, procoreUrl: simulatorUrl });
  return Object.assign(product, { simulatorUrl, ...controlOf(simulatorUrl) }, ending(product, started));
}

function ending({ output, close }: Product, simulator: AppProcess): Pick<System, 'output' | 'close'> {
  return {
    output: () => [simulator.output(), output()].join('\n'),
    close: async () => {
      await Promise.all([simulator.end('SIGTERM'), close()]);
    },
  };
}

function controlOf(simulatorUrl: string): Pick<System, 'control' | 'controlLines'> {
  async function call(method: string, where: string, body?: unknown): Promise<string> {
    const answer = await fetch(new URL(where, simulatorUrl), {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      signal: AbortSignal.timeout(120_000),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${where} was answered ${answer.status}: ${text}`);
    return text;
  }
  return {
    control: async <T>(method: string, where: string, body?: unknown) =>
      JSON.parse(await call(method, where, body)) as T, // the test knows what it asked for
    controlLines: async <T>(where: string) => {
      const text = await call('GET', where);
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line): T => JSON.parse(line));
    },
  };
}
