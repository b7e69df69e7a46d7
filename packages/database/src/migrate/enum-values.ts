// A value that is added to an enumeration can be used only after it was committed; else Postgres refuses (55P04). Values that
// nobody uses harm nobody, so they are added first, by themselves.
import type pg from 'pg';
import type { Migration } from './migration-ledger.ts';
import { type Name, readStatement, type Statement, shown } from './migration-statement.ts';

type AddValue = Extract<Statement, { kind: 'add value' }>;

/** Adds the values that these migrations add to enumerations that are there, and tells whether it added any: then commit them. */
export async function addValues(client: pg.ClientBase, migrations: readonly Migration[]): Promise<boolean> {
  const present = await readValues(client);
  const lacking = migrations
    .flatMap(addedValues)
    .filter(({ type, value }) => present.get(shown(type))?.includes(value) === false);
  for (const statement of lacking) await addValue(client, statement);
  return lacking.length > 0;
}

/** Adds a value unless it is there. */
export async function addValue(client: pg.ClientBase, { text }: AddValue): Promise<void> {
  await client.query(text.replace(/\badd\s+value\s+(?:if\s+not\s+exists\s+)?/i, 'add value if not exists '));
}

/** The first of these migrations, up to one that adds a value to an enumeration that those before it make. */
export async function firstPart(client: pg.ClientBase, migrations: readonly Migration[]): Promise<Migration[]> {
  const present = await readValues(client);
  const isNew = ({ type }: { type: Name }) => !present.has(shown(type));
  const end = migrations.findIndex((migration, index) => index > 0 && addedValues(migration).some(isNew));
  return migrations.slice(0, end === -1 ? undefined : end);
}

function addedValues({ statements }: Migration): AddValue[] {
  return statements.map(readStatement).filter((statement) => statement.kind === 'add value');
}

async function readValues(client: pg.ClientBase): Promise<Map<string, string[]>> {
  const { rows } = await client.query<Name & { values: string[] }>(
    `select n.nspname as schema, t.typname as name, array_agg(e.enumlabel::text) as values
      from pg_enum e join pg_type t on t.oid = e.enumtypid join pg_namespace n on n.oid = t.typnamespace group by 1, 2`,
  );
  return new Map(rows.map((row) => [shown(row), row.values]));
}
