import { type RedisAddress, readRedisAddress, serverOf } from '@procore-mirror/address';
import { type BackendFactory, createRedisBackend, type IQueueBackend } from 'bullmq';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { Backend, BackendOptions } from './backend.ts';
import { checkRedis, type RedisFindings } from './check-redis.ts';
import { QueueUnreachableError, UnfitQueueError, VolatileQueueError } from './errors.ts';
import { createRedisLanding } from './redis-landing.ts';
import { within } from './within.ts';

/** Throws QueueUnreachableError, UnfitQueueError, or VolatileQueueError unless that is allowed. */
export async function openRedisBackend(options: BackendOptions): Promise<Backend> {
  const { client, blocking, findings } = await openClient(options, ({ problems }) => {
    if (problems.length > 0 && !options.allowVolatile) throw new VolatileQueueError(serverOf(options.url), problems);
  });
  const { problems, warnings, infoAllowed } = findings;
  const accepted = problems.length === 0 ? [] : [new VolatileQueueError(serverOf(options.url), problems).message];
  for (const warning of [...accepted, ...warnings]) options.onWarning(warning);
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
}

/** What the Redis at this address is, and whether it keeps what it acknowledges. Throws QueueUnreachableError, UnfitQueueError. */
export async function lookAtRedis(url: string): Promise<RedisFindings> {
  const { client, findings } = await openClient({ url, timeoutMs: 2_000, openWithinMs: 5_000, onError: () => {} });
  await disconnect(client);
  return findings;
}

/** Connected, and what was found out. What `check` throws ends it. */
async function openClient(
  options: Pick<BackendOptions, 'url' | 'timeoutMs' | 'openWithinMs' | 'onError'>,
  check: (findings: RedisFindings) => void = () => {},
): Promise<{ client: Redis | Cluster; blocking: readonly (Redis | Cluster)[]; findings: RedisFindings }> {
  const address = readRedisAddress(options.url);
  const server = serverOf(options.url);
  let refusal: Error | null = null;
  const client = insistOnDatabase(connect(address, options), (error) => {
    refusal = error;
  });
  const blocking = rememberDuplicates(client, options.onError);
  let lastError: unknown;
  client.on('error', (error) => {
    lastError = error;
    options.onError(error);
  });
  try {
    await within(client.connect(), options.openWithinMs, 'connecting');
    const findings = await within(checkRedis(client), options.openWithinMs, 'asking its settings');
    check(findings);
    return { client, blocking, findings };
  } catch (error) {
    client.disconnect();
    if (error instanceof VolatileQueueError) throw error;
    if (refusal !== null) throw noSuchDatabase(server, refusal);
    throw new QueueUnreachableError(server, lastError ?? error);
  }
}

/** BullMQ's Redis backend on our client, whatever connection it is given. */
function onClient(client: Redis | Cluster): BackendFactory<IQueueBackend, unknown> {
  return (name, options, extra) => createRedisBackend(name, { ...options, connection: client }, extra);
}

/**
 * A connection that does not get its database is cut: ioredis goes on in database 0, which is somebody else's. So with those
 * duplicated from it.
 */
function insistOnDatabase<C extends Redis | Cluster>(client: C, onRefused: (error: Error) => void): C {
  if (client.isCluster) return client;
  const select = client.select.bind(client) as (db: number) => Promise<'OK'>;
  client.select = (async (db: number) => {
    try {
      return await select(db);
    } catch (error) {
      // Not when the connection broke meanwhile.
      if (error instanceof Error && error.name === 'ReplyError') onRefused(error);
      client.disconnect(true);
      throw error;
    }
  }) as typeof client.select; // its other forms take a callback, which nobody gives
  return client;
}

function noSuchDatabase(server: string, refusal: Error): UnfitQueueError {
  return new UnfitQueueError(`at ${server} there is no such database: ${refusal.message}`, refusal);
}

function connect(
  address: RedisAddress,
  { timeoutMs, openWithinMs }: Pick<BackendOptions, 'timeoutMs' | 'openWithinMs'>,
): Redis | Cluster {
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
  const { signIn, nodes } = address;
  switch (address.kind) {
    case 'single': {
      const [node] = nodes;
      const { db, family } = address;
      const place = { ...node, db, ...(family !== undefined && { family }) };
      return new Redis({ ...common, ...signIn, ...place, retryStrategy, enableOfflineQueue, lazyConnect: true });
    }
    case 'sentinel': {
      const { name, db, sentinelSignIn } = address;
      const sentinelTls = signIn.tls === undefined ? {} : { enableTLSForSentinelMode: true, sentinelTLS: signIn.tls };
      return new Redis({
        ...common,
        ...signIn,
        ...sentinelSignIn,
        ...sentinelTls,
        sentinels: [...nodes],
        name,
        db,
        retryStrategy,
        enableOfflineQueue,
        lazyConnect: true,
      });
    }
    case 'cluster':
      return new Cluster([...nodes], {
        redisOptions: { ...common, ...signIn },
        // Certificates bear the names of nodes, not the addresses that the cluster tells.
        ...(signIn.tls !== undefined && {
          dnsLookup: (host: string, told: (error: null, address: string) => void) => told(null, host),
        }),
        clusterRetryStrategy: retryStrategy,
        enableOfflineQueue,
        lazyConnect: true,
      });
  }
}

/** The connections duplicated from ours, to wait on: while the server is away BullMQ does not get rid of them. */
function rememberDuplicates(client: Redis | Cluster, onError: (error: unknown) => void): (Redis | Cluster)[] {
  const duplicates: (Redis | Cluster)[] = [];
  const duplicate = client.duplicate.bind(client) as (...options: unknown[]) => Redis | Cluster; // two signatures
  client.duplicate = (...options: unknown[]) => {
    const made = insistOnDatabase(duplicate(...options), onError);
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
