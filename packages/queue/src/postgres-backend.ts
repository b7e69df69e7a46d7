import {
  type BackendFactory,
  createPostgresBackend,
  type IQueueBackend,
  LATEST_SCHEMA_VERSION,
  type PgPool,
  runMigrations,
} from 'bullmq';
import pg from 'pg';
import type { Backend, BackendOptions } from './backend.ts';
import { QueueUnreachableError } from './errors.ts';
import { makeRowLocks, readStanding, SCHEMA, SEARCH_PATH, useRowLocks } from './row-locks.ts';
import { within } from './within.ts';

const LOCK_NOT_AVAILABLE = '55P03';

/** Brings BullMQ's schema up to date, then connects; throws QueueUnreachableError. Needs a session of its own per connection: no transaction pooler in between. */
export async function openPostgresBackend(options: BackendOptions): Promise<Backend> {
  const connection = sessionOptions(options.url);
  try {
    for (const warning of await prepare(connection, options.openWithinMs)) options.onWarning(warning);
  } catch (error) {
    throw new QueueUnreachableError(serverOf(options.url), error);
  }
  const pool = new pg.Pool({
    ...connection,
    max: options.connections,
    connectionTimeoutMillis: options.timeoutMs ?? options.openWithinMs,
    query_timeout: options.timeoutMs ?? 30_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  });
  pool.on('error', options.onError);
  return {
    createBackend: onPool(pool),
    queueName: `${options.namespace}-deliveries`,
    prefix: options.namespace,
    landing: null,
    skipVersionCheck: false,
    close: () => within(pool.end(), 1_000, 'closing').catch(() => {}),
  };
}

/** BullMQ's Postgres backend on our pool, whatever connection it is given. */
function onPool(pool: pg.Pool): BackendFactory<IQueueBackend, unknown> {
  const connection = pool as unknown as PgPool; // its types copy those of pg, but not exactly
  return (name, options, extra) => createPostgresBackend(name, { ...options, connection }, extra);
}

type SessionOptions = { connectionString: string; options: string; application_name: string };

/** The settings each session needs, together with those in the URL, which would otherwise replace them. */
function sessionOptions(url: string): SessionOptions {
  if (!URL.canParse(url)) throw new TypeError('the queue URL is not a valid postgres URL'); // URL's own error shows it
  const place = new URL(url);
  const own = place.searchParams.get('options');
  place.searchParams.delete('options');
  // An add counts as durable only because its commit waits for the disk, whatever the server's default.
  const ours = `-c search_path=${SEARCH_PATH} -c synchronous_commit=on`;
  return {
    connectionString: place.href,
    options: own === null ? ours : `${own} ${ours}`,
    application_name: place.searchParams.get('application_name') ?? 'procore-mirror queue',
  };
}

/** Returns what an operator should know about this server. */
async function prepare(connection: SessionOptions, connectWithinMs: number): Promise<string[]> {
  const client = new pg.Client({
    ...connection,
    connectionTimeoutMillis: connectWithinMs,
    query_timeout: 60_000,
    lock_timeout: 30_000,
  });
  client.on('error', () => {}); // the query under way rejects as well
  try {
    await client.connect();
    const warnings = await bringUpToDate(client);
    const { rows } = await client.query<{ fsync: string; full_page_writes: string }>(
      "select current_setting('fsync') as fsync, current_setting('full_page_writes') as full_page_writes",
    );
    for (const [name, value] of Object.entries(rows[0] ?? {})) {
      if (value !== 'off') continue;
      warnings.push(`Postgres runs with ${name} off: when its machine fails, acknowledged deliveries may be lost`);
    }
    return warnings;
  } finally {
    await within(client.end(), 1_000, 'closing').catch(() => {});
  }
}

/** Runs BullMQ's migrations, with row locks in place of its advisory ones from the first lock on. */
async function bringUpToDate(client: pg.Client): Promise<string[]> {
  // Both asked first, because to change nothing still needs the right to.
  const isOld = (await schemaVersion(client)) < LATEST_SCHEMA_VERSION;
  const { areMade, areUsed, isOurs } = await readStanding(client);
  try {
    if (isOurs && !areMade) await makeRowLocks(client);
    if (isOld) await runMigrations(client, SCHEMA);
    if (isOurs && (isOld || !areUsed)) await useRowLocks(client);
  } catch (cause) {
    if (!(cause instanceof pg.DatabaseError) || cause.code !== LOCK_NOT_AVAILABLE) throw cause;
    throw new Error(`another session has been changing schema ${SCHEMA}, or keeping its tables locked, for 30 s`, {
      cause,
    });
  }
  if (isOurs || (areMade && areUsed)) return [];
  return [
    `whoever may connect to the queue's database can stop the queue with an advisory lock: start the receiver or a worker ` +
      `once with a QUEUE_URL of the role that owns the functions in schema ${SCHEMA}; that gives them locks of their own`,
  ];
}

async function schemaVersion(client: pg.Client): Promise<number> {
  const { rows: found } = await client.query('select to_regclass($1) is not null as exists', [`${SCHEMA}.migration`]);
  if (!found[0]?.exists) return 0;
  const { rows } = await client.query(`select coalesce(max(version), 0)::int as version from ${SCHEMA}.migration`);
  return Number(rows[0]?.version ?? 0);
}

function serverOf(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}
