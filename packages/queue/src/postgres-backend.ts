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
import { within } from './within.ts';

const schema = 'bullmq';

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
  const ours = `-c search_path=${schema} -c synchronous_commit=on`;
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
    // Asked first, because running no migration still needs the right to create a schema.
    if ((await schemaVersion(client)) < LATEST_SCHEMA_VERSION) await runMigrations(client, schema);
    const { rows } = await client.query<{ fsync: string; full_page_writes: string }>(
      "select current_setting('fsync') as fsync, current_setting('full_page_writes') as full_page_writes",
    );
    return Object.entries(rows[0] ?? {})
      .filter(([, value]) => value === 'off')
      .map(([name]) => `Postgres runs with ${name} off: when its machine fails, acknowledged deliveries may be lost`);
  } finally {
    await within(client.end(), 1_000, 'closing').catch(() => {});
  }
}

async function schemaVersion(client: pg.Client): Promise<number> {
  const { rows: found } = await client.query('select to_regclass($1) is not null as exists', [`${schema}.migration`]);
  if (!found[0]?.exists) return 0;
  const { rows } = await client.query(`select coalesce(max(version), 0)::int as version from ${schema}.migration`);
  return Number(rows[0]?.version ?? 0);
}

function serverOf(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}
