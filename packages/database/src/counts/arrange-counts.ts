import type pg from 'pg';
import { type Name, quoted } from '../migrate/migration-statement.ts';
import { holdsRows } from '../migrate/upkeep.ts';
import type { MirroredTable } from '../schema/mirrored-table.ts';
import { quoteLiteral } from '../schema/quote.ts';
import { allCounted, type Counted } from './counted.ts';
import { leaveRecount } from './recount.ts';

type Trigger = { table: Name; name: string; function: string; arguments: readonly string[]; event: string };

/**
 * Has whoever changes these tables counted, and what they hold by now: what is pending and proved at once, because `mirror.evidence` must
 * know it, the rest by the workers. Idempotent.
 */
export async function arrangeCounts(
  client: pg.ClientBase,
  tables: readonly MirroredTable[],
  onProgress: (line: string) => void,
): Promise<void> {
  const present = await presentTriggers(client);
  let left = 0;
  for (const counted of allCounted(tables)) {
    if (!(await isThere(client, counted.table))) continue; // of a database on its way to this version
    const lacking = triggersOf(counted).filter((trigger) => !present.has(keyOf(trigger)));
    if (lacking.length === 0) continue;
    await client.query(lacking.map(createStatement).join(';\n'));
    if (counted.check === null || !(await holdsRows(client, counted.table))) continue;
    if (counted.isNeeded) await client.query(counted.check.recount);
    else await leaveRecount(client, counted);
    left += counted.isNeeded ? 0 : 1;
  }
  if (left > 0) onProgress(`left to the workers: counts of ${left} ${left === 1 ? 'table' : 'tables'}`);
}

async function isThere(client: pg.ClientBase, table: Name): Promise<boolean> {
  const { rows } = await client.query<{ is: boolean }>('select to_regclass($1) is not null as is', [quoted(table)]);
  return rows[0]?.is === true;
}

const ROWS = {
  insert: 'new table as new_rows',
  update: 'old table as old_rows new table as new_rows',
  delete: 'old table as old_rows',
};

function triggersOf({ table, trigger }: Counted): Trigger[] {
  return [
    ...trigger.after.map((event) => ({ ...trigger, table, name: `count_${event}`, event })),
    { ...trigger.emptied, table, name: 'count_truncate', event: 'truncate' },
  ];
}

function createStatement({ table, name, event, function: called, arguments: given }: Trigger): string {
  const rows = event in ROWS ? ` referencing ${ROWS[event as keyof typeof ROWS]}` : '';
  return `create or replace trigger ${name} after ${event} on ${quoted(table)}${rows} for each statement
    execute function mirror.${called}(${given.map(quoteLiteral).join(', ')})`;
}

function keyOf({ table, name, function: called, arguments: given }: Omit<Trigger, 'event'>): string {
  return JSON.stringify([table.schema, table.name, name, called, given]);
}

async function presentTriggers(client: pg.ClientBase): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ schema: string; table: string; name: string; function: string; given: Buffer }>(
    `select n.nspname as schema, c.relname as "table", tgname as name, p.proname as function, tgargs as given
      from pg_trigger t join pg_class c on c.oid = tgrelid join pg_namespace n on n.oid = c.relnamespace join pg_proc p on p.oid = tgfoid
      where n.nspname in ('mirror', 'procore') and tgname like 'count\\_%' and tgenabled <> 'D'`,
  );
  // Each argument ends with a zero.
  return new Set(
    rows.map(({ schema, table, given, ...row }) =>
      keyOf({ ...row, table: { schema, name: table }, arguments: given.toString().split('\0').slice(0, -1) }),
    ),
  );
}
