// Whoever may connect to a database can hold any advisory lock in it, for as long as the session lives.
import { createTestDatabase, type TestDatabase } from '@procore-mirror/testing';
import { MIGRATION_ADVISORY_LOCK_KEY, runMigrations } from 'bullmq';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { aDelivery, aNamespace } from './deliveries.contract.ts';
import { consumeDeliveries, type DeliveryQueue, openDeliveryQueue } from './index.ts';

const patience = { timeout: 20_000, interval: 20 };

describe.each(['postgres15', 'postgres18'] as const)('on %s', (version) => {
  let database: TestDatabase;
  let cleanUps: (() => Promise<unknown>)[] = [];
  beforeEach(async () => {
    database = await createTestDatabase(version);
    cleanUps = [() => database.drop()];
  });
  afterEach(async () => {
    for (const cleanUp of cleanUps.reverse()) await cleanUp();
  });

  async function openQueue(namespace: string, url = database.url, warnings: string[] = []): Promise<DeliveryQueue> {
    const onWarning = (message: string) => void warnings.push(message);
    const queue = await openDeliveryQueue({ url, namespace, allowVolatile: false, onWarning });
    cleanUps.push(() => queue.close());
    return queue;
  }

  async function connect(url = database.url): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    cleanUps.push(() => client.end());
    return client;
  }

  /** The URL of a user with these rights, `$` being its name. */
  async function aUser(rights: string): Promise<string> {
    const name = `user_${version}_${Date.now()}_${Math.floor(Math.random() * 1e6)}`;
    await database.pool.query(`create role ${name} login password 'open-sesame'; ${rights.replaceAll('$', name)}`);
    cleanUps.splice(1, 0, () => database.pool.query(`drop owned by ${name} cascade; drop role ${name}`));
    return Object.assign(new URL(database.url), { username: name, password: 'open-sesame' }).href;
  }

  /** Adds, fails, retries, takes over what stalled, and consumes, until all is done. */
  async function work(namespace: string, url = database.url): Promise<void> {
    const queue = await openQueue(namespace, url);
    const seen = new Map<string, number>();
    const runs = (body: string) => seen.get(body) ?? 0;
    const consumer = await consumeDeliveries({
      url,
      namespace,
      allowVolatile: false,
      concurrency: 8,
      async record({ body }) {
        const text = body.toString();
        seen.set(text, runs(text) + 1);
        if (text.startsWith('fails') && runs(text) < 3) throw new Error('not yet');
        if (text.startsWith('stalls') && runs(text) < 2) await new Promise(() => {});
      },
      finishWithinMs: 100,
      onWarning: () => {},
      onError: () => {},
    });
    cleanUps.push(() => consumer.close());
    const bodies = [...Array.from({ length: 400 }, (_, n) => `delivery ${n}`), 'fails 1', 'fails 2', 'stalls 1'];
    await Promise.all(bodies.map((body) => queue.add(aDelivery(body))));
    await vi.waitFor(() => expect(runs('stalls 1')).toBe(1), patience);
    // As if its process had died.
    await database.pool.query(`update bullmq.job set locked_until_ms = 1, lock_token = 'lost' where state = 'active'`);
    await vi.waitFor(async () => {
      expect([...seen.keys()].toSorted()).toEqual(bodies.toSorted());
      expect(await queue.waiting()).toBe(0);
    }, patience);
    expect(runs('fails 1')).toBeGreaterThanOrEqual(3);
    expect(runs('stalls 1')).toBeGreaterThanOrEqual(2);
  }

  /** What BullMQ's functions hash for a lock, read from their source. */
  async function lockNames(): Promise<string[]> {
    const { rows } = await database.pool.query<{ name: string }>(`
      select distinct (regexp_matches(prosrc, '''(bullmq:[a-z]+:?)''', 'g'))[1] as name
        from pg_proc where pronamespace = 'bullmq'::regnamespace`);
    return rows.map(({ name }) => name);
  }

  test('who holds every advisory lock that BullMQ takes holds up neither opening nor adding nor consuming', async () => {
    const namespace = aNamespace();
    const name = `${namespace}-deliveries`;
    await openQueue('any');
    const names = await lockNames();
    expect(names).toEqual(expect.arrayContaining(['bullmq:finalization', 'bullmq:jidseq:', 'bullmq:evtrim:']));
    await database.pool.query('drop schema bullmq cascade');
    const reader = await connect(await aUser(''));
    await reader.query(`select pg_advisory_lock(${MIGRATION_ADVISORY_LOCK_KEY}, hashtext('bullmq'))`);
    for (const prefix of names) {
      await reader.query('select pg_advisory_lock(hashtext($1)), pg_advisory_lock(hashtext($2), hashtext($3))', [
        prefix + name,
        prefix,
        name,
      ]);
    }
    await work(namespace);
  });

  test('no statement of adding, failing, retrying, taking over and consuming takes an advisory lock', async () => {
    await openQueue('any');
    await database.pool.query(`
      create table public.seen (query text, held int);
      create function public.look() returns trigger language plpgsql as $$
        begin
          insert into public.seen select current_query(),
            (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid());
          return null;
        end $$;
      create constraint trigger look after insert or update or delete on bullmq.job
        deferrable initially deferred for each row execute function public.look();`); // when all locks are taken
    await work(aNamespace());
    const { rows } = await database.pool.query(
      'select count(*)::int as looks, coalesce(sum(held), 0)::int as held from public.seen',
    );
    expect(rows[0].looks).toBeGreaterThan(1_000);
    expect(rows[0].held).toBe(0);
  });

  test('every call of an advisory lock in BullMQ’s functions is one that we replace', async () => {
    await openQueue('any');
    const { rows } = await database.pool.query<{ call: string; path: string | null }>(`
      select distinct lower((regexp_matches(regexp_replace(prosrc, '--[^\\n]*', '', 'g'),
               '([\\w."]*advisory\\w*"?)\\s*\\(', 'gi'))[1]) as call,
             (select setting from unnest(proconfig) setting where setting like 'search_path=%') as path
        from pg_proc where pronamespace = 'bullmq'::regnamespace`);
    expect(rows.map(({ call }) => call)).toContain('pg_advisory_xact_lock_shared');
    for (const { call, path } of rows) {
      expect(call).toMatch(/^pg_(try_)?advisory_xact_lock(_shared)?$/); // neither of a session nor by its schema
      expect(['search_path=bullmq, pg_catalog', null]).toContain(path); // null: that of our session
    }
  });

  test('the locks in their place exclude, share, are only tried, and end as advisory locks do', async () => {
    await openQueue('any');
    const one = await connect();
    const other = await connect();
    const ask = async (call: string) => (await other.query(`select bullmq.${call} as got`)).rows[0].got;
    await other.query(`set lock_timeout = '100ms'`);
    for (const key of ['7', '7, 8']) {
      for (const round of ['a new key', 'a known key']) {
        await one.query(
          `begin; select bullmq.pg_advisory_xact_lock(${key}); select bullmq.pg_advisory_xact_lock(${key})`,
        );
        await expect(ask(`pg_advisory_xact_lock(${key})`), round).rejects.toThrow('lock timeout');
        await expect(ask(`pg_advisory_xact_lock_shared(${key})`), round).rejects.toThrow('lock timeout');
        expect(await ask(`pg_try_advisory_xact_lock(${key})`), round).toBe(false);
        expect(await ask(`pg_try_advisory_xact_lock_shared(${key})`), round).toBe(false);
        expect(await ask('pg_try_advisory_xact_lock(8)'), round).toBe(true);
        expect(await ask('pg_try_advisory_xact_lock(8, 7)'), round).toBe(true);
        await one.query('commit');
      }
      await one.query(`begin; select bullmq.pg_advisory_xact_lock_shared(${key})`);
      expect(await ask(`pg_try_advisory_xact_lock_shared(${key})`)).toBe(true);
      expect(await ask(`pg_advisory_xact_lock_shared(${key})`)).toBe('');
      expect(await ask(`pg_try_advisory_xact_lock(${key})`)).toBe(false);
      await expect(ask(`pg_advisory_xact_lock(${key})`)).rejects.toThrow('lock timeout');
      await one.query('rollback');
      expect(await ask(`pg_try_advisory_xact_lock(${key})`)).toBe(true);
    }
  });

  test('who may read the queue, too, cannot take them', async () => {
    await openQueue('any');
    const reader = await connect(
      await aUser('grant usage on schema bullmq to $; grant select on all tables in schema bullmq to $'),
    );
    for (const attempt of [
      'select bullmq.pg_advisory_xact_lock(7)',
      'select bullmq.pg_try_advisory_xact_lock_shared(7, 8)',
      'select from bullmq.turns for key share',
      'begin; lock table bullmq.turns in row share mode',
    ]) {
      await reader.query('rollback');
      await expect(reader.query(attempt), attempt).rejects.toThrow('permission denied');
    }
  });

  test('a queue of an older version gets them while it is in use, by many processes that start at once', async () => {
    const older = await connect();
    await runMigrations(older, 'bullmq');
    const writer = await connect();
    await writer.query('set search_path = bullmq');
    const add = `select add_job('any', $1, 'delivery', '{}', '{}', 0, 0, 0, 1, null, null, null, null, null, false)`;
    let isDone = false;
    const writing = (async () => {
      let added = 0;
      while (!isDone) await writer.query(add, [`job ${++added}`]);
      return added;
    })();
    const namespace = aNamespace();
    const reader = await connect(await aUser(''));
    await reader.query(`select pg_advisory_lock(${MIGRATION_ADVISORY_LOCK_KEY}, hashtext('bullmq'))`);
    await reader.query(`select pg_advisory_lock(hashtext('bullmq:finalization'), hashtext($1))`, [
      `${namespace}-deliveries`,
    ]);
    const queues = await Promise.all(Array.from({ length: 6 }, () => openQueue(namespace)));
    isDone = true;
    expect(await writing).toBeGreaterThan(0);
    await Promise.all(queues.map((queue, n) => queue.add(aDelivery(`from ${n}`))));
    const { rows } = await database.pool.query(`
      select count(*)::int as old from pg_proc
       where pronamespace = 'bullmq'::regnamespace and 'search_path=bullmq' = any(proconfig)`);
    expect(rows).toEqual([{ old: 0 }]);
    await writer.query('begin');
    await writer.query(add, ['last']);
    const held = await writer.query(
      `select count(*)::int as held from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()`,
    );
    expect(held.rows).toEqual([{ held: 0 }]);
    await writer.query('rollback');
  });

  test('a role that may only use an older queue says who has to mend it, and may go on using it then', async () => {
    await runMigrations(await connect(), 'bullmq');
    const user = await aUser(`
      grant usage, create on schema bullmq to $; grant all on all tables in schema bullmq to $;
      grant all on all sequences in schema bullmq to $`);
    const warnings: string[] = [];
    await (await openQueue(aNamespace(), user, warnings)).add(aDelivery('one'));
    expect(warnings).toContainEqual(expect.stringContaining('the role that owns the functions in schema bullmq'));
    await openQueue(aNamespace());
    warnings.length = 0;
    await work(aNamespace(), user);
    await openQueue(aNamespace(), user, warnings);
    expect(warnings).not.toContainEqual(expect.stringContaining('advisory'));
  });

  test('the owner may go on using a queue that a superuser gave them to', async () => {
    const owner = await aUser(`grant create on database ${new URL(database.url).pathname.slice(1)} to $`);
    await runMigrations(await connect(owner), 'bullmq');
    await openQueue(aNamespace());
    await work(aNamespace(), owner);
  });
});
