import { describe, expect, test } from 'vitest';
import { overwrittenOn, refuseReset } from './monthly-sandbox.ts';

const at = (text: string) => new Date(text);

describe('the day on which a sandbox was overwritten, and not reset since', () => {
  test.each([
    ['the first is a Wednesday', '2026-07-01T00:00:00Z', '2026-06-30T23:59:59Z', '2026-07-01'],
    ['the first is a Saturday', '2026-08-03T08:00:00Z', '2026-08-02T10:00:00Z', '2026-08-03'],
    ['the first is a Sunday', '2026-11-02T00:00:00Z', '2026-11-01T10:00:00Z', '2026-11-02'],
    ['some days later it still is', '2026-08-20T08:00:00Z', '2026-07-30T10:00:00Z', '2026-08-03'],
    ['before it that of the month before counts', '2026-08-02T23:59:59Z', '2026-06-15T10:00:00Z', '2026-07-01'],
    ['in January before the first working day', '2028-01-02T12:00:00Z', '2027-11-30T10:00:00Z', '2027-12-01'],
    ['on the last day before it there was nothing to do', '2026-08-02T23:59:59Z', '2026-07-02T10:00:00Z', null],
    ['it was reset on the day itself', '2026-08-20T08:00:00Z', '2026-08-03T00:00:00Z', null],
  ])('%s', (_, now, lastReset, day) => {
    const origin = { environment: 'monthly-sandbox', notedAt: '2026-01-10T00:00:00Z', resetAt: lastReset };
    expect(overwrittenOn('monthly-sandbox', origin, at(now))).toBe(day);
  });

  test('a mirror that was begun since then is of the new world', () => {
    const origin = { environment: 'monthly-sandbox', notedAt: '2026-08-04T00:00:00Z', resetAt: null };
    expect(overwrittenOn('monthly-sandbox', origin, at('2026-08-20T08:00:00Z'))).toBeNull();
    expect(overwrittenOn('monthly-sandbox', origin, at('2026-09-01T08:00:00Z'))).toBe('2026-09-01');
  });

  test.each([
    ['another environment is configured', 'production', 'monthly-sandbox'],
    ['the database is of another', 'monthly-sandbox', 'sandbox'],
  ])('%s: nobody overwrites it', (_, configured, environment) => {
    const origin = { environment, notedAt: '2026-01-10T00:00:00Z', resetAt: null };
    expect(overwrittenOn(configured, origin, at('2026-08-20T08:00:00Z'))).toBeNull();
  });

  test('a mirror on which no worker has run needs nothing', () => {
    expect(overwrittenOn('monthly-sandbox', null, at('2026-08-20T08:00:00Z'))).toBeNull();
  });
});

describe('a reset', () => {
  const fine = {
    asked: 'monthly-sandbox',
    environment: 'monthly-sandbox',
    hosts: ['login.sandbox', '127.0.0.1'],
    sandboxHosts: ['login.sandbox', 'api.sandbox'],
    isLoopback: (host: string) => host === '127.0.0.1',
    origin: { environment: 'monthly-sandbox' },
    isWorkerSeen: false,
  };

  test('is allowed where nothing speaks against it, also of a database that is of no environment yet', () => {
    expect(refuseReset(fine)).toEqual([]);
    expect(refuseReset({ ...fine, origin: null })).toEqual([]);
  });

  test.each([
    [
      'production',
      { asked: 'production', environment: 'production', origin: { environment: 'production' } },
      'overwritten',
    ],
    [
      'the other sandbox',
      { asked: 'sandbox', environment: 'sandbox', origin: { environment: 'sandbox' } },
      'overwritten',
    ],
    ['another environment than is configured', { environment: 'production' }, 'PROCORE_ENVIRONMENT is production'],
    ['a host that is no sandbox', { hosts: ['login.sandbox', 'api.procore.com'] }, 'not to api.procore.com'],
    ['a mirror of another environment', { origin: { environment: 'production' } }, 'this database mirrors production'],
    ['a mirror with a worker at it', { isWorkerSeen: true }, 'stop all workers'],
  ])('of %s is refused', (_, different, problem) => {
    expect(refuseReset({ ...fine, ...different })).toEqual([expect.stringContaining(problem)]);
  });
});
