import type { Envelope } from '@procore-mirror/queue';
import { afterEach, expect, test, vi } from 'vitest';
import type { ReceiverLife } from './receiver-life.ts';
import { createReports, type Reports, type ReportsOptions } from './receiver-reports.ts';

const patience = { timeout: 10_000, interval: 5 };
let open: Reports[] = [];
afterEach(async () => {
  await Promise.all(open.map((reports) => reports.close()));
  open = [];
});

/** Reports, what was stored of them, and what was noted of life; both can be broken. The clock goes on by a second with each look. */
function aReporter(options: Partial<ReportsOptions> & { before?: Partial<ReceiverLife> } = {}) {
  const stored: Envelope[] = [];
  const noted: [string, boolean][] = [];
  const errors: unknown[] = [];
  const broken = { store: false, life: false };
  let seconds = 0;
  const life: ReceiverLife = {
    ...{ id: '0123456789abcdef', aliveAt: null, wasStopped: null },
    async note(at, isStopped) {
      if (broken.life) throw new Error('the disk is read-only');
      noted.push([at.toISOString(), isStopped]);
    },
    ...options.before,
  };
  const reports = createReports({
    life,
    version: '1.2.3',
    spoolHolds: () => 4,
    accepts: () => ['0123456789abcdef'],
    async store(envelope) {
      if (broken.store) throw new Error('no room');
      stored.push(envelope);
    },
    onError: (error) => errors.push(error),
    everyMs: 3_600_000,
    now: () => new Date(Date.UTC(2026, 5, 1, 10, 0, seconds++)),
    ...options,
  });
  open.push(reports);
  const told = () => stored.map(({ body }) => JSON.parse(body.toString()));
  return { reports, stored, told, noted, errors, broken };
}

const at = (second: number) => new Date(Date.UTC(2026, 5, 1, 10, 0, second)).toISOString();
const none = { '204': 0, '401': 0, '413': 0, '503': 0, none: 0 };

test('a start is reported with who it is and since when it was down', async () => {
  const { reports, stored, told, noted } = aReporter({
    before: { aliveAt: '2026-06-01T09:00:00.000Z', wasStopped: false },
  });
  reports.start();
  await vi.waitFor(() => expect(noted).toEqual([[at(1), false]]), patience);
  expect(stored).toMatchObject([{ v: 1, kind: 'report', receivedAt: new Date(at(1)), key: null, trace: null }]);
  expect(told()).toEqual([
    {
      ...{ receiver: '0123456789abcdef', host: expect.any(String), pid: process.pid, version: '1.2.3' },
      ...{ startedAt: at(0), reason: 'start', at: at(1) },
      ...{ downSince: '2026-06-01T09:00:00.000Z', wasStopped: false },
      ...{ answers: none, refused: null, spooled: null, spoolHolds: 4, accepts: ['0123456789abcdef'] },
    },
  ]);
});

test('each report counts from the one before, and the last says that it stops', async () => {
  const { reports, told, noted } = aReporter({ before: { aliveAt: '2026-06-01T09:00:00.000Z', wasStopped: true } });
  reports.start();
  await vi.waitFor(() => expect(noted).toHaveLength(1), patience);
  for (const status of [204, 204, 401, 413, 'none'] as const) reports.answered(status);
  reports.stored('queue', 0.1);
  reports.stored('spool', 0.1); // at 2
  reports.answered(503); // at 3
  reports.answered(503); // at 4
  reports.stored('spool', 0.1); // at 5
  await reports.close();
  expect(told()[1]).toMatchObject({
    ...{ reason: 'stop', at: at(6), downSince: null, wasStopped: null },
    answers: { '204': 2, '401': 1, '413': 1, '503': 2, none: 1 },
    refused: { count: 2, first: at(3), last: at(4) },
    spooled: { count: 2, first: at(2), last: at(5) },
  });
  expect(noted.at(-1)).toEqual([at(6), true]);
});

test('while nothing happens it reports all the same, once in a while', async () => {
  const { reports, told } = aReporter({ everyMs: 10 });
  reports.start();
  await vi.waitFor(() => expect(told().length).toBeGreaterThan(3), patience);
  expect(told().slice(0, 3)).toMatchObject([{ reason: 'start' }, { reason: 'minute' }, { reason: 'minute' }]);
});

test('what could not be stored goes with the next report, and is not noted as told before', async () => {
  const { reports, told, noted, errors, broken } = aReporter({
    ...{ everyMs: 10, before: { aliveAt: '2026-06-01T09:00:00.000Z', wasStopped: true } },
  });
  broken.store = true;
  reports.answered(503);
  reports.start();
  await vi.waitFor(() => expect(errors.length).toBeGreaterThan(2), patience);
  reports.answered(503);
  reports.answered(204);
  expect(noted).toEqual([]);
  broken.store = false;
  await vi.waitFor(() => expect(told().length).toBeGreaterThan(1), patience);
  expect(told().slice(0, 2)).toMatchObject([
    {
      reason: 'start',
      downSince: '2026-06-01T09:00:00.000Z',
      answers: { ...none, '204': 1, '503': 2 },
      refused: { count: 2, first: at(0) },
    },
    { reason: 'minute', downSince: null, answers: none, refused: null },
  ]);
});

test('a stop that is the first report to be stored tells of the time before the start, too', async () => {
  const { reports, told, errors, broken } = aReporter({
    before: { aliveAt: '2026-06-01T09:00:00.000Z', wasStopped: true },
  });
  broken.store = true;
  reports.start();
  await vi.waitFor(() => expect(errors).toHaveLength(1), patience);
  broken.store = false;
  await reports.close();
  expect(told()).toMatchObject([{ reason: 'stop', downSince: '2026-06-01T09:00:00.000Z', wasStopped: true }]);
});

test('a life that cannot be noted keeps no report back', async () => {
  const { reports, told, errors, broken } = aReporter({ everyMs: 10 });
  broken.life = true;
  reports.start();
  await vi.waitFor(() => expect(told().length).toBeGreaterThan(2), patience);
  await reports.close();
  expect(told().at(-1)).toMatchObject({ reason: 'stop' });
  expect(String(errors[0])).toContain('read-only');
});

test('closing does not wait for a store that never answers', async () => {
  const { reports } = aReporter({ store: () => new Promise(() => {}), stopWithinMs: 50 });
  reports.start();
  await reports.close();
});

test('one that never started says nothing', async () => {
  const { reports, stored, noted } = aReporter();
  await reports.close();
  expect([stored, noted]).toEqual([[], []]);
});
