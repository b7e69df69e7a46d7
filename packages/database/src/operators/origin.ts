// Which environment of Procore the database belongs to, and its emptying when that environment was overwritten.
import type { Database } from '../connection/open-database.ts';
import type { Queryable } from '../connection/queryable.ts';
import { waitBriefly, whenLocksAreFree } from '../migrate/wait-for-locks.ts';
import { quoteName } from '../schema/quote.ts';
import { countAll, type Held, type Part } from './forget-place.ts';
import { listTables } from './known-places.ts';

export type Origin = { environment: string; notedAt: string; resetAt: string | null };

/**
 * What `reset` leaves alone, in schema `mirror`: what is of this database, of our processes and of Procore's limits. Numbers of
 * fetches and news never fall, so the sequences and what belongs to them stay, too.
 */
export const KEPT = ['migrations', 'upkeep', 'origin', 'turns', 'workers', 'receivers', 'receiver_gaps'].concat([
  'highest_version',
  'version_gaps',
  'budget',
  'budget_use',
  'budget_owner',
  'budget_lanes',
  'callers',
  'first_calls',
  'duties',
]);

/** Counts of what other tables hold. */
const OF_OTHERS = ['counts', 'count_changes', 'count_periods', 'latest_proofs'];

/** What it empties: what was told, learnt and planned of a world that is no more. */
export const EMPTIED = [
  'events',
  'pending',
  'batches',
  'backfills',
  'comparisons',
  'differences',
  'proofs',
  'dead_letters',
  'absences',
  'walks',
  'lists',
  ...OF_OTHERS,
].concat([
  'scopes',
  'selection',
  'hooks',
  'delivery_looks',
  'event_gaps',
  'trigger_sets',
  'undelivered',
  'repairs',
  'fetches',
  'unfit_values',
  'schema_drift',
]);

const LOCKS_WITHIN_MS = 30_000;
const SEEN_WITHIN = `interval '30 seconds'`;

/** Null: no worker has run on it yet. */
export async function readOrigin(client: Queryable): Promise<Origin | null> {
  const { rows } = await client.query<Origin>(
    'select environment, noted_at as "notedAt", reset_at as "resetAt" from mirror.origin',
  );
  return rows[0] ?? null;
}

/** Makes the database one of this environment, if it is of none or holds no event and no row yet. Returns of which it is. */
export async function noteOrigin(database: Database, environment: string): Promise<string> {
  const { pool } = database;
  await pool.query('insert into mirror.origin (environment) values ($1) on conflict do nothing', [environment]);
  const known = (await readOrigin(pool))?.environment ?? environment;
  if (known === environment || !(await isEmpty(pool))) return known;
  await pool.query('update mirror.origin set environment = $1, noted_at = now(), reset_at = null', [environment]);
  return environment;
}

async function isEmpty(client: Queryable): Promise<boolean> {
  const tables = ['mirror.events', ...(await mirroredTables(client)).map(quoted)];
  const { rows } = await client.query<{ holds: boolean }>(
    `select ${tables.map((table) => `exists (select from ${table})`).join(' or ')} as holds`,
  );
  return rows[0]?.holds === false;
}

/** Does a worker run, as it says of itself, or as the batches say that it has in hand? */
export async function isWorkerSeen(client: Queryable): Promise<boolean> {
  const { rows } = await client.query<{ seen: boolean }>(
    `select exists (select from mirror.workers where stopped_at is null and seen_at > now() - ${SEEN_WITHIN})
      or exists (select from mirror.batches where lease_until > now()) as seen`,
  );
  return rows[0]?.seen === true;
}

/** What would be emptied; tables without a row are left out. */
export async function countToEmpty(client: Queryable): Promise<Held[]> {
  return countAll(
    client,
    (await tablesToEmpty(client)).filter(({ name }) => !OF_OTHERS.includes(name.replace('mirror.', ''))),
  );
}

/** Empties the mirror, all of it or nothing. Throws LocksBusyError when somebody reads for longer than half a minute. */
export async function emptyMirror(database: Database, onWait: (line: string) => void): Promise<void> {
  const command = 'pnpm mirror reset';
  await whenLocksAreFree(
    database,
    async (client) => {
      await waitBriefly(client);
      const tables = (await tablesToEmpty(client)).map(({ table }) => table);
      await client.query(`truncate ${tables.join(', ')} continue identity`);
      await client.query('update mirror.origin set reset_at = now()');
    },
    { limitMs: LOCKS_WITHIN_MS, onWait, command },
  );
}

async function tablesToEmpty(client: Queryable): Promise<Part[]> {
  const whole = { condition: 'true', ids: [] };
  return [
    ...EMPTIED.map((name) => ({ name: `mirror.${name}`, table: `mirror.${name}`, ...whole })),
    ...(await mirroredTables(client)).map((name) => ({ name: `procore.${name}`, table: quoted(name), ...whole })),
  ];
}

async function mirroredTables(client: Queryable): Promise<string[]> {
  return (await listTables(client, 'company_id')).toSorted();
}

function quoted(name: string): string {
  return `procore.${quoteName(name)}`;
}
