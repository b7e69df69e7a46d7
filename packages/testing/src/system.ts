// The product as it runs in production, each part a process of its own, with our simulator in Procore's place.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type AppProcess, startApp } from './app-process.ts';

export type SystemOptions = {
  databaseUrl: string;
  queueUrl: string;
  /** The simulator's settings (docs/simulator.md). */
  simulator?: Record<string, unknown>;
  /** Projects of the simulator's first company; 0 when the test makes its own. */
  projects?: number;
  fetchDelayMs?: number;
};

export type System = {
  simulatorUrl: string;
  /** Where Procore is to send its deliveries. */
  receiverUrl: string;
  secrets: { clientId: string; clientSecret: string; authorization: string };
  /** One call to the simulator's control API. */
  control: <T>(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown) => Promise<T>;
  /** The NDJSON answer of a control call. */
  controlLines: <T>(path: string) => Promise<T[]>;
  startIngest: () => Promise<void>;
  startWorker: () => Promise<AppProcess>;
  /** Kills the worker in the middle of whatever it does. */
  killWorker: () => Promise<void>;
  /** What all processes wrote, of those that were killed, too. */
  output: () => string;
  close: () => Promise<void>;
};

/** Starts the simulator; receiver and worker follow when the test says so. */
export async function startSystem(options: SystemOptions): Promise<System> {
  const directory = await mkdtemp(path.join(tmpdir(), 'procore-mirror-system-'));
  const secrets = {
    clientId: 'client-of-the-test',
    clientSecret: 'a-client-secret-that-nobody-may-see',
    authorization: 'Bearer a-webhook-secret-that-nobody-may-see',
  };
  const processes: AppProcess[] = [];
  const start = (app: Parameters<typeof startApp>[0], env: Record<string, string>): AppProcess => {
    const process_ = startApp(app, env, { directory });
    processes.push(process_);
    return process_;
  };
  const simulator = start('simulator', {
    SIMULATOR_PORT: '0',
    SIMULATOR_CLIENT_ID: secrets.clientId,
    SIMULATOR_CLIENT_SECRET: secrets.clientSecret,
    SIMULATOR_PROJECTS: String(options.projects ?? 3),
    SIMULATOR_SETTINGS: JSON.stringify(options.simulator ?? {}),
  });
  const simulatorUrl = String((await simulator.line('url')).url);
  const shared = {
    DATABASE_URL: options.databaseUrl,
    QUEUE_URL: options.queueUrl,
    ADMIN_PORT: '0',
    LOG_LEVEL: 'debug',
  };
  let worker: AppProcess | null = null;
  let receiverUrl = '';

  async function call(method: string, where: string, body?: unknown): Promise<Response> {
    const answer = await fetch(new URL(where, simulatorUrl), {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      signal: AbortSignal.timeout(120_000),
    });
    if (!answer.ok) throw new Error(`${method} ${where} was answered ${answer.status}: ${await answer.text()}`);
    return answer;
  }

  return {
    simulatorUrl,
    secrets,
    get receiverUrl() {
      return receiverUrl;
    },
    control: async <T>(method: string, where: string, body?: unknown) =>
      JSON.parse(await (await call(method, where, body)).text()) as T, // the test knows what it asked for
    controlLines: async <T>(where: string) => {
      const text = await (await call('GET', where)).text();
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line): T => JSON.parse(line));
    },
    startIngest: async () => {
      const ingest = start('ingest', {
        ...shared,
        INGEST_HOST: '127.0.0.1',
        INGEST_PORT: '0',
        WEBHOOK_AUTHORIZATION: secrets.authorization,
      });
      receiverUrl = `http://127.0.0.1:${(await ingest.line('port')).port}/webhooks/procore`;
    },
    startWorker: async () => {
      worker = start('worker', {
        ...shared,
        PROCORE_LOGIN_URL: simulatorUrl,
        PROCORE_API_URL: simulatorUrl,
        PROCORE_CLIENT_ID: secrets.clientId,
        PROCORE_CLIENT_SECRET: secrets.clientSecret,
        FETCH_DELAY_MS: String(options.fetchDelayMs ?? 200),
      });
      await worker.line('admin_port');
      return worker;
    },
    killWorker: async () => {
      await worker?.end('SIGKILL');
    },
    output: () => processes.map((process_) => process_.output()).join('\n'),
    close: async () => {
      await Promise.all(processes.map((process_) => process_.end('SIGTERM')));
      await rm(directory, { recursive: true, force: true });
    },
  };
}
