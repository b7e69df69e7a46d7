import { forgetOldReceivers } from '@procore-mirror/database';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type ReceiverReport, recordReport } from './record-report.ts';
import { scriptProcore, startTestMirror, type TestMirror } from './testing/test-mirror.ts';

let mirror: TestMirror;
beforeAll(async () => {
  mirror = await startTestMirror(await scriptProcore());
});
afterAll(() => mirror.close());
beforeEach(() => mirror.database.pool.query('truncate mirror.receivers, mirror.receiver_gaps, mirror.dead_letters'));

const at = (minute: number) => `2026-06-01T10:${String(minute).padStart(2, '0')}:00.000Z`;
const span = (from: number, to: number, count = 3) => ({ count, first: at(from), last: at(to) });

function aReport(change: Partial<ReceiverReport> = {}): ReceiverReport {
  return {
    ...{ receiver: '0123456789abcdef', host: 'one', pid: 7, version: '1.2.3', startedAt: at(10) },
    ...{ reason: 'minute', at: at(11), downSince: null, wasStopped: null },
    answers: { '204': 5, '401': 0, '413': 0, '503': 0, none: 0 },
    ...{ refused: null, spooled: null, spoolHolds: 0, ...change },
  };
}

const record = (report: unknown) =>
  recordReport(mirror.database, {
    body: Buffer.from(typeof report === 'string' ? report : JSON.stringify(report)),
    receivedAt: new Date(),
  });

async function receivers(): Promise<Record<string, unknown>[]> {
  const { rows } = await mirror.database.pool.query(
    `select id, pid, version, reported_at as "reportedAt", stopped_at as "stoppedAt" from mirror.receivers order by id`,
  );
  return rows;
}

async function gaps(): Promise<string[]> {
  const { rows } = await mirror.database.pool.query(
    `select concat_ws(' ', kind, to_char(since at time zone 'UTC', 'HH24:MI'), to_char(until at time zone 'UTC', 'HH24:MI'),
        count, was_stopped) as gap from mirror.receiver_gaps order by kind, since`,
  );
  return rows.map(({ gap }) => gap);
}

test('a report tells who the receiver is, and when it was not there', async () => {
  const report = aReport({ reason: 'start', at: at(10), downSince: at(3), wasStopped: true });
  expect(await record(report)).toEqual({ outcome: 'report', event: null, reason: 'start', newDeadLetter: null });
  expect(await receivers()).toEqual([
    { id: '0123456789abcdef', pid: 7, version: '1.2.3', reportedAt: '2026-06-01T10:10:00Z', stoppedAt: null },
  ]);
  expect(await gaps()).toEqual(['down 10:03 10:10 t']);
  const { rows } = await mirror.database.pool.query(
    'select report, recorded_at > now() - interval $$1 min$$ as now from mirror.receivers',
  );
  expect(rows).toEqual([{ report, now: true }]);
});

test('what it refused and what it spooled are gaps, from the first to the last', async () => {
  await record(aReport({ refused: span(11, 11, 1), spooled: span(10, 12) }));
  expect(await gaps()).toEqual(['refused 10:11 10:11 1', 'spooled 10:10 10:12 3']);
});

test('the same again changes nothing, and one that tells more of the same gap makes it longer, in any order', async () => {
  const shorter = aReport({ at: at(12), spooled: span(11, 12, 3) });
  const longer = aReport({ at: at(14), spooled: span(11, 14, 8) });
  for (const report of [shorter, shorter, longer, longer, shorter]) await record(report);
  expect(await gaps()).toEqual(['spooled 10:11 10:14 8']);
  expect(await receivers()).toMatchObject([{ reportedAt: '2026-06-01T10:14:00Z' }]);
  const { rows } = await mirror.database.pool.query('select recorded_at from mirror.receivers');
  await record(longer);
  expect((await mirror.database.pool.query('select recorded_at from mirror.receivers')).rows).toEqual(rows);
});

test('a report that comes late takes nothing back', async () => {
  await record(aReport({ reason: 'stop', at: at(20) }));
  await record(aReport({ at: at(19), pid: 6, refused: span(18, 19) }));
  expect(await receivers()).toMatchObject([{ pid: 7, stoppedAt: '2026-06-01T10:20:00Z' }]);
  expect(await gaps()).toEqual(['refused 10:18 10:19 3']);
  await record(aReport({ reason: 'start', at: at(21), startedAt: at(21), downSince: at(20), wasStopped: true }));
  expect(await receivers()).toMatchObject([{ stoppedAt: null }]);
});

test('many workers that record the reports of one receiver at the same time end at the last', async () => {
  const reports = Array.from({ length: 30 }, (_, n) =>
    aReport({ at: at(10 + n), refused: span(10, 10 + n, n + 1), spooled: span(9, 10 + n, n + 1) }),
  );
  await Promise.all([...reports, ...reports.toReversed()].map(record));
  expect(await gaps()).toEqual(['refused 10:10 10:39 30', 'spooled 10:09 10:39 30']);
  expect(await receivers()).toMatchObject([{ reportedAt: '2026-06-01T10:39:00Z' }]);
});

test('a clock that was set back makes no gap', async () => {
  await record(aReport({ reason: 'start', startedAt: at(10), downSince: at(12), wasStopped: false }));
  expect(await gaps()).toEqual([]);
});

describe('what is no report is a dead letter', () => {
  test.each<[string, unknown]>([
    ['no JSON', '{"receiver":'],
    ['nothing', ''],
    ['a list', []],
    ['an event', { id: '1', resource_name: 'RFIs' }],
    ['a receiver that can be none', aReport({ receiver: '../x' })],
    ['a time that is none', { ...aReport(), at: 'yesterday' }],
    ['a name that Postgres takes not', aReport({ host: 'a\u0000b' })],
    ['a count beyond all bounds', { ...aReport(), spooled: { ...span(1, 2), count: 1e12 } }],
  ])('%s', async (_, report) => {
    const first = await record(report);
    expect(first).toMatchObject({ outcome: 'dead', reason: 'bad_report', newDeadLetter: expect.any(String) });
    expect(await record(report)).toMatchObject({ outcome: 'dead', newDeadLetter: null });
    expect(await receivers()).toEqual([]);
  });

  test('members that nobody knows yet do no harm', async () => {
    expect(await record({ ...aReport(), later: { more: 1 } })).toMatchObject({ outcome: 'report' });
  });
});

test('receivers and gaps are forgotten after 90 days', async () => {
  const { pool } = mirror.database;
  await record(aReport({ refused: span(11, 12) }));
  await record(aReport({ receiver: 'f'.repeat(16), spooled: span(11, 12) }));
  await pool.query(`update mirror.receivers set recorded_at = now() - interval '91 days' where id like '0%'`);
  await pool.query(
    `update mirror.receiver_gaps set until = now() - interval '1 day' * case receiver when repeat('f', 16) then 89 else 91 end`,
  );
  await forgetOldReceivers(mirror.database);
  expect(await receivers()).toMatchObject([{ id: 'f'.repeat(16) }]);
  expect((await pool.query('select receiver from mirror.receiver_gaps')).rows).toEqual([{ receiver: 'f'.repeat(16) }]);
});
