import {
  keepSessions,
  type PostgresAddress,
  poolerProblem,
  readPostgresAddress,
  serverOf,
} from '@procore-mirror/address';
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
import { QueueUnreachableError, UnfitQueueError } from './errors.ts';
import { makeRowLocks, readStanding, SCHEMA, SEARCH_PATH, useRowLocks } from './row-locks.ts';
import { within } from './within.ts';

const LOCK_NOT_AVAILABLE = '55P03';
const INSUFFICIENT_PRIVILEGE = '42501';

/**
 * Brings BullMQ's schema up to date, then connects. Throws a QueueUnreachableError, and an UnfitQueueError where a pooler gives
 * sessions out for one transaction at a time.
 */
export async function openPostgresBackend(options: BackendOptions): Promise<Backend> {
  const connection = connectionOf(options.url);
  try {
    for (const warning of await prepare(connection, options)) options.onWarning(warning);
  } catch (error) {
    if (error instanceof UnfitQueueError) throw error;
    throw new QueueUnreachableError(serverOf(options.url), error);
  }
  const pool = new pg.Pool({
    ...connection,
    max: options.connections,
    connectionTimeoutMillis: options.timeoutMs ?? options.openWithinMs,
    query_timeout: options.timeoutMs ?? 30_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    onConnect: (client) => client.query(SESSION).then(() => undefined),
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

/** What every session needs. Not as start-up options: those of the address would replace them, and poolers refuse them. */
// An add counts as durable only because its commit waits for the disk, whatever the server's default.
// A role may have limits for people's sessions, which would end ours in the midst of a step while the machine is busy.
const SESSION = `set search_path = ${SEARCH_PATH}; set synchronous_commit = on; set lock_timeout = '30s';
set idle_in_transaction_session_timeout = '60s'; set idle_session_timeout = 0; set statement_timeout = '60s'`;

function connectionOf(url: string): PostgresAddress {
  return { application_name: 'procore-mirror queue', ...readPostgresAddress(url) };
}

/** Returns what an operator should know about this server. */
async function prepare(connection: PostgresAddress, { url, openWithinMs }: BackendOptions): Promise<string[]> {
  // A pooler lets in at once, and then has no session to give.
  const open = async () => {
    const client = new pg.Client({
      ...connection,
      connectionTimeoutMillis: openWithinMs,
      query_timeout: 60_000,
    });
    client.on('error', () => {}); // the query under way rejects as well
    clients.push(client);
    await client.connect();
    await within(client.query(SESSION), openWithinMs, 'waiting for a session');
    return client;
  };
  const clients: pg.Client[] = [];
  try {
    const client = await open();
    if (!(await within(keepSessions(client, await open()), openWithinMs, 'looking for a pooler')))
      throw new UnfitQueueError(poolerProblem(url));
    const warnings = await bringUpToDate(client).catch((error) => explainRights(client, error));
    const { rows } = await client.query<{ fsync: string; full_page_writes: string }>(
      "select current_setting('fsync') as fsync, current_setting('full_page_writes') as full_page_writes",
    );
    for (const [name, value] of Object.entries(rows[0] ?? {})) {
      if (value !== 'off') continue;
      warnings.push(`Postgres runs with ${name} off: when its machine fails, acknowledged deliveries may be lost`);
    }
    return warnings;
  } finally {
    await Promise.all(clients.map((client) => within(client.end(), 1_000, 'closing').catch(() => {})));
  }
}

/** Runs BullMQ's migrations, with row locks in place of its advisory ones from the first lock on. */
async function bringUpToDate(client: pg.Client): Promise<string[]> {
  // Both asked first, because to change nothing still needs the right to.
  const isOld = (await schemaVersion(client)) < LATEST_SCHEMA_VERSION;
  const { areMade, areUsed, isOurs } = await readStanding(client);
  try {
    if (isOurs && !areMade) await makeRowLocks(client);
    if (isOld) await runMigrations(withoutCreateSchema(client), SCHEMA);
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

/**
 * For BullMQ's migrations: the schema is there by then, and `create schema if not exists` needs the right to create one even so.
 */
function withoutCreateSchema(client: pg.Client): Pick<pg.Client, 'query'> {
  const query = (text: string, values?: unknown[]) =>
    client.query(/^create schema\b/i.test(text) ? 'select' : text, /^create schema\b/i.test(text) ? [] : values);
  return { query: query as pg.Client['query'] }; // in the form that BullMQ uses
}

/** The error, in words that say what to run where it is for want of rights. */
async function explainRights(client: pg.Client, cause: unknown): Promise<never> {
  if (!(cause instanceof pg.DatabaseError) || cause.code !== INSUFFICIENT_PRIVILEGE) throw cause;
  const { rows } = await client.query<{ role: string; exists: boolean }>(
    'select quote_ident(current_user) as role, to_regnamespace($1) is not null as exists',
    [SCHEMA],
  );
  const role = rows[0]?.role ?? '…';
  const statement = rows[0]?.exists
    ? `grant usage, create on schema ${SCHEMA} to ${role}`
    : `create schema ${SCHEMA} authorization ${role}`;
  throw new UnfitQueueError(
    `role ${role} lacks a right in the queue's database (${cause.message}): let an administrator run \`${statement}\``,
    cause,
  );
}

async function schemaVersion(client: pg.Client): Promise<number> {
  const { rows: found } = await client.query('select to_regclass($1) is not null as exists', [`${SCHEMA}.migration`]);
  if (!found[0]?.exists) return 0;
  const { rows } = await client.query(`select coalesce(max(version), 0)::int as version from ${SCHEMA}.migration`);
  return Number(rows[0]?.version ?? 0);
}
