import { createTestDatabase, startPooler, type TestDatabase } from '@procore-mirror/testing';
import pg from 'pg';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { aDelivery, aNamespace } from './deliveries.contract.ts';
import { consumeDeliveries, openDeliveryQueue, UnfitQueueError } from './index.ts';

const patience = { timeout: 30_000, interval: 20 };
let database: TestDatabase;
let cleanUps: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  database = await createTestDatabase('postgres15');
  cleanUps = [() => database.drop()];
});
afterEach(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

async function addAndConsume(url: string): Promise<void> {
  const options = { url, namespace: aNamespace(), allowVolatile: false, onWarning: () => {} };
  const queue = await openDeliveryQueue(options);
  cleanUps.push(() => queue.close());
  const recorded: string[] = [];
  const consumer = await consumeDeliveries({
    ...options,
    concurrency: 2,
    record: async ({ body }) => void recorded.push(body.toString()),
    onError: () => {},
  });
  cleanUps.push(() => consumer.close());
  await queue.add(aDelivery('one'));
  await vi.waitFor(() => expect(recorded).toEqual(['one']), patience);
}

test('the oldest Postgres we support will do', async () => {
  await addAndConsume(database.url);
});

test('an add is a commit that waited for the disk, whatever the database and the URL say', async () => {
  const name = new URL(database.url).pathname.slice(1);
  await database.pool.query(`alter database ${name} set synchronous_commit = off`);
  const place = new URL(database.url);
  place.searchParams.set('options', '-c synchronous_commit=off -c work_mem=5MB');
  const queue = await openDeliveryQueue({ url: place.href, allowVolatile: false, onWarning: () => {} });
  cleanUps.push(() => queue.close());
  await database.pool.query(`
    create table public.seen (synchronous_commit text, work_mem text);
    create function public.look() returns trigger language plpgsql as $$
      begin
        insert into public.seen values (current_setting('synchronous_commit'), current_setting('work_mem'));
        return null;
      end $$;
    create trigger look after insert on bullmq.job for each row execute function public.look();`);
  await queue.add(aDelivery('one'));
  const { rows } = await database.pool.query('select * from public.seen');
  expect(rows).toEqual([{ synchronous_commit: 'on', work_mem: '5MB' }]);
});

test('once the schema is there, a user without the right to create one can use it', async () => {
  await addAndConsume(database.url);
  const user = `queue_user_${Date.now()}`;
  await database.pool.query(`
    create role ${user} login password 'open-sesame';
    grant usage, create on schema bullmq to ${user};
    grant all on all tables in schema bullmq to ${user};
    grant all on all sequences in schema bullmq to ${user};`);
  cleanUps.splice(1, 0, () => database.pool.query(`drop owned by ${user}; drop role ${user}`));
  await addAndConsume(Object.assign(new URL(database.url), { username: user, password: 'open-sesame' }).href);
});

test('a role that may create no schema uses the one that an administrator made for it', async () => {
  const user = `queue_owner_${Date.now()}`;
  const name = new URL(database.url).pathname.slice(1);
  await database.pool.query(`
    create role ${user} login password 'open-sesame';
    revoke create on database ${name} from public, ${user}`);
  cleanUps.splice(1, 0, () => database.pool.query(`drop owned by ${user} cascade; drop role ${user}`));
  const url = Object.assign(new URL(database.url), { username: user, password: 'open-sesame' }).href;
  const error = await openDeliveryQueue({ url, allowVolatile: false, onWarning: () => {} }).catch((e) => e);
  expect(error).toBeInstanceOf(UnfitQueueError);
  expect(error.message).toContain(`create schema bullmq authorization ${user}`);
  await database.pool.query(`create schema bullmq authorization ${user}`);
  await addAndConsume(url);
});

test('a Postgres that does not wait for its disk is named', async () => {
  const warnings: string[] = [];
  const queue = await openDeliveryQueue({
    url: database.url,
    allowVolatile: false,
    onWarning: (message) => warnings.push(message),
  });
  await queue.close();
  expect(warnings).toEqual(['fsync off', 'full_page_writes off'].map((said) => expect.stringContaining(said)));
});

test('a consumer whose connections are ended by the server goes on', async () => {
  const namespace = aNamespace();
  const url = Object.assign(new URL(database.url), { search: '?application_name=to-be-ended' }).href;
  const options = { url, namespace, allowVolatile: false, onWarning: () => {} };
  const recorded: string[] = [];
  const consumer = await consumeDeliveries({
    ...options,
    concurrency: 2,
    record: async ({ body }) => void recorded.push(body.toString()),
    onError: () => {},
  });
  cleanUps.push(() => consumer.close());
  const queue = await openDeliveryQueue(options);
  cleanUps.push(() => queue.close());
  await queue.add(aDelivery('before'));
  await vi.waitFor(() => expect(recorded).toEqual(['before']), patience);
  const other = new pg.Client({ connectionString: database.url });
  await other.connect();
  // The connection that listens for jobs bears the queue's name.
  const { rowCount } = await other.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name in ('to-be-ended', $1)",
    [`${namespace}-deliveries`],
  );
  await other.end();
  expect(rowCount).toBeGreaterThanOrEqual(2);
  await vi.waitFor(() => queue.add(aDelivery('after')), patience);
  // A delivery whose end could not be noted before the connection went is recorded once more.
  await vi.waitFor(() => expect(new Set(recorded)).toEqual(new Set(['before', 'after'])), patience);
});

test('behind a pooler in session mode, which takes no start-up parameters, it works as without', async () => {
  const pooler = await startPooler({ url: database.url, mode: 'session' });
  cleanUps.push(() => pooler.close());
  await addAndConsume(pooler.url);
});

test.each(['transaction', 'statement'] as const)('a pooler in %s mode is refused in words', async (mode) => {
  const pooler = await startPooler({ url: database.url, mode });
  cleanUps.push(() => pooler.close());
  const error = await openDeliveryQueue({ url: pooler.url, allowVolatile: false, onWarning: () => {} }).catch((e) => e);
  expect(error).toBeInstanceOf(UnfitQueueError);
  expect(error.problems).toEqual([expect.stringMatching(/pooler.*DATABASE_URL_DIRECT/)]);
  expect(error.message).not.toContain(new URL(database.url).password);
});

test('a pooler that lets in and has no session to give is given up within seconds', async () => {
  const pooler = await startPooler({ url: database.url, mode: 'session', settings: ['default_pool_size = 1'] });
  cleanUps.push(() => pooler.close());
  const holder = new pg.Client({ connectionString: pooler.url });
  holder.on('error', () => {});
  await holder.connect();
  cleanUps.push(() => holder.end());
  await holder.query('select 1');
  const options = { url: pooler.url, allowVolatile: false, onWarning: () => {}, timeoutMs: 400 };
  await expect(openDeliveryQueue(options)).rejects.toThrow(/waiting for a session took longer than 1000 ms/);
});
