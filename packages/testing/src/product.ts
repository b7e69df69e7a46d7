// The product as it runs in production, each part a process of its own. What stands in Procore's place is the caller's.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type AppProcess, startApp } from './app-process.ts';

export type ProductOptions = {
  databaseUrl: string;
  queueUrl: string;
  /** Login and API of what stands in Procore's place. */
  procoreUrl: string;
  fetchDelayMs?: number;
  /** Batches in hand at once in each worker. */
  concurrency?: number;
};

export type Product = {
  /** Where Procore is to send its deliveries. */
  receiverUrl: string;
  secrets: { clientId: string; clientSecret: string; authorization: string };
  /** `env` adds to what the receiver is told, or replaces it. */
  startIngest: (env?: Record<string, string>) => Promise<AppProcess>;
  /** `env` adds to what the worker is told, or replaces it. */
  startWorker: (env?: Record<string, string>) => Promise<AppProcess>;
  /** Kills the worker started last in the middle of whatever it does. */
  killWorker: () => Promise<void>;
  /** What all processes wrote, of those that were killed, too. */
  output: () => string;
  close: () => Promise<void>;
};

export const secrets: Product['secrets'] = {
  clientId: 'client-of-the-test',
  clientSecret: 'a-client-secret-that-nobody-may-see',
  authorization: 'Bearer a-webhook-secret-that-nobody-may-see',
};

/** Starts nothing yet: receiver and workers follow when the test says so. */
export async function prepareProduct(options: ProductOptions): Promise<Product> {
  const directory = await mkdtemp(path.join(tmpdir(), 'procore-mirror-system-'));
  const processes: AppProcess[] = [];
  const start = (app: 'ingest' | 'worker', env: Record<string, string>): AppProcess => {
    const shared = {
      DATABASE_URL: options.databaseUrl,
      QUEUE_URL: options.queueUrl,
      ADMIN_PORT: '0',
      LOG_LEVEL: 'debug',
    };
    const process_ = startApp(app, { ...shared, ...env }, { directory });
    processes.push(process_);
    return process_;
  };
  let worker: AppProcess | null = null;
  let receiverUrl = '';

  return {
    secrets,
    get receiverUrl() {
      return receiverUrl;
    },
    startIngest: async (env = {}) => {
      const ingest = start('ingest', {
        INGEST_HOST: '127.0.0.1',
        INGEST_PORT: '0',
        WEBHOOK_AUTHORIZATION: secrets.authorization,
        ...env,
      });
      receiverUrl = `http://127.0.0.1:${(await ingest.line('port')).port}/webhooks/procore`;
      return ingest;
    },
    startWorker: async (env = {}) => {
      worker = start('worker', {
        PROCORE_LOGIN_URL: options.procoreUrl,
        PROCORE_API_URL: options.procoreUrl,
        PROCORE_CLIENT_ID: secrets.clientId,
        PROCORE_CLIENT_SECRET: secrets.clientSecret,
        FETCH_DELAY_MS: String(options.fetchDelayMs ?? 200),
        ...(options.concurrency !== undefined && { WORKER_CONCURRENCY: String(options.concurrency) }),
        ...env,
      });
      const started = worker;
      await started.line('admin_port');
      return started;
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
