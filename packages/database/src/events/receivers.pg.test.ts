import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type EmptyMirror, openEmptyMirror } from '../testing/empty-mirror.ts';
import { listDeafReceivers } from './receivers.ts';

let mirror: EmptyMirror;
beforeAll(async () => {
  mirror = await openEmptyMirror();
});
afterAll(() => mirror.close());
beforeEach(() => query('truncate mirror.receivers, mirror.workers'));

const query = (sql: string, values: unknown[] = []) => mirror.database.pool.query(sql, values);
const receiver = (id: string, ago: string, accepts: readonly string[] | null, stopped = false) =>
  query(
    `insert into mirror.receivers (id, host, pid, version, started_at, reported_at, recorded_at, stopped_at, report)
      values ($1, 'door', 1, '1', now(), now() - $2::interval, now() - $2::interval, case when $3 then now() end, $4)`,
    [id, ago, stopped, JSON.stringify(accepts === null ? {} : { accepts })],
  );
const worker = (ago: string) =>
  query(`insert into mirror.workers (holder, seen_at) values ('w', now() - $1::interval)`, [ago]);
const deaf = async () => (await listDeafReceivers(mirror.database.pool, 'new')).map(({ id }) => id);

test('those that run and do not accept the value are deaf, whoever else is silent', async () => {
  await worker('1 second');
  await receiver('old', '10 seconds', ['old']);
  await receiver('both', '10 seconds', ['new', 'old']);
  await receiver('unsaid', '10 seconds', null);
  await receiver('silent', '10 minutes', ['old']);
  await receiver('stopped', '10 seconds', ['old'], true);
  expect(await deaf()).toEqual(['old']);
});

test.each<[what: string, workerSeen: string | null, silentFor: string, found: string[]]>([
  ['a worker would record what they report', '1 second', '10 minutes', ['one', 'two']],
  ['it has been gone for days', '1 second', '2 days', []],
  ['no worker records', '10 minutes', '10 minutes', []],
  ['there is no worker', null, '10 minutes', []],
])('where all are silent, they are deaf if nobody knows better: %s', async (_, workerSeen, silentFor, found) => {
  if (workerSeen !== null) await worker(workerSeen);
  await receiver('one', silentFor, ['new', 'old']);
  await receiver('two', silentFor, ['old']);
  await receiver('stopped', '10 seconds', ['old'], true);
  expect(await deaf()).toEqual(found);
});
