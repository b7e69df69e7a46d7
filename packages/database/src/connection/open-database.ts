import { keepSessions, poolerProblem, readPostgresAddress, serverOf } from '@procore-mirror/address';
import pg from 'pg';
import { PoolerError } from '../errors.ts';

/** What takes all of it commits by itself; reads take a Queryable (`database.pool`), what belongs with other statements a Transaction. */
export type Database = {
  /** The address that its connections lead to. */
  url: string;
  pool: pg.Pool;
  /** Waits for queries in hand, then ends all connections. */
  close: () => Promise<void>;
};

export type DatabaseOptions = {
  url: string;
  /** Shown in `pg_stat_activity`. */
  applicationName: string;
  /** Connections at most; 10 when not given. */
  max?: number;
  /** 60,000 when not given; 0 for none. */
  statementTimeoutMs?: number;
  /** Told of connections that broke while idle; the pool replaces them. */
  onError?: (error: Error) => void;
};

const CONNECT_TIMEOUT_MS = 10_000;

const SESSION = `set time zone 'UTC'; set datestyle = 'ISO'; set intervalstyle = 'postgres'; set lock_timeout = '30s';
set idle_in_transaction_session_timeout = '60s'; set statement_timeout = `;

/**
 * Opens a pool; connects only when the first query comes. Whatever JavaScript would round comes back as text: bigint,
 * numeric, date (`2026-06-30`) and timestamptz (ISO 8601 in UTC, microseconds kept).
 */
export function openDatabase(options: DatabaseOptions): Database {
  const statementTimeoutMs = options.statementTimeoutMs ?? 60_000;
  const pool = new pg.Pool({
    ...readPostgresAddress(options.url),
    application_name: options.applicationName,
    max: options.max ?? 10,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    // A server that went silent cannot end the statement for us.
    ...(statementTimeoutMs > 0 && { query_timeout: statementTimeoutMs + 5_000 }),
    keepAlive: true,
    types: { getTypeParser: parserOf },
    // Not as start-up options: those of the address would replace them, and poolers refuse them.
    onConnect: (client) => startSession(client, `${SESSION}${statementTimeoutMs}`),
  });
  pool.on('error', (error) => options.onError?.(error));
  // The pool listens to idle connections only. One that breaks in a caller's hand fails the caller's next query.
  pool.on('connect', (client) => client.on('error', () => {}));
  return { url: options.url, pool, close: () => pool.end() };
}

/** A pooler lets in at once, and then may have no session to give. */
async function startSession(client: pg.ClientBase, settings: string): Promise<void> {
  const timed = { text: settings, query_timeout: CONNECT_TIMEOUT_MS }; // pg knows it, its types do not
  await client.query(timed);
}

/**
 * Opens a pool whose connections keep their sessions, and connects: at `directUrl` where a pooler answers at `url` that gives
 * sessions out for one transaction at a time. Throws a PoolerError when no other address is given, and an Error that names the
 * server when it cannot be reached or does not let us in.
 */
export async function openSessions(
  options: DatabaseOptions & { directUrl?: string | undefined; onPooler?: () => void },
): Promise<Database> {
  const { url, directUrl = url } = options;
  const database = openDatabase(options);
  try {
    if (await hasSessions(database)) return database;
  } catch (error) {
    await database.close();
    throw error;
  }
  await database.close();
  if (directUrl === url) throw new PoolerError(poolerProblem(url));
  const { onPooler, ...rest } = options;
  onPooler?.();
  return await openSessions({ ...rest, url: directUrl, directUrl });
}

/** Do its connections keep their sessions? Connects. Throws an Error that names the server. */
export async function hasSessions({ url, pool }: Database): Promise<boolean> {
  const failed = (message: string) => (cause: unknown) => {
    throw new Error(`Postgres at ${serverOf(url)} ${message}`, { cause });
  };
  const one = await pool.connect().catch((cause) => failed(refusalOf(cause))(cause));
  try {
    const other = await pool
      .connect()
      .catch(failed('gave one session and no other: does a pooler have enough of them?'));
    try {
      return await keepSessions(one, other);
    } finally {
      other.release();
    }
  } finally {
    one.release();
  }
}

/** Who answers with an error of its own was reached. */
function refusalOf(cause: unknown): string {
  return cause instanceof pg.DatabaseError ? 'did not let us in' : 'could not be reached';
}

const asText = (value: string) => value;
const asIsoText = (value: string) => value.replace(' ', 'T').replace(/\+00$/, 'Z');

const TEXT_PARSERS = new Map<number, (value: string) => string>([
  [pg.types.builtins.DATE, asText],
  [pg.types.builtins.TIMESTAMP, asText],
  [pg.types.builtins.TIMESTAMPTZ, asIsoText],
]);

function parserOf(type: number, format?: string): ReturnType<typeof pg.types.getTypeParser> {
  return (format !== 'binary' && TEXT_PARSERS.get(type)) || pg.types.getTypeParser(type, format as 'text');
}
