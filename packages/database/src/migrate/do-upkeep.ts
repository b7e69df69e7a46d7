import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type Database, openDatabase } from '../connection/open-database.ts';
import { type Name, quoted, readStatement } from './migration-statement.ts';
import type { Upkeep } from './upkeep.ts';

const APPLICATION_NAME = 'procore-mirror upkeep';
const LONGEST_REST_MS = 1_000;
const GIVE_UP_ENDING_MS = 60_000;
/** So long after it was told to end. */
const PATIENCE_MS = 3_000;
/** What a statement fails with when a later migration took away the column that it was for. */
const UNDEFINED_COLUMN = '42703';
const DEADLOCK_DETECTED = '40P01';
/** So often in a row a step of a filling yields to those who store. */
const YIELDS = 20;

export type DoUpkeepOptions = {
  upkeep: Upkeep;
  url: string;
  /** Ends the statement under way. */
  signal: AbortSignal;
  /** Told after each step of a filling. */
  onRows: (rows: number) => Promise<void>;
};

/**
 * Does one thing that a migration left, on a connection of its own, without a transaction around it. Only whoever holds the
 * lease may call it: what an earlier holder left running is ended first. Safe to repeat after an end at any point. `needless`:
 * a later migration took away what it was for.
 */
export async function doUpkeep(database: Database, options: DoUpkeepOptions): Promise<'done' | 'needless'> {
  const own = openDatabase({ url: options.url, applicationName: APPLICATION_NAME, max: 1, statementTimeoutMs: 0 });
  try {
    return await withClient(own, async (client, pid) => {
      options.signal.throwIfAborted();
      const end = () => void database.pool.query('select pg_terminate_backend($1)', [pid]).catch(() => {});
      options.signal.addEventListener('abort', end, { once: true });
      const done = arrange(client).then(() => work(client, options));
      try {
        return await Promise.race([done, soonAfterAbort(options.signal)]);
      } finally {
        options.signal.removeEventListener('abort', end);
      }
    });
  } finally {
    await own.close();
  }
}

async function withClient<T>({ pool }: Database, run: (client: pg.PoolClient, pid: number) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    return await run(client, rows[0]?.pid ?? 0);
  } finally {
    client.release(true);
  }
}

/** A server that is away does not tell that the statement has ended. */
async function soonAfterAbort(signal: AbortSignal): Promise<never> {
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  await sleep(PATIENCE_MS, null, { ref: false });
  throw signal.reason;
}

async function arrange(client: pg.ClientBase): Promise<void> {
  // Readers may hold up an index for hours; it is in nobody's way meanwhile.
  await client.query('set lock_timeout = 0');
  // Where the server can tell, it ends the statement soon after the end of our process.
  await client.query(`set client_connection_check_interval = '2s'`).catch(() => {});
  await client.query(
    `select pg_terminate_backend(pid, ${GIVE_UP_ENDING_MS}) from pg_stat_activity
      where application_name = $1 and usename = current_user and datname = current_database() and pid <> pg_backend_pid()`,
    [APPLICATION_NAME],
  );
}

async function work(client: pg.ClientBase, options: DoUpkeepOptions): Promise<'done' | 'needless'> {
  if (!(await isThere(client, options.upkeep.table))) return 'needless';
  try {
    if (options.upkeep.kind === 'index') await makeIndex(client, options.upkeep);
    else await fill(client, options);
    return 'done';
  } catch (error) {
    if (!(await isThere(client, options.upkeep.table))) return 'needless';
    // Not one that a trigger of somebody else's lacks.
    if (error instanceof pg.DatabaseError && error.code === UNDEFINED_COLUMN && error.where === undefined)
      return 'needless';
    throw error;
  }
}

async function isThere(client: pg.ClientBase, table: Name): Promise<boolean> {
  const { rows } = await client.query<{ exists: boolean }>('select to_regclass($1) is not null as exists', [
    quoted(table),
  ]);
  return rows[0]?.exists === true;
}

async function makeIndex(client: pg.ClientBase, { statement, table, name }: Upkeep): Promise<void> {
  const read = readStatement(statement);
  if (read.kind !== 'make index') throw new Error(`the statement left for ${name} makes no index`);
  const index = quoted(read.index);
  const state = async (): Promise<string> => {
    const { rows } = await client.query<{ state: string }>(
      `select case when i.indexrelid is null or i.indrelid <> to_regclass($2) then 'taken' when i.indisvalid then 'whole' else 'broken' end as state
        from pg_class c left join pg_index i on i.indexrelid = c.oid where c.oid = to_regclass($1)`,
      [index, quoted(table)],
    );
    return rows[0]?.state ?? 'missing';
  };
  // A build that was ended leaves a broken index, which costs writers time and helps no reader.
  if ((await state()) === 'broken') await client.query(`drop index concurrently if exists ${index}`);
  if ((await state()) === 'missing') await client.query(concurrently(statement));
  const now = await state();
  if (now === 'taken') throw new Error(`${name} is there and no index of ${table.schema}.${table.name}`);
  if (now !== 'whole') throw new Error(`${name} is not whole`);
}

function concurrently(statement: string): string {
  return statement.replace(
    /^((?:\s*--[^\n]*\n)*\s*create\s+(?:unique\s+)?index)\s+(?:if\s+not\s+exists\s+)?/i,
    '$1 concurrently if not exists ',
  );
}

/** Rests as long as each step took, so that it takes half of one connection's time at most. */
async function fill(client: pg.ClientBase, { upkeep, signal, onRows }: DoUpkeepOptions): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const startedAt = performance.now();
    const rowCount = await yielding(client, upkeep.statement, signal);
    if (rowCount === 0) return;
    await onRows(rowCount);
    await sleep(Math.min(performance.now() - startedAt, LONGEST_REST_MS), null, { signal });
  }
}

/** Those who store lock rows in another order; a step that met them goes again after a moment. Returns the rows it touched. */
async function yielding(client: pg.ClientBase, statement: string, signal: AbortSignal): Promise<number> {
  for (let tries = 1; ; tries += 1) {
    try {
      return (await client.query(statement)).rowCount ?? 0;
    } catch (error) {
      const isDeadlock = error instanceof pg.DatabaseError && error.code === DEADLOCK_DETECTED;
      if (!isDeadlock || tries === YIELDS) throw error;
    }
    await sleep(Math.random() * LONGEST_REST_MS, null, { signal });
  }
}
