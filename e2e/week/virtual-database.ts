// A database whose time is virtual. All SQL of the product says now() or clock_timestamp(), so a schema in front of pg_catalog
// answers them. Each connection is told the time before its first statement of each moment.
import { catalogue } from '@procore-mirror/catalogue';
import { type Database, migrateDatabase, openDatabase } from '@procore-mirror/database';
import { createTestDatabase } from '@procore-mirror/testing';
import type { VirtualTime } from './virtual-time.ts';

export type VirtualDatabase = { database: Database; close: () => Promise<void> };

const CONNECTIONS = 24;

// Without a time, as while it is migrated, it is the real one.
const CLOCK = `
create schema virtual_clock;
create function virtual_clock.now() returns timestamptz language sql stable as $$
  select coalesce(
    to_timestamp(nullif(current_setting('virtual_clock.ms', true), '')::float8 / 1000), pg_catalog.now())
$$;
create function virtual_clock.clock_timestamp() returns timestamptz language sql stable as $$ select virtual_clock.now() $$;
create table virtual_clock.waits (resource text not null, is_first boolean not null, is_complete boolean not null, ms float8 not null,
  company_id bigint not null, at timestamptz not null default virtual_clock.now())`;

// How long news had waited when its row was right: `is_first` for the first time, be it only as far as a list carries it;
// `is_complete` with all that show carries. News of a record that waits for its detail only is counted from its own time.
const WAITS = `
alter table mirror.pending add column news_at timestamptz;
create function virtual_clock.note_wait() returns trigger language plpgsql as $$
declare
  was_listed boolean := coalesce(old.listed_generation = old.generation, false);
  waited_from timestamptz := coalesce(old.news_at, old.first_seen_at);
begin
  if tg_op = 'DELETE' then
    insert into virtual_clock.waits values (old.resource, not was_listed, true,
      extract(epoch from virtual_clock.now() - case when was_listed then old.first_seen_at else waited_from end) * 1000, old.company_id);
    return old;
  end if;
  if new.first_seen_at > old.first_seen_at then
    insert into virtual_clock.waits
      values (old.resource, not was_listed, true, extract(epoch from virtual_clock.now() - old.first_seen_at) * 1000, old.company_id);
    new.news_at := null;
  elsif new.listed_generation = new.generation and not was_listed then
    insert into virtual_clock.waits
      values (old.resource, true, false, extract(epoch from virtual_clock.now() - waited_from) * 1000, old.company_id);
  elsif new.generation > old.generation and was_listed then
    new.news_at := virtual_clock.now();
  end if;
  return new;
end $$;
create trigger note_wait before update or delete on mirror.pending
  for each row execute function virtual_clock.note_wait()`;

// When each hook, and each log of deliveries, was looked at.
const LOOKS = `
create table virtual_clock.hook_looks (place text not null, at timestamptz not null);
create table virtual_clock.log_looks (like virtual_clock.hook_looks);
create function virtual_clock.note_hook_look() returns trigger language plpgsql as $$
begin
  insert into virtual_clock.hook_looks values (coalesce(new.project_id::text, 'company'), new.looked_at);
  return new;
end $$;
create function virtual_clock.note_log_look() returns trigger language plpgsql as $$
begin
  if new.status in ('any', 'discarded') then insert into virtual_clock.log_looks values (new.hook_id, new.looked_at); end if;
  return new;
end $$;
create trigger note_look before insert or update of looked_at on mirror.hooks
  for each row execute function virtual_clock.note_hook_look();
create trigger note_look before insert or update of looked_at on mirror.delivery_looks
  for each row when (new.looked_at is not null) execute function virtual_clock.note_log_look()`;

/** A migrated database of its own, on the time given. */
export async function createVirtualDatabase(time: VirtualTime): Promise<VirtualDatabase> {
  const test = await createTestDatabase();
  const name = new URL(test.url).pathname.slice(1);
  await test.pool.query(CLOCK);
  await test.pool.query(`alter database ${name} set search_path = virtual_clock, public, pg_catalog`);
  await test.pool.query(`alter database ${name} set synchronous_commit = off`);
  await migrateDatabase({ url: test.url, tables: catalogue.tables });
  await test.pool.query(WAITS);
  await test.pool.query(LOOKS);
  const database = openDatabase({ url: test.url, applicationName: 'week', max: CONNECTIONS });
  keepTime(database.pool, time);
  return {
    database,
    close: async () => {
      await database.close();
      await test.drop();
    },
  };
}

/** Time stands still while a statement runs, and each statement knows the time. */
function keepTime(pool: Database['pool'], time: VirtualTime): void {
  const standing =
    (work: (...given: unknown[]) => unknown) =>
    (...given: unknown[]): unknown => {
      const answer = work(...given);
      return answer instanceof Promise ? time.during(answer) : answer;
    };
  pool.on('connect', (client) => {
    const query: (...given: unknown[]) => unknown = client.query.bind(client);
    let told = 0;
    const timed = (...given: unknown[]): unknown => {
      if (told === time.now()) return query(...given);
      told = time.now();
      const tell = `set virtual_clock.ms = '${told}'`;
      if (typeof given.at(-1) === 'function') return query(tell, () => query(...given));
      return Promise.resolve(query(tell)).then(() => query(...given));
    };
    Object.assign(client, { query: standing(timed) });
  });
  for (const name of ['query', 'connect'] as const) {
    const work: (...given: unknown[]) => unknown = pool[name].bind(pool);
    Object.assign(pool, { [name]: standing(work) });
  }
}
