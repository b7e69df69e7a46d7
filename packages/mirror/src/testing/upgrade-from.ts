// A database that was filled by an earlier version comes up to this one while somebody reads: one for `upgrade.pg.test.ts` and `upgrade.prove.ts`.
import assert from 'node:assert/strict';
import { catalogue } from '@procore-mirror/catalogue';
import { checkDatabase, migrateDatabase, openDatabase, readMigrations } from '@procore-mirror/database';
import { createTestDatabase, type TestDatabase } from '@procore-mirror/testing';

const { tables } = catalogue;
export const migrations = readMigrations();

/** Tables whose rows a later version forgets, moves or counts anew: the schedule, the budget, calls, counts. */
const FORGOTTEN =
  /^mirror\.(batches|budget\w*|callers|calls|first_calls|highest_version|walks|turns|schema_drift|upkeep|count\w*|latest_proofs)$/;

/** What stands in a column that must not be null. */
const values: Record<string, string> = {
  bigint: 'n',
  integer: 'n',
  text: `'t' || n`,
  'timestamp with time zone': 'now()',
  jsonb: `'{}'`,
  boolean: 'true',
  'bigint[]': `'{}'`,
  'text[]': `'{}'`,
  'mirror.lane': `'live'`,
};
const special: Record<string, string> = { resource: `'RFIs'`, raw: `'{"n": 1}'`, project_id: '7' };

/** As the version whose last migration this is left it, with the ledger. */
async function stateAfter(index: number, { pool }: TestDatabase): Promise<void> {
  await pool.query(`create schema mirror; create table mirror.migrations (
    id integer generated always as identity primary key, name text not null, hash text not null unique,
    applied_at timestamptz not null default now())`);
  for (const { name, hash, statements } of migrations.slice(0, index + 1)) {
    for (const statement of statements) await pool.query(statement);
    await pool.query('insert into mirror.migrations (name, hash) values ($1, $2)', [name, hash]);
  }
}

/** Three rows in each table that is there; returns how many rows each has. */
async function fill(pool: TestDatabase['pool']): Promise<Map<string, number>> {
  const { rows } = await pool.query<{ name: string; columns: [name: string, type: string][] }>(
    `select format('%I.%I', n.nspname, c.relname) as name,
        json_agg(json_build_array(a.attname, format_type(a.atttypid, null)) order by a.attnum) as columns
      from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
      where c.relkind = 'r' and n.nspname in ('procore', 'mirror') and c.relname <> 'migrations' and a.attnum > 0
        and (a.attnotnull and not a.atthasdef and a.attidentity = '' or a.attname = 'resource') and not a.attisdropped
      group by 1`,
  );
  for (const { name, columns } of rows) {
    const list = columns.map(([column, type]) => ({ column, value: special[column] ?? values[type] ?? 'null' }));
    await pool.query(
      `insert into ${name} (${list.map(({ column }) => `"${column}"`).join(', ')})
        select ${list.map(({ value }) => value).join(', ')} from generate_series(1, 3) n on conflict do nothing`,
    );
  }
  await pool.query(`select setval('mirror.fetch_version', 1000)`);
  return await count(
    pool,
    rows.map(({ name }) => name).filter((name) => !FORGOTTEN.test(name)),
  );
}

async function count(pool: TestDatabase['pool'], names: readonly string[]): Promise<Map<string, number>> {
  const { rows } = await pool.query<{ name: string; rows: number }>(
    names.map((name) => `select '${name}' as name, count(*)::int as rows from ${name}`).join(' union all '),
  );
  return new Map(rows.map((row) => [row.name, row.rows]));
}

/** From the version whose last migration has this index. */
export async function upgradeFrom(index: number): Promise<void> {
  await using closing = new AsyncDisposableStack();
  const server = await createTestDatabase(index % 2 === 0 ? 'postgres15' : 'postgres18');
  closing.defer(server.drop);
  await stateAfter(index, server);
  const before = await fill(server.pool);
  assert.equal(before.get('procore.rfis'), 3);
  const reader = await server.pool.connect();
  closing.defer(() => reader.release(true));
  await reader.query('begin; select from procore.rfis');

  const { promise: inTheWay, resolve: tell } = Promise.withResolvers<void>();
  const lines: string[] = [];
  const migrate = () =>
    migrateDatabase({
      url: server.url,
      tables,
      onProgress: (line) => {
        lines.push(line);
        tell();
      },
    });
  const done = migrate();
  done.catch(() => {});
  await Promise.race([inTheWay, done]);
  await reader.query('select from procore.rfis; commit');
  assert.deepEqual(await done, { applied: migrations.slice(index + 1).map(({ name }) => name) });

  assert.deepEqual(await count(server.pool, [...before.keys()]), before);
  const database = openDatabase({ url: server.url, applicationName: 'test' });
  closing.defer(() => database.close());
  await checkDatabase(database, tables);
  lines.length = 0;
  assert.deepEqual(await migrate(), { applied: [] });
  assert.deepEqual(lines, []);
}
