import type pg from 'pg';
import { type Name, quoted } from '../migrate/migration-statement.ts';
import { holdsRows } from '../migrate/upkeep.ts';
import type { MirroredTable } from '../schema/mirrored-table.ts';
import { quoteLiteral } from '../schema/quote.ts';
import { allCounted, type Counted } from './counted.ts';
import { forgetCounts, leaveRecount } from './recount.ts';

type Trigger = { table: Name; name: string; function: string; arguments: readonly string[]; event: string };

/**
 * Has whoever changes these tables counted, and what they hold by now: what is pending and proved at once, because `mirror.evidence` must
 * know it, the rest by the workers. Nobody changes them meanwhile; those that are at it are waited for. Idempotent.
 */
export async function arrangeCounts(
  client: pg.ClientBase,
  tables: readonly MirroredTable[],
  onProgress: (line: string) => void,
): Promise<void> {
  const { names, triggers } = await whatIsThere(client);
  if (!names.has(quoted({ schema: 'mirror', name: 'counts' }))) return; // of a database on its way to this version
  const lacking = allCounted(tables).flatMap((counted) => {
    if (!names.has(quoted(counted.table))) return [];
    const statements = triggersOf(counted).filter((trigger) => !triggers.has(keyOf(trigger)));
    return statements.length === 0 ? [] : [{ counted, statements: statements.map(createStatement) }];
  });
  if (lacking.length === 0) return;
  // All at once, in the order of those who store: one that were locked while another is waited for would be in their way.
  await client.query(
    `lock table ${lacking.map(({ counted }) => quoted(counted.table)).join(', ')} in share row exclusive mode`,
  );
  await client.query(lacking.flatMap(({ statements }) => statements).join(';\n'));
  const empty: Counted[] = [];
  let left = 0;
  for (const { counted } of lacking) {
    if (counted.check === null) continue;
    if (counted.isNeeded) await client.query(counted.check.recount);
    else if (await holdsRows(client, counted.table)) {
      await leaveRecount(client, counted);
      left += 1;
    } else empty.push(counted);
  }
  await forgetCounts(client, empty);
  if (left > 0) onProgress(`left to the workers: counts of ${left} ${left === 1 ? 'table' : 'tables'}`);
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

/** Tables, and the triggers that count, by `keyOf`. */
async function whatIsThere(client: pg.ClientBase): Promise<Record<'names' | 'triggers', ReadonlySet<string>>> {
  const { rows: tables } = await client.query<Name>(
    `select n.nspname as schema, c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname in ('mirror', 'procore') and c.relkind in ('r', 'p')`,
  );
  const { rows } = await client.query<{ schema: string; table: string; name: string; function: string; given: Buffer }>(
    `select n.nspname as schema, c.relname as "table", tgname as name, p.proname as function, tgargs as given
      from pg_trigger t join pg_class c on c.oid = tgrelid join pg_namespace n on n.oid = c.relnamespace join pg_proc p on p.oid = tgfoid
      where n.nspname in ('mirror', 'procore') and tgname like 'count\\_%' and tgenabled <> 'D'`,
  );
  // Each argument ends with a zero.
  const keys = rows.map(({ schema, table, given, ...row }) =>
    keyOf({ ...row, table: { schema, name: table }, arguments: given.toString().split('\0').slice(0, -1) }),
  );
  return { names: new Set(tables.map(quoted)), triggers: new Set(keys) };
}
