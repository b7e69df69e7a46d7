import { openDeliveryQueue, UnfitQueueError, VolatileQueueError } from '@procore-mirror/queue';
import {
  allConfigured,
  ConfigError,
  configured,
  createLog,
  createRegistry,
  type Log,
  loadDotEnv,
  pathWarning,
  runMain,
  startAdmin,
} from '@procore-mirror/runtime';
import { createApp } from './app.ts';
import { createAuthorization } from './authorization.ts';
import { createDeliveryStore } from './delivery-store.ts';
import { readIngestEnv, readSpoolDirectory } from './env.ts';
import { linkQueue } from './link-queue.ts';
import { createMetrics } from './metrics.ts';
import { startReceiver } from './receiver.ts';
import { createRefusalLog } from './refusal-log.ts';
import { openSpool, type Spool } from './spool.ts';

await runMain({
  name: 'ingest',
  start: async (lifetime) => {
    loadDotEnv(process.cwd());
    const [env, spool] = await allConfigured(
      () => readIngestEnv(process.env, lifetime.secrets),
      async () => {
        const opened = await openConfiguredSpool(readSpoolDirectory(process.env), (message) => log.error(message));
        lifetime.defer('spool', () => opened.close());
        return opened;
      },
    );
    const log: Log = createLog({ name: 'ingest', level: env.LOG_LEVEL, secrets: lifetime.secrets });
    lifetime.useLog(log);
    const warning = pathWarning(env.WEBHOOK_URL);
    if (warning !== null) log.warn(warning);

    const openQueue = () =>
      openDeliveryQueue({
        url: env.queue.url,
        allowVolatile: env.QUEUE_ALLOW_VOLATILE,
        onWarning: (message) => log.warn(message),
      });
    const link = () =>
      linkQueue({
        open: openQueue,
        onProblem: (error) => {
          if (error instanceof VolatileQueueError || error instanceof UnfitQueueError)
            log.error({ error }, 'the queue is refused; deliveries are spooled');
          else log.warn({ error }, 'the queue cannot be reached; deliveries are spooled');
        },
      });
    const queue = await configured(env.queue.variable, link);
    lifetime.defer('queue', () => queue.close());

    const store = createDeliveryStore({ queue, spool, log });
    lifetime.defer('delivery store', () => store.close());
    const registry = createRegistry();
    const app = createApp({
      isProved: createAuthorization(env.WEBHOOK_AUTHORIZATION),
      store: (delivery) => store.store(delivery),
      metrics: createMetrics(registry, () => spool.count()),
      onRefused: createRefusalLog(log),
    });
    const admin = await startAdmin({
      host: env.ADMIN_HOST,
      port: env.ADMIN_PORT,
      registry,
      ready: () => store.problems(),
      log,
    });
    lifetime.defer('admin', () => admin.close());
    const receiver = await startReceiver({ app, host: env.INGEST_HOST, port: env.INGEST_PORT });
    lifetime.defer('receiver', () => receiver.close());
    log.info({ port: receiver.port, admin_port: admin.port }, 'the receiver listens');
  },
});

async function openConfiguredSpool(directory: string, onWarning: (message: string) => void): Promise<Spool> {
  return await openSpool({ directory, onWarning }).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError([`INGEST_SPOOL_DIR: cannot write there: ${reason}`], { cause });
  });
}
