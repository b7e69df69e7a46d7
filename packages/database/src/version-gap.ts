// The sequence `fetch_version` may fall behind the rows: logical replication does not carry sequences, and a restore may
// bring back rows alone. Every answer would then be older than its row. A process that gets a lower number than before, or a
// store that meets such a row, lifts the sequence above what is known and remembers the numbers that were passed over: rows
// that bear them are older than anything fetched since, also than what fetches bring that took their number before the lift.
import type pg from 'pg';
import type { MirroredTable } from './mirrored-table.ts';
import type { Database } from './open-database.ts';
import { tableName } from './quote.ts';

type Queryable = Pick<pg.ClientBase, 'query'>;

/** A row bears a number that the sequence has not given yet. `inTransaction` lifts the sequence and begins anew. */
export class VersionBehindError extends Error {
  override name = 'VersionBehindError' as const;
  readonly highest: string;
  constructor(highest: string) {
    super(`rows bear numbers up to ${highest}, which mirror.fetch_version has not given yet`);
    this.highest = highest;
  }
}

/** So far above the highest row known: others may bear higher numbers, and one lift is to be enough. */
const MARGIN = 1_000_000n;

/** SQL condition: a state of this number is older than one that comes from the fetch of the other number. */
export function isOlder(version: string, thanVersion: string): string {
  return `(${version} < ${thanVersion} or exists (select from mirror.version_gaps g
    where ${version} > g.after and ${version} <= g.up_to and ${thanVersion} <= g.after))`;
}

/** The number of a fetch; taken before its request goes out. */
export async function takeVersion(database: Database): Promise<string> {
  const { numbers } = database;
  const before = numbers.highest;
  let version = await nextVersion(database);
  if (version <= before) {
    const { highest } = numbers;
    await withClient(database, (client) => liftVersion(client, String(highest)));
    version = await nextVersion(database);
  }
  if (version > numbers.highest) numbers.highest = version;
  return String(version);
}

async function nextVersion({ pool }: Database): Promise<bigint> {
  const { rows } = await pool.query<{ version: string }>(`select nextval('mirror.fetch_version')::text as version`);
  const [row] = rows;
  if (row === undefined) throw new Error('the sequence mirror.fetch_version gave no number');
  return BigInt(row.version);
}

/** Lets the sequence go on above the row that a store met. */
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
 * Of rows that kept an answer out: is one of a number that this sequence has not given? Then throws VersionBehindError.
 * Returns whether one lies in a gap, so that the answer counts after all. `condition` is SQL on `t` with the parameters.
 */
export async function meetsGap(
  client: Queryable,
  table: MirroredTable,
  { version, condition, values }: { version: string; condition: string; values: readonly unknown[] },
): Promise<boolean> {
  const own = `$${values.length + 1}::bigint`;
  const { rows } = await client.query<{ above: string | null; in_gap: boolean }>(
    `select max(t._version) filter (where t._version > (select last_value from mirror.fetch_version))::text as above,
        coalesce(bool_or(${isOlder('t._version', own)}), false) as in_gap
      from ${tableName(table)} t where t._version >= ${own} and ${condition}`,
    [...values, version],
  );
  const [found] = rows;
  if (found !== undefined && found.above !== null) throw new VersionBehindError(found.above);
  return found?.in_gap ?? false;
}

/** Has the sequence go on above `highest`, and remembers the gap. Idempotent; safe while others store. */
async function liftVersion(client: Queryable, highest: string): Promise<void> {
  await client.query('begin');
  try {
    await client.query('lock table mirror.version_gaps in share row exclusive mode');
    await client.query(
      `insert into mirror.version_gaps (after, up_to) select last_value, $1::bigint from mirror.fetch_version
        where last_value < $2::bigint on conflict (after) do update set up_to = greatest(version_gaps.up_to, excluded.up_to)`,
      [String(BigInt(highest) + MARGIN), highest],
    );
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
  // After the commit: a lift that nobody remembers would make fetches under way older than the rows.
  await client.query(
    `select setval('mirror.fetch_version', g.up_to) from mirror.fetch_version f,
      (select max(up_to) as up_to from mirror.version_gaps) g where f.last_value < g.up_to`,
  );
}

/**
 * Compares both sequences with everything that was numbered by them, and lifts them where they are behind. Reads all rows.
 * Returns what was done, a line each.
 */
export async function checkSequences(database: Database, tables: readonly MirroredTable[]): Promise<string[]> {
  return withClient(database, async (client) => {
    const done: string[] = [];
    const highest = await highestVersion(client, tables);
    const { rows } = await client.query<{ is_behind: boolean }>(
      'select last_value < $1::bigint as is_behind from mirror.fetch_version',
      [highest],
    );
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
