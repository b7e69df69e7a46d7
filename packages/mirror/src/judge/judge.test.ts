import type { Group } from '@procore-mirror/database';
import { describe, expect, test } from 'vitest';
import type { Facts } from './facts.ts';
import { verdictOf } from './finding.ts';
import { undeliveredHours } from './hooks.ts';
import { scopesInWords } from './in-words.ts';
import { judge, judgeMisfit } from './judge.ts';
import { judgeProcess } from './processes.ts';

const now = '2026-06-30T12:00:00.000Z';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const ago = (ms: number) => new Date(Date.parse(now) - ms).toISOString();
const ahead = (ms: number) => ago(-ms);

const report = { version: '1', looksAfterHooks: true, login: null, procoreAheadMs: 0, aheadMs: 0 };
const worker = { holder: 'w', startedAt: ago(DAY), seenAt: ago(2_000), stoppedAt: null, report };
const receiver = {
  ...{ id: 'r', host: 'door', reportedAt: ago(20_000), recordedAt: ago(20_000), stoppedAt: null, spoolHolds: 0 },
};
const hour: Facts['budget']['windows'][number] = {
  ...{ companyId: null, window: 'hour', limit: 600, left: 300, endsAt: ahead(HOUR / 2), isTold: true },
  ...{ calls: 300, callsOfOthers: 0 },
};

/** All is well but for this. */
function facts(change: Partial<Facts> = {}): Facts {
  return {
    ...{ now, parked: [], hooks: [], unseenHooks: [], hasHooks: true, undelivered: [], olderThanLog: [] },
    ...{ unreadLogs: [], silent: [], deadLetters: [], failedFills: [], openFills: [], toComplete: [] },
    ...{ budget: { owner: 'all', because: 'answers', windows: [hour] }, pauses: [], callsByHour: [], waitingNews: [] },
    ...{ unproved: [], standing: [], missed: [], differences: [], receivers: [receiver], gaps: [], workers: [worker] },
    ...{ queue: { waiting: 0, problem: null }, overwrittenOn: null, fill: null },
    rounds: [{ companyId: '7', hooksMs: DAY, logMs: DAY, proofsMs: DAY }],
    ...change,
  };
}

function group(count = 1, sinceMs: number | null = HOUR, change: Partial<Group> = {}): Group {
  const first = Array.from({ length: Math.min(count, 3) }, (_, index) => ({
    ...{ companyId: '7', projectId: String(5 + index), resource: 'RFIs' },
  }));
  const common = { companyId: '7', projectId: count === 1 ? '5' : null, resource: 'RFIs' };
  return { ...common, count, since: sinceMs === null ? null : ago(sinceMs), first, ...change };
}

const busy = (left: number) =>
  ({ budget: { owner: 'all', because: 'answers', windows: [{ ...hour, left }] } }) as const;
const login = (reason: 'rejected' | 'unreachable', ms: number) => ({
  workers: [{ ...worker, report: { ...report, login: { reason, since: ago(ms), message: 'no token' } } }],
});
const hooks = (state: Facts['hooks'][number]['state'], ms: number | null) => ({
  hooks: [{ ...group(1, ms), state, finding: 'Procore answered 403' }],
});
const without = { workers: [{ ...worker, report: { ...report, looksAfterHooks: false } }] };
const parked = (reason: string, ms: number) => ({
  parked: [{ ...group(1, ms), reason, detail: 'answered 403', probeAt: ahead(MINUTE) }],
});
const openFill = (change: Partial<Facts['openFills'][number]> = {}) => ({
  openFills: [{ ...group(3), retried: 0, detail: null, isHeld: true, dueAt: ago(5 * HOUR), ...change }],
});
const letters = (isRetried: boolean) => ({
  deadLetters: [{ ...group(2), reason: 'answer_422', isRetried, nextTryAt: isRetried ? ahead(HOUR) : null }],
});
const shortage = { companyId: '7', limit: 600, left: 0, nextAt: ahead(HOUR) };
const undelivered = (ms: number) => ({
  undelivered: [{ companyId: '7', count: 3, oldestAt: ago(ms), askedAt: ago(MINUTE) }],
});
const silent = { ...receiver, recordedAt: ago(4 * MINUTE), reportedAt: ago(4 * MINUTE) };
const gap = (kind: 'refused' | 'spooled', ms: number) => ({
  ...{ receiver: 'r', kind, since: ago(ms), until: ago(MINUTE), count: 4 },
});

test('where all is well there is nothing to tell', () => {
  expect(judge(facts())).toEqual({ verdict: 'fine', findings: [], healedAt: null });
});

test.each<[what: string, change: Partial<Facts>, told: string[]]>([
  // Processes
  ['no worker ever', { workers: [] }, ['error worker-silent']],
  ['a worker that stopped', { workers: [{ ...worker, stoppedAt: ago(1_000) }] }, ['error worker-silent']],
  ['a worker unseen for 31 s', { workers: [{ ...worker, seenAt: ago(31_000) }] }, ['error worker-silent']],
  ['another worker unseen', { workers: [worker, { ...worker, holder: 'x', seenAt: ago(HOUR) }] }, []],
  ['a worker of before, which reports nothing', { workers: [{ ...worker, report: null }] }, []],
  ['a queue that is away', { queue: { waiting: null, problem: 'refused' } }, ['error queue-unreachable']],
  ['a queue with some', { queue: { waiting: 999, problem: null } }, []],
  ['a queue behind', { queue: { waiting: 1_000, problem: null } }, ['warning queue-behind']],
  ['a queue far behind', { queue: { waiting: 100_000, problem: null } }, ['error queue-behind']],
  ['credentials refused', login('rejected', 1_000), ['error credentials-refused']],
  ['a login server away', login('unreachable', 50 * MINUTE), ['warning login-unreachable']],
  ['a login server long away', login('unreachable', 61 * MINUTE), ['error login-unreachable']],
  ['no receiver ever', { receivers: [] }, ['error receiver-silent']],
  ['no receiver yet', { receivers: [], workers: [{ ...worker, startedAt: ago(MINUTE) }] }, []],
  ['a receiver silent', { receivers: [silent] }, ['error receiver-silent']],
  ['a receiver silent while no worker records', { receivers: [silent], workers: [] }, ['error worker-silent']],
  ['a receiver stopped', { receivers: [{ ...receiver, stoppedAt: ago(1_000) }] }, ['error receiver-silent']],
  ['one of two receivers silent', { receivers: [receiver, { ...silent, id: 's' }] }, ['warning receiver-silent']],
  ['one replaced', { receivers: [receiver, { ...silent, id: 's', recordedAt: ago(25 * HOUR) }] }, []],
  ['503', { gaps: [gap('refused', 2 * MINUTE)] }, ['warning receiver-refuses']],
  ['503 for long', { gaps: [gap('refused', 6 * MINUTE)] }, ['error receiver-refuses']],
  ['503 that is over', { gaps: [{ ...gap('refused', 9 * MINUTE), until: ago(4 * MINUTE) }] }, []],
  [
    'a spool in use',
    { receivers: [{ ...receiver, spoolHolds: 2 }], gaps: [gap('spooled', 2 * MINUTE)] },
    ['warning spool-in-use'],
  ],
  ['a spool in use, since nobody knows', { receivers: [{ ...receiver, spoolHolds: 2 }] }, ['error spool-in-use']],
  ['a spool that is empty again', { gaps: [gap('spooled', 9 * MINUTE)] }, []],
  ['a clock 29 s off', { workers: [{ ...worker, report: { ...report, aheadMs: 29_000 } }] }, []],
  ['a clock ahead', { workers: [{ ...worker, report: { ...report, aheadMs: 31_000 } }] }, ['error clock-off']],
  ['a clock behind', { workers: [{ ...worker, report: { ...report, aheadMs: -31_000 } }] }, ['error clock-off']],
  [
    "Procore's clock",
    { workers: [{ ...worker, report: { ...report, procoreAheadMs: -40_000 } }] },
    ['warning clock-off'],
  ],
  ["a receiver's clock ahead", { receivers: [{ ...receiver, reportedAt: ahead(20_000) }] }, ['error clock-off']],
  ["a receiver's clock behind", { receivers: [{ ...receiver, reportedAt: ago(MINUTE) }] }, ['warning clock-off']],
  [
    'a report that waited in the queue',
    { receivers: [{ ...receiver, reportedAt: ago(MINUTE) }], queue: { waiting: 9, problem: null } },
    [],
  ],
  ['a sandbox overwritten', { overwrittenOn: '2026-06-01' }, ['error sandbox-overwritten']],
  // Hooks and news
  ['a hook missing', hooks('missing', HOUR), ['error hook-missing']],
  ['a hook missing for minutes', hooks('missing', 5 * MINUTE), ['warning hook-missing']],
  ['the same, and nobody sets it right', { ...hooks('missing', 5 * MINUTE), ...without }, ['error hook-missing']],
  ['a hook disabled', hooks('disabled', null), ['error hook-disabled']],
  ['triggers refused', hooks('refused', 1_000), ['error hook-triggers-refused']],
  ['a hook not reached', hooks('wrong', 50 * MINUTE), ['warning hook-wrong']],
  ['a hook not reached for long', hooks('wrong', 70 * MINUTE), ['error hook-wrong']],
  ['a hook not looked at', { unseenHooks: [group(1, 47 * HOUR)] }, ['warning hook-unseen']],
  ['a hook not looked at for two rounds', { unseenHooks: [group(1, 49 * HOUR)] }, ['error hook-unseen']],
  ['hooks that nobody looks at', { unseenHooks: [group(2, 1_000)], ...without }, ['error hooks-unattended']],
  ['hooks that somebody else made', without, []],
  ['undelivered for an hour', undelivered(HOUR), []],
  ['undelivered for 3 h', undelivered(3 * HOUR), ['warning undelivered']],
  ['undelivered for 7 h', undelivered(7 * HOUR), ['error undelivered']],
  [
    'older than the log',
    { olderThanLog: [{ companyId: '7', foundAt: ago(HOUR), days: ['2026-05-01'] }] },
    ['error older-than-log'],
  ],
  ['a log unread', { unreadLogs: [{ ...group(), finding: 'answered 403' }] }, ['warning log-unread']],
  ['a log long unread', { unreadLogs: [{ ...group(1, 3 * DAY), finding: '403' }] }, ['error log-unread']],
  ['a scope silent', { silent: [{ companyId: '7', projectId: '5', usually: 40 }] }, ['warning scope-silent']],
  // Calls
  ['few calls left', busy(1), []],
  ['calls used up', busy(0), ['warning calls-used-up']],
  ['news waits while calls are used up', { ...busy(0), waitingNews: [group(1, 3 * HOUR)] }, ['warning calls-used-up']],
  [
    'calls used up for hours by fills alone',
    { ...busy(0), callsByHour: [{ companyId: '7', calls: [600, 590, 580] }] },
    ['warning calls-used-up'],
  ],
  [
    'calls used up for hours, and news waits',
    { ...busy(0), waitingNews: [group(1, 3 * HOUR)], callsByHour: [{ companyId: '7', calls: [600, 590, 580] }] },
    ['error calls-used-up'],
  ],
  [
    'the same with an hour of rest',
    { ...busy(0), waitingNews: [group(1, 3 * HOUR)], callsByHour: [{ companyId: '7', calls: [600, 300, 580] }] },
    ['warning calls-used-up'],
  ],
  [
    'calls used up, and refused',
    { ...busy(0), pauses: [{ companyId: '7', until: ahead(MINUTE) }] },
    ['warning calls-used-up'],
  ],
  ['a pause', { pauses: [{ companyId: '7', until: ahead(MINUTE) }] }, ['warning calls-used-up']],
  ['news that waits though there are calls', { waitingNews: [group(2, 3 * HOUR)] }, ['error news-waits']],
  ['news that waits for an hour', { waitingNews: [group(2, HOUR)] }, []],
  [
    'others take calls',
    { budget: { owner: 'all', because: null, windows: [{ ...hour, callsOfOthers: 121 }] } },
    ['warning calls-eaten'],
  ],
  ['others take few', { budget: { owner: 'all', because: null, windows: [{ ...hour, callsOfOthers: 120 }] } }, []],
  // Fills
  ['a fill failed', { failedFills: [{ ...group(), detail: '403' }] }, ['error fill-failed']],
  ['a fill under way', openFill(), ['warning filling']],
  ['a fill that nobody takes', openFill({ isHeld: false }), ['warning fill-stuck']],
  ['a fill that nobody takes for long', openFill({ isHeld: false, dueAt: ago(7 * HOUR) }), ['error fill-stuck']],
  ['a fill that waits its pause', openFill({ isHeld: false, dueAt: ahead(MINUTE) }), ['warning filling']],
  [
    'a fill that waits for calls',
    { ...openFill({ isHeld: false }), fill: { callsToGo: 9, shortage } },
    ['warning filling'],
  ],
  [
    'a fill without a worker',
    { ...openFill({ isHeld: false }), workers: [] },
    ['error worker-silent', 'warning filling'],
  ],
  ['records to complete', { toComplete: [group(4)] }, ['warning filling']],
  // Records
  ['a company gone', parked('not_connected', 61 * MINUTE), ['error company-not-connected']],
  ['a scope parked', parked('forbidden', 10 * MINUTE), ['warning scope-parked']],
  ['a scope parked for long', parked('forbidden', 61 * MINUTE), ['error scope-parked']],
  ['no token, though workers can sign in again', parked('no_token', 61 * MINUTE), []],
  [
    'no token, and nobody tells why',
    { ...parked('no_token', 61 * MINUTE), workers: [{ ...worker, report: null }] },
    ['error scope-parked'],
  ],
  [
    'no token, which the login tells',
    { ...parked('no_token', HOUR), ...login('rejected', 1) },
    ['error credentials-refused'],
  ],
  ['dead letters', letters(false), ['error dead-letters']],
  ['dead letters that are tried again', letters(true), ['warning dead-letters-retried']],
  ['tables unproved', { unproved: [{ ...group(9, 2.5 * DAY), roundMs: DAY }] }, ['warning table-unproved']],
  ['tables long unproved', { unproved: [{ ...group(9, 3.1 * DAY), roundMs: DAY }] }, ['error table-unproved']],
  ['a time without events', { missed: [group(2, HOUR)] }, ['info events-missed']],
  ['tables that stand', { standing: [group(2, HOUR)] }, ['warning table-standing']],
  ['tables that stand since yesterday', { standing: [group(2, 25 * HOUR)] }, ['error table-standing']],
  ['differences', { differences: [group(2, HOUR)] }, ['warning differences-left']],
  ['differences of yesterday', { differences: [group(2, 25 * HOUR)] }, ['error differences-left']],
])('%s', (_, change, told) => {
  const { findings, verdict } = judge(facts(change));
  expect(findings.map(({ severity, code }) => `${severity} ${code}`)).toEqual(told);
  expect(verdict).toBe(verdictOf(findings));
  for (const { message, severity, fix } of findings) {
    expect(message).not.toMatch(/undefined|null|NaN/);
    if (severity === 'error') expect(fix).not.toBe(null);
  }
});

test('errors come first, and of each severity what is so for the longest time; what is not known comes last', () => {
  const many = facts({
    deadLetters: [
      { ...group(1, HOUR), reason: 'a', isRetried: false, nextTryAt: null },
      { ...group(1, 3 * HOUR), reason: 'b', isRetried: false, nextTryAt: null },
      { ...group(1, 9 * HOUR), reason: 'c', isRetried: true, nextTryAt: ahead(HOUR) },
    ],
    queue: { waiting: null, problem: 'refused' },
  });
  expect(judge(many).findings.map(({ code, since }) => [code, since])).toEqual([
    ['dead-letters', ago(3 * HOUR)],
    ['dead-letters', ago(HOUR)],
    ['queue-unreachable', null],
    ['dead-letters-retried', ago(9 * HOUR)],
  ]);
});

describe('when it will be well', () => {
  test.each<[what: string, change: Partial<Facts>, healedAt: string | null]>([
    ['is told of an hour that is used up', busy(0), hour.endsAt],
    ['is the last of several times', { ...busy(0), ...letters(true) }, ahead(HOUR)],
    ['is not told where one of them is not known', { ...busy(0), differences: [group()] }, null],
    ['is not told where a person is needed', { ...busy(0), ...letters(false) }, null],
    ['of a fill goes by its calls', { ...openFill(), fill: { callsToGo: 960, shortage: null } }, ahead(2 * HOUR)],
    [
      'of a fill without calls begins with the next ones',
      { ...openFill(), fill: { callsToGo: 480, shortage } },
      ahead(2 * HOUR),
    ],
  ])('%s', (_, change, healedAt) => {
    expect(judge(facts(change)).healedAt).toBe(healedAt);
  });
});

test('many scopes are one finding that names the first and what they have in common', () => {
  const many = { ...group(2_000), detail: 'answered 403' };
  expect(judge(facts({ failedFills: [many] })).findings).toEqual([
    {
      ...{
        code: 'fill-failed',
        severity: 'error',
        companyId: '7',
        projectId: null,
        resource: 'RFIs',
        since: many.since,
      },
      message:
        '2000 tables could not be filled, RFIs of project 5, RFIs of project 6, RFIs of project 7 and 1997 more: answered 403.',
      fix: 'pnpm mirror backfill --company 7 --resource RFIs',
    },
  ]);
});

test('a resource with a blank is quoted in what is to be pasted', () => {
  const [found] = judge(facts({ differences: [group(1, HOUR, { resource: 'Change Events' })] })).findings;
  expect(found?.fix).toBe('pnpm mirror verify --full --repair --company 7 --project 5 --resource "Change Events"');
});

test('a database that does not fit is all there is to tell', () => {
  expect(judgeMisfit('the database lacks 1 migration')).toMatchObject({
    ...{ verdict: 'needs you', findings: [{ code: 'schema-misfit', message: 'the database lacks 1 migration' }] },
  });
});

test.each([
  [{ login: null, queue: [], schema: null }, []],
  [{ login: 'no token', queue: ['Redis is full'], schema: null }, ['credentials-refused', 'queue-unreachable']],
  [{ login: 'no token', queue: [], schema: 'too old' }, ['schema-misfit']],
])('a process tells of itself: %o', (process, codes) => {
  expect(judgeProcess(process).map(({ code }) => code)).toEqual(codes);
});

test.each([
  [1, 0],
  [2, 2],
  [5.9, 2],
  [6, 6],
  [11, 11],
  [30, 11],
])('an event that is not delivered for %s hours raises the alarm of %i', (hours, alarm) => {
  expect(undeliveredHours(hours * HOUR)).toBe(alarm);
});

test.each<
  [what: string, places: readonly (readonly [string, string | null])[], count: number, inCommon: object, words: string]
>([
  ['one', [['RFIs', '5']], 1, {}, 'RFIs of project 5'],
  [
    'more than are named',
    [
      ['RFIs', '5'],
      ['RFIs', '6'],
      ['RFIs', '8'],
    ],
    9,
    {},
    'RFIs of project 5, RFIs of project 6, RFIs of project 8 and 6 more',
  ],
  [
    'records of one table',
    [
      ['RFIs', '5'],
      ['RFIs', '5'],
      ['RFIs', '5'],
    ],
    9,
    { companyId: '7', projectId: '5', resource: 'RFIs' },
    'RFIs of project 5',
  ],
  [
    'records of several tables',
    [
      ['RFIs', '5'],
      ['RFIs', '5'],
      ['RFIs', '6'],
    ],
    9,
    { companyId: '7', resource: 'RFIs' },
    'RFIs of project 5, RFIs of project 6 and others',
  ],
])('scopes in words: %s', (_, places, count, inCommon, words) => {
  const first = places.map(([resource, projectId]) => ({ companyId: '7', projectId, resource }));
  expect(scopesInWords({ first, count, ...inCommon })).toBe(words);
});
