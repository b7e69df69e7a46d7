import { serverOf } from '@procore-mirror/address';
import { hasSessions, openDatabase } from '../connection/open-database.ts';
import type { Queryable } from '../connection/queryable.ts';

/** What a Postgres says of itself, as one of our sessions finds it. */
export type ServerFacts = {
  /** As people write it: `18.1`. */
  version: string;
  /** `180001`. */
  versionNumber: number;
  encoding: string;
  fsync: boolean;
  fullPageWrites: boolean;
  /** `off`: what is committed may be lost when the server is killed. */
  synchronousCommit: string;
  /** A standby, which takes no writes. */
  isReadOnly: boolean;
  databaseBytes: number;
  /** Null: this role may not know. */
  dataDirectory: string | null;
  /** Two addresses with the same one lead to the same database. */
  identity: string;
  /** How far the clock of this machine is ahead of the server's, ms. */
  aheadMs: number;
  /** Does each connection keep its session? Not behind a pooler that gives sessions out for a transaction. */
  keepsSessions: boolean;
};

/** Asks the server at this address. Throws an Error that names it, without its password, when it gives no answer or does not let us in. */
export async function lookAtServer(url: string, applicationName: string): Promise<ServerFacts> {
  const database = openDatabase({ url, applicationName, max: 2, statementTimeoutMs: 20_000 });
  try {
    const keepsSessions = await hasSessions(database);
    return { ...(await readServer(database.pool)), aheadMs: await measureClock(database.pool), keepsSessions };
  } catch (error) {
    if (error instanceof Error && error.message.includes(serverOf(url))) throw error;
    throw new Error(`Postgres at ${serverOf(url)} does not answer`, { cause: error });
  } finally {
    await database.close();
  }
}

async function readServer(client: Queryable): Promise<Omit<ServerFacts, 'aheadMs' | 'keepsSessions'>> {
  const { rows } = await client.query<Omit<ServerFacts, 'aheadMs' | 'keepsSessions'>>(SERVER);
  const [server] = rows;
  if (server === undefined) throw new Error('the server gave no answer');
  return server;
}

/** The shortest of three answers tells most exactly. */
async function measureClock(client: Queryable): Promise<number> {
  let best = { tookMs: Number.POSITIVE_INFINITY, aheadMs: 0 };
  for (let round = 0; round < 3; round += 1) {
    const askedAt = Date.now();
    const { rows } = await client.query<{ ms: number }>(
      'select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms',
    );
    const tookMs = Date.now() - askedAt;
    if (tookMs < best.tookMs) best = { tookMs, aheadMs: askedAt + tookMs / 2 - (rows[0]?.ms ?? askedAt) };
  }
  return Math.round(best.aheadMs);
}

const SERVER = `
select current_setting('server_version') as version, current_setting('server_version_num')::int as "versionNumber",
  current_setting('server_encoding') as encoding, current_setting('fsync') = 'on' as fsync,
  current_setting('full_page_writes') = 'on' as "fullPageWrites", current_setting('synchronous_commit') as "synchronousCommit",
  pg_is_in_recovery() as "isReadOnly", pg_database_size(current_database())::float8 as "databaseBytes",
  case when pg_has_role('pg_read_all_settings', 'usage') then current_setting('data_directory') end as "dataDirectory",
  concat_ws('/', extract(epoch from pg_postmaster_start_time()),
    (select oid from pg_database where datname = current_database())) as identity`;
