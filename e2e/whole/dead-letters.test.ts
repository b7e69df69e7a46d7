// What is given up is told of once, tried again by itself or by the operator, and gone when that succeeded.
import { createHash } from 'node:crypto';
import {
  type AppProcess,
  type Product,
  type ScriptedProcore,
  startApp,
  startScriptedProcore,
} from '@procore-mirror/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { aBody, deliver, type Mirror, startScriptedMirror } from './start-mirror.ts';

vi.setConfig({ testTimeout: 120_000 });

let procore: ScriptedProcore;
let mirror: Mirror<Product>;
const workers: AppProcess[] = [];

beforeAll(async () => {
  procore = await startScriptedProcore();
  procore.answer = ({ path }) => {
    const id = /\/rfis\/(\d+)$/.exec(path)?.[1];
    return id === undefined ? { status: 404 } : { body: { id: Number(id), subject: 'a subject' } };
  };
  mirror = await startScriptedMirror('postgres', procore.url);
  await mirror.system.startIngest();
  workers.push(await mirror.system.startWorker());
});
afterAll(async () => {
  await mirror.close();
  await procore.close();
});

const patience = { timeout: 60_000, interval: 100 };
const anEventOf = (recordId: number) =>
  aBody({ company_id: '1', project_id: '7', resource_type: 'RFIs', resource_id: String(recordId) });
const query = async (sql: string) => (await mirror.database.pool.query(sql)).rows;
const letters = () => query('select id from mirror.dead_letters order by id');
const ids = async () => (await query('select id from procore.rfis order by id')).map(({ id }) => id);
const warnings = (): Record<string, unknown>[] =>
  mirror.system
    .output()
    .split('\n')
    .filter((line) => line.includes('a new dead letter'))
    .map((line) => JSON.parse(line));

async function run(...args: string[]): Promise<string> {
  // On Postgres the queue is where the mirror is.
  const command = startApp('cli', { DATABASE_URL: mirror.queueUrl }, { args });
  await expect.poll(() => command.isRunning(), patience).toBe(false);
  return command.output();
}

test('a record among well ones that cannot be fetched is a warning, and is fetched when its time has come', async () => {
  const refusal = procore.intercept(
    ({ path }) => path.endsWith('/42'),
    () => ({ status: 422 }),
  );
  for (const id of [1, 2, 3, 42]) expect(await deliver(mirror.system, anEventOf(id))).toBe(204);
  await expect.poll(letters, patience).toEqual([{ id: '1/7/RFIs/42' }]);
  await expect.poll(ids, patience).toEqual(['1', '2', '3']);
  refusal.end();
  await query(`update mirror.dead_letters set next_try_at = now()`);
  workers.push(await mirror.system.startWorker()); // it looks at once, the other one within a minute
  await expect.poll(letters, patience).toEqual([]);
  expect(await ids()).toEqual(['1', '2', '3', '42']);
  const about = { company_id: '1', project_id: '7', resource: 'RFIs', record_id: '42', reason: 'answer_422' };
  expect(warnings()).toEqual([expect.objectContaining({ level: 'warn', dead_letter: '1/7/RFIs/42', ...about })]);
});

test('a body that cannot be read is one warning however often it comes, which does not show it', async () => {
  const before = warnings().length;
  for (const attempts of [1, 2]) {
    expect(await deliver(mirror.system, '{"never shown')).toBe(204);
    await expect
      .poll(() => query('select reason, attempts from mirror.dead_letters'), patience)
      .toEqual([{ reason: 'not_json', attempts }]);
    await mirror.untilQuiet(); // identical deliveries fold into one while one of them is in the queue
  }
  await run('dead-letters', 'replay', '--all');
  await expect.poll(() => query('select attempts from mirror.dead_letters'), patience).toEqual([{ attempts: 3 }]);
  expect(warnings().slice(before)).toEqual([expect.objectContaining({ level: 'warn', reason: 'not_json' })]);
  expect(mirror.system.output()).not.toContain('never shown');
  expect(await run('dead-letters', 'discard', '--all')).toBe('Discarded 1 dead letter.');
  expect(await letters()).toEqual([]);
});

test('a body that can be read by now is recorded when it is replayed, and is no dead letter any more', async () => {
  const body = anEventOf(99);
  const id = createHash('sha256').update(body).digest('hex').slice(0, 32);
  await mirror.database.pool.query(
    `insert into mirror.dead_letters (id, reason, raw) values ($1, 'bad_timestamp', $2)`,
    [id, body],
  );
  expect(await run('dead-letters', 'replay', id)).toBe('1 body handed to the workers again.');
  await expect.poll(letters, patience).toEqual([]);
  await expect.poll(ids, patience).toContain('99');
});

test('a record is tried again after the times that are configured, to a few seconds', async () => {
  await Promise.all(workers.map((worker) => worker.end('SIGTERM')));
  await mirror.system.startWorker({ RETRY_DEAD_LETTERS_AFTER_MS: '4000' });
  const refusal = procore.intercept(
    ({ path }) => path.endsWith('/43'),
    () => ({ status: 422 }),
  );
  for (const id of [5, 6, 7, 43]) expect(await deliver(mirror.system, anEventOf(id))).toBe(204);
  await expect.poll(letters, patience).toEqual([{ id: '1/7/RFIs/43' }]);
  refusal.end();
  await expect.poll(letters, { timeout: 12_000, interval: 100 }).toEqual([]);
  expect(await ids()).toContain('43');
});
