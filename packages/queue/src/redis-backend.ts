import { type BackendFactory, createRedisBackend, type IQueueBackend } from 'bullmq';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { Backend, BackendOptions } from './backend.ts';
import { checkRedis } from './check-redis.ts';
import { QueueUnreachableError, VolatileQueueError } from './errors.ts';
import { createRedisLanding } from './redis-landing.ts';
import { parseRedisUrl, type RedisPlace } from './redis-url.ts';
import { within } from './within.ts';

/** Throws QueueUnreachableError, or VolatileQueueError unless that is allowed. */
export async function openRedisBackend(options: BackendOptions): Promise<Backend> {
  const place = parseRedisUrl(options.url);
  const client = connect(place, options);
  const blocking = rememberDuplicates(client);
  let lastError: unknown;
  client.on('error', (error) => {
    lastError = error;
    options.onError(error);
  });
  try {
    await within(client.connect(), options.openWithinMs, 'connecting');
    const { problems, warnings, infoAllowed } = await within(
      checkRedis(client),
      options.openWithinMs,
      'asking its settings',
    );
    const volatile = problems.length > 0 ? new VolatileQueueError(place.server, problems) : null;
    if (volatile !== null && !options.allowVolatile) throw volatile;
    for (const warning of volatile === null ? warnings : [volatile.message, ...warnings]) options.onWarning(warning);
    const prefix = `{${options.namespace}}`; // the braces keep all keys of a queue in one slot of a cluster
    const key = `${prefix}:landing`;
    return {
      createBackend: onClient(client),
      queueName: 'deliveries',
      prefix,
      // Both kinds can be duplicated, but TypeScript sees two signatures.
      landing: createRedisLanding({ client, duplicate: () => (client as Redis).duplicate(), key }),
      skipVersionCheck: !infoAllowed,
      async close() {
        for (const duplicate of blocking) duplicate.disconnect();
        await disconnect(client);
      },
    };
  } catch (error) {
    client.disconnect();
    if (error instanceof VolatileQueueError) throw error;
    throw new QueueUnreachableError(place.server, lastError ?? error);
  }
}

/** BullMQ's Redis backend on our client, whatever connection it is given. */
function onClient(client: Redis | Cluster): BackendFactory<IQueueBackend, unknown> {
  return (name, options, extra) => createRedisBackend(name, { ...options, connection: client }, extra);
}

function connect(place: RedisPlace, { timeoutMs, openWithinMs }: BackendOptions): Redis | Cluster {
  const retryStrategy = (times: number) => Math.min(50 * 2 ** Math.min(times, 10), 1_000);
  const common = {
    connectTimeout: timeoutMs ?? openWithinMs,
    keepAlive: 10_000,
    // Longer than BullMQ blocks (10 s): silence beyond that is a dead connection.
    socketTimeout: timeoutMs === undefined ? 30_000 : 2 * timeoutMs,
    // After a failover the old master, now a replica, refuses writes: connect anew.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
    // A producer learns at once that the server is away; a consumer waits for it.
    maxRetriesPerRequest: timeoutMs === undefined ? null : 0,
    connectionName: 'procore-mirror',
  } satisfies RedisOptions;
  const enableOfflineQueue = timeoutMs === undefined;
  switch (place.kind) {
    case 'single':
      return new Redis(place.url, { ...common, retryStrategy, enableOfflineQueue, lazyConnect: true });
    case 'sentinel': {
      const { sentinels, name, db, signIn, sentinelSignIn } = place;
      const sentinelTls = signIn.tls === undefined ? {} : { enableTLSForSentinelMode: true, sentinelTLS: {} };
      return new Redis({
        ...common,
        ...signIn,
        ...sentinelSignIn,
        ...sentinelTls,
        sentinels: [...sentinels],
        name,
        db,
        retryStrategy,
        enableOfflineQueue,
        lazyConnect: true,
      });
    }
    case 'cluster':
      return new Cluster([...place.nodes], {
        redisOptions: { ...common, ...place.signIn },
        clusterRetryStrategy: retryStrategy,
        enableOfflineQueue,
        lazyConnect: true,
      });
  }
}

/** The connections duplicated from ours, to wait on: while the server is away BullMQ does not get rid of them. */
function rememberDuplicates(client: Redis | Cluster): (Redis | Cluster)[] {
  const duplicates: (Redis | Cluster)[] = [];
  const duplicate = client.duplicate.bind(client) as (...options: unknown[]) => Redis | Cluster; // two signatures
  client.duplicate = (...options: unknown[]) => {
    const made = duplicate(...options);
    duplicates.push(made);
    return made as Redis & Cluster; // of the kind that was duplicated
  };
  return duplicates;
}

async function disconnect(client: Redis | Cluster): Promise<void> {
  try {
    if (client.status === 'ready') await within(client.quit(), 1_000, 'closing');
  } catch {
    // It is being left anyway.
  } finally {
    client.disconnect();
  }
}
