// What migrations leave to the workers: indexes of tables that hold rows, and fillings of columns.
import type pg from 'pg';
import type { Database } from '../connection/open-database.ts';
import type { Queryable } from '../connection/queryable.ts';
import { inTransaction } from '../connection/transaction.ts';
import { type Name, quoted, shown } from './migration-statement.ts';

export type Upkeep = {
  /** Of an index its name with its schema; of a filling the one that its migration gave it. */
  name: string;
  kind: 'index' | 'filling';
  statement: string;
  /** The table that it works on. */
  table: Name;
};

const FIRST_PAUSE = `interval '10 seconds'`;
const LONGEST_PAUSE = `interval '1 hour'`;

/** The index that this statement makes, as something to be left to the workers. */
export function indexUpkeep(statement: string, index: Name, table: Name): Upkeep {
  return { name: shown(index), kind: 'index', statement, table };
}

/** Whether a table is there and holds rows. */
export async function holdsRows(client: pg.ClientBase, table: Name): Promise<boolean> {
  const { rows } = await client.query<{ holds: boolean }>(`select exists (select from ${quoted(table)}) as holds`);
  return rows[0]?.holds === true;
}

/** Whether the database has come so far that its workers do upkeep. */
export async function isUpkeepKnown(client: pg.ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ exists: boolean }>(`select to_regclass('mirror.upkeep') is not null as exists`);
  return rows[0]?.exists === true;
}

/** Leaves this to the workers. Idempotent; what was done before is to be done again. */
export async function leaveToWorkers(client: Queryable, upkeep: Upkeep): Promise<void> {
  const { name, kind, statement, table } = upkeep;
  await client.query(LEAVE, [name, kind, statement, table.schema, table.name]);
}

const LEAVE = `
insert into mirror.upkeep as u (name, kind, statement, table_schema, table_name) values ($1, $2, $3, $4, $5)
on conflict (name) do update set kind = excluded.kind, statement = excluded.statement,
  table_schema = excluded.table_schema, table_name = excluded.table_name,
  added_at = now(), done_at = null, rows = 0, failures = 0, next_try_at = null, last_error = null
where u.done_at is not null or u.statement <> excluded.statement`;

/** Forgets what is not wanted any more. */
export async function forgetUpkeep(client: pg.ClientBase, name: string): Promise<void> {
  if (await isUpkeepKnown(client)) await client.query('delete from mirror.upkeep where name = $1', [name]);
}

/** Takes what is due and was left first, unless another worker is at something. Null: nothing is to be done now. */
export async function claimUpkeep(
  database: Database,
  { holder, leaseMs }: { holder: string; leaseMs: number },
): Promise<Upkeep | null> {
  const waiting = await database.pool.query('select from mirror.upkeep where done_at is null limit 1');
  if (waiting.rowCount === 0) return null;
  return inTransaction(database, async (client) => {
    await client.query(`select mirror.take_turn('upkeep')`);
    const { rows } = await client.query<Upkeep>(CLAIM, [holder, leaseMs]);
    return rows[0] ?? null;
  });
}

const CLAIM = `
update mirror.upkeep set lease_holder = $1, lease_until = clock_timestamp() + $2::float8 * interval '1 ms'
where name = (
    select name from mirror.upkeep where done_at is null and coalesce(next_try_at <= clock_timestamp(), true)
    order by position limit 1)
  and not exists (select from mirror.upkeep where lease_until > clock_timestamp())
returning name, kind, statement, json_build_object('schema', table_schema, 'name', table_name) as "table"`;

/** False when it is not ours any more. */
export async function renewUpkeep(
  { pool }: Database,
  { name }: Upkeep,
  { holder, leaseMs, rows = 0 }: { holder: string; leaseMs: number; rows?: number },
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `update mirror.upkeep set lease_until = now() + $3::float8 * interval '1 ms', rows = rows + $4,
        failures = case when $4 > 0 then 0 else failures end
      where name = $1 and lease_holder = $2 and done_at is null`,
    [name, holder, leaseMs, rows],
  );
  return rowCount === 1;
}

/** Gives it back: done, or to be tried again after a pause that grows with each failure. Nothing happens when it is not ours. */
export async function endUpkeep(
  { pool }: Database,
  { name }: Upkeep,
  { holder, error }: { holder: string; error: string | null },
): Promise<void> {
  await pool.query(
    `update mirror.upkeep set lease_holder = null, lease_until = null,
        done_at = case when $3::text is null then now() end,
        failures = case when $3::text is null then 0 else failures + 1 end,
        next_try_at = case when $3::text is not null then now() + least(${LONGEST_PAUSE}, ${FIRST_PAUSE} * 2 ^ least(failures, 20)) end,
        last_error = $3
      where name = $1 and lease_holder = $2`,
    [name, holder, error],
  );
}

/** Gives it back as it was: its worker stops. */
export async function putBackUpkeep({ pool }: Database, { name }: Upkeep, holder: string): Promise<void> {
  await pool.query(
    `update mirror.upkeep set lease_holder = null, lease_until = null where name = $1 and lease_holder = $2`,
    [name, holder],
  );
}
