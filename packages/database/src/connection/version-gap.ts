// Numbers of fetches never fall: of the sequence `fetch_version` and the row of its highest number the higher one counts, for
// logical replication does not carry sequences, and a restore may bring back one of the two. Where mirrored tables alone came
// from another server, rows may bear numbers that were not given yet, and every answer would seem older than its row. A store
// that meets such a row has the numbers go on above it, and what was under way is fetched anew. So the number of a row
// never falls either.
import type pg from 'pg';
import type { MirroredTable } from '../schema/mirrored-table.ts';
import { tableName } from '../schema/quote.ts';
import type { Database } from './open-database.ts';
import type { Queryable, Transaction } from './queryable.ts';

/**
 * A row bears a number that was not given when this fetch took its own, so nobody knows which is newer. `inTransaction` has the
 * numbers go on above it; the fetch is to be made anew.
 */
export class VersionBehindError extends Error {
  override name = 'VersionBehindError' as const;
  readonly highest: string;
  constructor(highest: string) {
    super(`rows bear numbers up to ${highest}, which no fetch had been given; what they kept out is fetched again`);
    this.highest = highest;
  }
}

/** How far above the highest row known: others may bear higher numbers, and one lift is to be enough. */
const MARGIN = 1_000_000n;

/** SQL: the last number given. */
const LAST = `(select greatest(f.last_value, h.version) from mirror.fetch_version f left join mirror.highest_version h on true)`;

/**
 * The number of a fetch; taken before its request goes out. Higher than any given before, also where one of the two that
 * count fell back, the sequence or the row of the highest number.
 */
export async function takeVersion({ pool }: Database): Promise<string> {
  const { rows } = await pool.query<{ version: string }>(
    `insert into mirror.highest_version as h (version) values (nextval('mirror.fetch_version'))
      on conflict (one) do update set version = setval('mirror.fetch_version', greatest(excluded.version, h.version + 1))
      returning version::text as version`,
  );
  const [row] = rows;
  if (row === undefined) throw new Error('the sequence mirror.fetch_version gave no number');
  return row.version;
}

/** Lets the numbers go on above the row that a store met. */
export async function liftAbove(database: Database, { highest }: VersionBehindError): Promise<void> {
  await withClient(database, (client) => liftVersion(client, highest));
}

async function withClient<T>({ pool }: Database, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    return await work(client);
  } finally {
    client.release();
  }
}

/**
 * Throws VersionBehindError if one of the rows that kept an answer out bears a number that was not given before this one.
 * `condition` is SQL on `t` with the parameters.
 */
export async function insistOnGivenVersions(
  client: Transaction,
  table: MirroredTable,
  { version, condition, values }: { version: string; condition: string; values: readonly unknown[] },
): Promise<void> {
  const own = `$${values.length + 1}::bigint`;
  const isInGap = `exists (select from mirror.version_gaps g where t._version > g.after and t._version <= g.up_to and ${own} <= g.after)`;
  const { rows } = await client.query<{ highest: string | null }>(
    `select max(t._version)::text as highest from ${tableName(table)} t
      where t._version >= ${own} and ${condition} and (t._version > ${LAST} or ${isInGap})`,
    [...values, version],
  );
  const highest = rows[0]?.highest ?? null;
  if (highest !== null) throw new VersionBehindError(highest);
}

/** Has the numbers go on above `highest`, and remembers the gap. Idempotent; nobody takes a number meanwhile. */
async function liftVersion(client: Queryable, highest: string): Promise<void> {
  await client.query('begin');
  try {
    await client.query(
      `insert into mirror.highest_version (version) select last_value from mirror.fetch_version on conflict (one) do nothing`,
    );
    await client.query('select from mirror.highest_version for update');
    const { rows } = await client.query<{ last: string }>(`select ${LAST}::text as last`);
    const last = BigInt(rows[0]?.last ?? 0);
    if (last < BigInt(highest)) {
      const upTo = String(BigInt(highest) + MARGIN);
      await client.query('insert into mirror.version_gaps (after, up_to) values ($1, $2)', [String(last), upTo]);
      await client.query('update mirror.highest_version set version = $1', [upTo]);
      // Not undone by a rollback: numbers would then merely begin higher.
      await client.query(`select setval('mirror.fetch_version', $1)`, [upTo]);
    }
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}

/**
 * Compares both sequences with everything that was numbered by them, and lifts them where they are behind. Reads all rows.
 * Returns what was done, a line each.
 */
export async function checkSequences(database: Database, tables: readonly MirroredTable[]): Promise<string[]> {
  return withClient(database, async (client) => {
    const done: string[] = [];
    const highest = await highestVersion(client, tables);
    const { rows } = await client.query<{ is_behind: boolean }>(`select ${LAST} < $1::bigint as is_behind`, [highest]);
    if (rows[0]?.is_behind === true) {
      await liftVersion(client, highest);
      done.push(`mirror.fetch_version was behind the rows; it goes on above ${highest}`);
    }
    const lifted = await client.query(
      `select setval('mirror.generation', p.highest) from mirror.generation g,
        (select max(generation) as highest from mirror.pending) p where g.last_value < p.highest`,
    );
    if (lifted.rowCount === 1) done.push('mirror.generation was behind the pending records; it goes on above them');
    return done;
  });
}

async function highestVersion(client: Queryable, tables: readonly MirroredTable[]): Promise<string> {
  let highest = 0n;
  const sources = [['mirror.absences', 'version'], ...tables.map((table) => [tableName(table), '_version'])];
  for (const [name, column] of sources) {
    const { rows } = await client.query<{ highest: string | null }>(
      `select max(${column})::text as highest from ${name}`,
    );
    const found = BigInt(rows[0]?.highest ?? 0);
    if (found > highest) highest = found;
  }
  return String(highest);
}
