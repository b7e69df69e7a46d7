// What the mirror holds of a company or a project, and its removal. Rows go in portions, each a transaction of its own, so that
// nobody waits long and whoever is cut off begins anew. Workers are not asked to stop:
//
//   take their work away  ─▶ remove ─▶ wait until the leases that were taken away have run out ─▶ remove what still came ─▶ …
//
// A worker whose batch is gone ends it with the next renewal of its lease; until then it may store what it has just read.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../connection/open-database.ts';
import type { Queryable } from '../connection/queryable.ts';
import { afterConflicts, inTransaction } from '../connection/transaction.ts';
import { quoteName } from '../schema/quote.ts';
import { listPlaces, listTables, type Place } from './known-places.ts';

/** How many rows a table has of the place: `procore.rfis`, `mirror.pending`. */
export type Held = { table: string; rows: number };

/** What leads to calls comes first. The log of events, requests and budgets stay: they tell what was, each for its time. */
const OF_OPERATORS = [
  'pending',
  'walks',
  'lists',
  'scopes',
  'absences',
  'delivery_looks',
  'event_gaps',
  'differences',
  'proofs',
  'latest_proofs',
].map((name) => `mirror.${name}`);

const LETTERS = 'mirror.dead_letters';
const HOOKS = 'mirror.hooks';

/** Removed at once, and after which another one may wait; rows. */
const PORTION = 2_000;
/** News may come while rows go; who is told of none must not be looked at for ever. */
const ROUNDS = 5;
/** A worker may need so long to end a transaction after it lost its lease. */
const AFTERWARDS_MS = 1_000;

/** What the mirror holds of the place; tables without a row of it are left out. Counts take long where there is much. */
export async function countHeld(client: Queryable, place: Place): Promise<Held[]> {
  return countAll(client, await partsOf(client, place));
}

/** How many rows there are of each part that has any. */
export async function countAll(client: Queryable, parts: readonly Part[]): Promise<Held[]> {
  const held: Held[] = [];
  for (const { name, table, condition, ids } of parts) {
    const { rows } = await client.query<{ rows: number }>(
      `select count(*)::float8 as rows from ${table} where ${condition}`,
      ids,
    );
    const count = rows[0]?.rows ?? 0;
    if (count > 0) held.push({ table: name, rows: count });
  }
  return held;
}

/** The companies of which the mirror knows a project with this id. */
export async function findCompaniesOf(database: Database, projectId: string): Promise<string[]> {
  const known = (await listPlaces(database.pool)).filter((place) => place.projectId === projectId);
  const tables = [
    'mirror.pending',
    'mirror.selection',
    ...(await listTables(database.pool, 'project_id')).map(mirrored),
  ];
  const { rows } = await database.pool.query<{ companyId: string }>(
    tables
      .map((table) => `select distinct company_id::text as "companyId" from ${table} where project_id = $1`)
      .join(' union '),
    [projectId],
  );
  return [...new Set([...known, ...rows].map(({ companyId }) => companyId))].toSorted();
}

/** What is known of the selection of a project: null where nothing is, as of one that no list has shown. */
export async function readSelected(client: Queryable, { companyId, projectId }: Place): Promise<boolean | null> {
  const { rows } = await client.query<{ is_selected: boolean }>(
    'select is_selected from mirror.selection where company_id = $1 and project_id is not distinct from $2::bigint',
    [companyId, projectId],
  );
  return rows[0]?.is_selected ?? null;
}

/** Is the project active, as its row says? Null: there is no row, or it does not say. */
export async function readActive(client: Queryable, { companyId, projectId }: Place): Promise<boolean | null> {
  const { rows } = await client.query<{ active: boolean | null }>(
    `select case when _deleted_at is not null or _hidden_at is not null then false else (_data ->> 'active') = 'true' end as active
      from procore.projects where company_id = $1 and id = $2`,
    [companyId, projectId],
  );
  return rows[0]?.active ?? null;
}

type Options = {
  signal: AbortSignal;
  /** Waits until leases have run out. */
  pause?: (ms: number, signal: AbortSignal) => Promise<unknown>;
  /** After each portion. */
  onRemoved: (removed: Held) => void;
};

/**
 * Removes what the mirror holds of the place, but for hooks that stand at Procore, and has events of a project ignored until it is selected
 * again. Returns false when something of it still came after several rounds: somebody mirrors it. May be cut off and repeated; throws the
 * signal's reason then.
 */
export async function forgetPlace(database: Database, place: Place, options: Options): Promise<boolean> {
  const { signal, pause = (ms) => sleep(ms, null, { signal }) } = options;
  if (place.projectId !== null) await noteForgotten(database, place);
  for (let round = 1; round <= ROUNDS; round += 1) {
    const leasedMs = await takeWorkAway(database, place);
    for (const part of await partsOf(database.pool, place)) await removePart(database, part, options);
    if (leasedMs > 0) await pause(leasedMs + AFTERWARDS_MS, signal);
    else if ((await countHeld(database.pool, place)).length === 0) {
      if (place.projectId === null) await database.pool.query(FORGET_SELECTION, [place.companyId]);
      return true;
    }
  }
  return false;
}

/** What left is known as long as hooks of it stand: workers look for them there. */
const FORGET_SELECTION = `delete from mirror.selection where company_id = $1
  and not exists (select from ${HOOKS} where company_id = $1 and hook_id is not null)`;

/** Of a company nothing has to be noted: its events are ignored because PROCORE_COMPANY_IDS lacks it. */
async function noteForgotten(database: Database, { companyId, projectId }: Place): Promise<void> {
  await database.pool.query(
    `insert into mirror.selection as s (company_id, project_id, is_active, is_selected, left_at, forgotten_at)
      values ($1, $2, false, false, now(), now())
      on conflict (company_id, project_id) do update set forgotten_at = now()`,
    [companyId, projectId],
  );
}

/** Takes batches, backfills and comparisons away from whoever has them in hand. Returns how long leases of theirs last, 0 when there were none; ms. */
async function takeWorkAway(database: Database, place: Place): Promise<number> {
  const { condition, ids } = within(place);
  const { rows } = await inTransaction(database, (client) =>
    client.query<{ ms: number }>(
      `with batches as (delete from mirror.batches where ${condition} returning lease_until),
        backfills as (delete from mirror.backfills where ${condition} returning lease_until),
        comparisons as (delete from mirror.comparisons where ${condition} returning lease_until)
      select greatest(0, extract(epoch from max(lease_until) - now()) * 1000)::float8 as ms
      from (select * from batches union all select * from backfills union all select * from comparisons) w`,
      ids,
    ),
  );
  return rows[0]?.ms ?? 0;
}

async function removePart(database: Database, { name, table, condition, ids }: Part, options: Options): Promise<void> {
  const statement = `delete from ${table} where ctid = any(array(select ctid from ${table} where ${condition} limit ${PORTION}))`;
  for (let rows = PORTION; rows > 0; ) {
    options.signal.throwIfAborted();
    rows = (await afterConflicts(database, () => database.pool.query(statement, ids))).rowCount ?? 0;
    if (rows > 0) options.onRemoved({ table: name, rows });
  }
}

/** Rows of a table; `table` is `name` as SQL writes it. */
export type Part = { name: string; table: string; condition: string; ids: string[] };

async function partsOf(client: Queryable, place: Place): Promise<Part[]> {
  const { condition, ids } = within(place);
  const names = await listTables(client, place.projectId === null ? 'company_id' : 'project_id');
  return [
    ...OF_OPERATORS.map((table) => ({ name: table, table, condition, ids })),
    // One that stands at Procore delivers, and could not be removed if nobody remembered it.
    { name: HOOKS, table: HOOKS, condition: `${condition} and hook_id is null`, ids },
    // Of bodies that could not be read nobody knows what they would have been.
    { name: LETTERS, table: LETTERS, condition: `${condition} and kind = 'record'`, ids },
    ...names.toSorted().map((name) => ({ name: `procore.${name}`, table: mirrored(name), condition, ids })),
  ];
}

function within({ companyId, projectId }: Place): Pick<Part, 'condition' | 'ids'> {
  if (projectId === null) return { condition: 'company_id = $1::bigint', ids: [companyId] };
  return { condition: 'company_id = $1::bigint and project_id = $2::bigint', ids: [companyId, projectId] };
}

function mirrored(name: string): string {
  return `procore.${quoteName(name)}`;
}
