import { readFileSync } from 'node:fs';
import path from 'node:path';
import { openDeliveryQueue, UnfitQueueError, VolatileQueueError } from '@procore-mirror/queue';
import {
  allConfigured,
  ConfigError,
  configured,
  createLog,
  createRegistry,
  followEnv,
  loadDotEnv,
  pathWarning,
  runMain,
  startAdmin,
  tellBuild,
  webhookEnv,
} from '@procore-mirror/runtime';
import { z } from 'zod';
import { createApp } from './app.ts';
import { followAuthorization } from './authorization.ts';
import { createDeliveryStore } from './delivery-store.ts';
import { readIngestEnv, readSpoolDirectory } from './env.ts';
import { linkQueue } from './link-queue.ts';
import { countInAll, createMetrics } from './metrics.ts';
import { startReceiver } from './receiver.ts';
import { openReceiverLife } from './receiver-life.ts';
import { createReports } from './receiver-reports.ts';
import { createRefusalLog } from './refusal-log.ts';
import { openSpool, type Spool } from './spool.ts';

const root = path.join(import.meta.dirname, '../../..');

await runMain({
  name: 'ingest',
  about: 'The receiver: stores what Procore posts, and answers.',
  start: async (lifetime) => {
    loadDotEnv(process.cwd());
    const [env] = await allConfigured(
      () => readIngestEnv(process.env, lifetime.secrets),
      // Tried here, so that what is wrong with it is told with the rest.
      async () => (await openConfiguredSpool(readSpoolDirectory(process.env))).close(),
    );
    const log = createLog({ name: 'ingest', level: env.LOG_LEVEL, secrets: lifetime.secrets });
    lifetime.useLog(log);
    const warning = pathWarning(env.WEBHOOK_URL);
    if (warning !== null) log.warn(warning);
    const spool = await openConfiguredSpool(env.INGEST_SPOOL_DIR, (message) => log.error(message));
    lifetime.defer('spool', () => spool.close());

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
    const secrets = followEnv(z.object({ WEBHOOK_AUTHORIZATION: webhookEnv.WEBHOOK_AUTHORIZATION }), process.env, {
      secrets: lifetime.secrets,
      onChange: (variables) => log.info({ variables }, 'a secret was read anew from its file'),
      onProblem: (problems) => log.warn({ problems }, 'a secret cannot be read again; the last good one stays in use'),
    });
    const authorization = followAuthorization({
      accepted: () => secrets().WEBHOOK_AUTHORIZATION,
      onChange: () => reports.hurry(),
    });
    lifetime.defer('authorization', () => authorization.close());
    const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
    const reports = createReports({
      life: await openReceiverLife(env.INGEST_SPOOL_DIR, (message) => log.warn(message)),
      version,
      spoolHolds: () => spool.count(),
      accepts: authorization.keys,
      store: (report) => store.store(report),
      onError: (error) => log.warn({ error }, 'a report of this receiver could not be kept; the next one tells of it'),
    });
    lifetime.defer('reports', () => reports.close());
    const registry = createRegistry();
    tellBuild(registry, { app: 'ingest', version });
    const app = createApp({
      keyOf: authorization.keyOf,
      store: (envelope) => store.store(envelope),
      metrics: countInAll([createMetrics(registry, () => spool.count()), reports]),
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
    reports.start();
    log.info({ port: receiver.port, admin_port: admin.port }, 'the receiver listens');
  },
});

async function openConfiguredSpool(directory: string, onWarning: (message: string) => void = () => {}): Promise<Spool> {
  return await openSpool({ directory, onWarning }).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError([`INGEST_SPOOL_DIR: cannot write there: ${reason}`], { cause });
  });
}
