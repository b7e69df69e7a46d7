// BullMQ's SQL functions take turns by advisory locks, which whoever may connect to the database could hold. These functions
// bear the same names and lock a row of `bullmq.turns` instead, until the transaction ends; who may only read cannot lock a
// row. A call that names no schema finds them first where `pg_catalog` stands last in the search path: in our sessions
// by what they set, and in BullMQ's functions, each of which has a path of its own, by useRowLocks.
import { MIGRATION_ADVISORY_LOCK_KEY } from 'bullmq';
import pg from 'pg';

export const SCHEMA = 'bullmq';
export const SEARCH_PATH = `${SCHEMA}, pg_catalog`;
const STORED_SEARCH_PATH = `search_path=${SEARCH_PATH}`;

/** Made, changed or waited for by another process at the same moment: the next time it is as it should be, or our turn. */
const CHANGED_MEANWHILE: readonly unknown[] = ['23505', '42710', '42P06', '42P07', '40P01', 'XX000'];
const TRIES = 10;

type SqlFunction = { head: string; body: string };

// Locks a key that has no row yet by making one, unless somebody else is just making it. In a function of its own because of
// the time-out: who only tries must not wait for the other's transaction.
const makeTurn: SqlFunction = {
  head: `make_turn(wanted text) returns boolean language plpgsql set lock_timeout = '1ms'`,
  body: `begin
  insert into ${SCHEMA}.turns (of) values (wanted) on conflict do nothing;
  return found;
exception when lock_not_available then
  return false;
end`,
};

// A row for each key. With a few rows for all keys two transactions could wait for each other that do not with advisory locks.
function locksOf(keys: string, of: string, suffix: string, strength: string): SqlFunction[] {
  return [
    {
      head: `pg_advisory_xact_lock${suffix}(${keys}) returns void language plpgsql`,
      body: `begin
  loop
    perform from ${SCHEMA}.turns where of = ${of} for ${strength};
    exit when found;
    insert into ${SCHEMA}.turns (of) values (${of}) on conflict do nothing;
    exit when found;
  end loop;
end`,
    },
    {
      head: `pg_try_advisory_xact_lock${suffix}(${keys}) returns boolean language plpgsql`,
      body: `begin
  perform from ${SCHEMA}.turns where of = ${of} for ${strength} skip locked;
  if found then
    return true;
  elsif exists (select from ${SCHEMA}.turns where of = ${of}) then
    return false;
  end if;
  return ${SCHEMA}.make_turn(${of});
end`,
    },
  ];
}

const functions: readonly SqlFunction[] = [
  makeTurn,
  ...[
    { keys: 'key bigint', of: 'key::text' },
    { keys: 'space integer, key integer', of: `space || ':' || key` },
  ].flatMap(({ keys, of }) => [...locksOf(keys, of, '', 'update'), ...locksOf(keys, of, '_shared', 'share')]),
];

/** BullMQ's functions that still find Postgres's own advisory locks first. */
const UNCHANGED = `from pg_proc where pronamespace = to_regnamespace('${SCHEMA}') and exists (
  select from unnest(proconfig) setting where setting like 'search\\_path=%' and setting <> '${STORED_SEARCH_PATH}')`;

export type Standing = {
  /** The row locks are there, as this version makes them. */
  areMade: boolean;
  areUsed: boolean;
  /** We may change what is in the schema. */
  isOurs: boolean;
};

export async function readStanding(client: pg.Client): Promise<Standing> {
  const { rows } = await client.query<{ sources: string[]; areUsed: boolean; isOurs: boolean }>(`
    select coalesce(array_agg(p.prosrc) filter (where p.oid is not null), '{}') as sources,
           not exists (select ${UNCHANGED}) as "areUsed",
           coalesce(bool_and(pg_has_role(p.proowner, 'usage') and has_schema_privilege(p.pronamespace, 'create')), true)
             as "isOurs"
      from pg_proc p where p.pronamespace = to_regnamespace('${SCHEMA}')`);
  const { sources = [], areUsed = false, isOurs = false } = rows[0] ?? {};
  const ours = new Set(functions.map(({ body }) => body));
  const areMade = sources.filter((source) => ours.has(source)).length === functions.length;
  return { areMade, areUsed, isOurs };
}

/** Makes the row locks, and the schema if need be. Idempotent; any number of processes may do it at once. */
export async function makeRowLocks(client: pg.Client): Promise<void> {
  const making = `
    do $$ begin if to_regnamespace('${SCHEMA}') is null then create schema ${SCHEMA}; end if; end $$;
    create table if not exists ${SCHEMA}.turns (of text primary key);
    lock table ${SCHEMA}.turns in share row exclusive mode;
    comment on table ${SCHEMA}.turns is 'A row for each advisory lock that BullMQ would take; locked in its place.';
    ${functions.map(({ head, body }) => `create or replace function ${SCHEMA}.${head} as $$${body}$$;`).join('\n')}`;
  await tryAgain(client, making);
}

/** Runs what is one transaction, again if another process did the like at the same moment. */
async function tryAgain(client: pg.Client, statements: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await client.query(statements);
      return;
    } catch (error) {
      const isToTry = error instanceof pg.DatabaseError && CHANGED_MEANWHILE.includes(error.code) && tries < TRIES;
      if (!isToTry) throw error;
    }
  }
}

/**
 * Lets BullMQ's functions find the row locks, and those use them who may add jobs. For after BullMQ's migrations, which make
 * functions anew. Idempotent.
 */
export async function useRowLocks(client: pg.Client): Promise<void> {
  await tryAgain(
    client,
    `
    select ${SCHEMA}.pg_advisory_xact_lock(${MIGRATION_ADVISORY_LOCK_KEY}, hashtext('${SCHEMA}'));
    do $$
    declare
      changed regprocedure;
      adder oid;
    begin
      for changed in select oid ${UNCHANGED} loop
        execute format('alter routine %s set search_path to ${SEARCH_PATH}', changed);
      end loop;
      for adder in
        select distinct grantee from pg_class, aclexplode(coalesce(relacl, acldefault('r', relowner)))
         where oid = '${SCHEMA}.job'::regclass and privilege_type = 'INSERT'
      loop
        execute format('grant select, insert, update on ${SCHEMA}.turns to %s',
          case adder when 0 then 'public' else adder::regrole::text end);
      end loop;
    end $$;`,
  );
}
