import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { type Judgement, judgeRecord, REASONS, type Reason, type RecordCase } from './judge-record.ts';

const now = new Date('2026-06-30T12:00:00Z');
/** So many minutes ago. */
const ago = (minutes: number) => new Date(now.getTime() - minutes * 60_000).toISOString();
const span = (from: number, to: number) => ({ sinceMs: Date.parse(ago(from)), untilMs: Date.parse(ago(to)) });

const row = {
  ...{ projectId: '7', version: '18', fetchedAt: ago(30), changedAt: ago(30), isComplete: true, wasSeen: true },
  ...{ deletedAt: null, hiddenAt: null, eventId: null, eventReceivedAt: null },
};
const pending = {
  ...{ lane: 'live', eventId: 'E', firstSeenAt: ago(1), lastSeenAt: ago(1), dueAt: ago(-5), isInHand: false },
  ...{ attempts: 0, lastError: null, deleteSeen: false, absentAt: null },
};
const letter = {
  ...{ id: '5/7/RFIs/42', reason: 'answer_422', detail: 'GET /x: HTTP 422', attempts: 3, firstSeenAt: ago(60) },
  ...{ lastSeenAt: ago(60), nextTryAt: null, eventId: 'E' },
};
const fill = {
  ...{ resource: 'RFIs', state: 'done', rows: 3, total: 3, requestedAt: ago(120), finishedAt: ago(110) },
  ...{ detail: null, completeSince: ago(120) },
};
const hook = {
  ...{ hookId: 'H', status: 'active', finding: null, lookedAt: ago(5), goodUntil: ago(5), carries: true },
  ...{ isOffered: true, refused: [], logFrom: null, logUntil: null, undeliveredReadAt: null },
};
const event = {
  ...{ id: 'E', projectId: '7', kind: 'update', occurredAt: ago(40), receivedAt: ago(40), via: 'delivery' },
  ...{ deliveries: 1, outcome: 'pending', reason: null },
};
const parked = {
  ...{ companyId: '5', projectId: null, resource: null, reason: 'not_connected', detail: 'HTTP 403' },
  ...{ parkedAt: ago(10), probeAt: ago(-5) },
};
const project = { name: 'A', isSelected: true, isActive: true, leftAt: null, seenAt: ago(10), forgottenAt: null };
const proof = { rung: 'listing', outcome: 'equal', provedAt: ago(3), asOf: ago(4), detail: null };
const body = { id: 'D', reason: 'bad_kind', detail: null, firstSeenAt: ago(9), companyId: '5' };
const shortage = { companyId: '5', limit: 600, left: 0, nextAt: ago(-20) };

/** A record that no event told of, of a list that was read whole. */
function aRecord(change: Partial<RecordCase> = {}): RecordCase {
  return {
    ...{ companyId: '5', projectId: '7', resource: 'RFIs', id: '42', mirrored: 'yes', inProject: true },
    ...{ isResourceSelected: true, isCompanyNamed: true, hasList: true, listsAll: true, triggers: 'all' },
    ...{ unreadBodies: [], missed: [], downSinceMs: null, hasWorker: true, shortage: null },
    company: { isSelected: true, leftAt: null, seenAt: ago(10) },
    ...{ project, row: null, elsewhere: null, pending: null, deadLetter: null, parked: [], hook, fills: [fill] },
    ...{ above: { lacking: 0, since: null }, proof: null, listing: null, difference: null, absences: [], gaps: [] },
    ...{ undelivered: null, events: [] },
    ...change,
  };
}
const there = (change: Partial<RecordCase> = {}) => aRecord({ row, ...change });

const cases: [reason: Reason, verdict: Judgement['verdict'], record: RecordCase, said: string][] = [
  ['resource-unknown', 'fine', aRecord({ mirrored: 'unknown' }), 'which the catalogue lacks'],
  ['resource-not-read', 'fine', aRecord({ mirrored: 'not read' }), 'no endpoint is known'],
  ['resource-not-selected', 'fine', aRecord({ isResourceSelected: false }), 'MIRROR_RESOURCES does not name them'],
  ['resource-not-selected', 'fine', there({ isResourceSelected: false }), 'its row is as of 2026-06-30 11:30 UTC'],
  ['company-not-selected', 'fine', there({ company: { isSelected: false, leftAt: ago(9), seenAt: null } }), 'any more'],
  ['company-not-selected', 'fine', aRecord({ company: null, isCompanyNamed: false }), 'not among PROCORE_COMPANY_IDS'],
  ['company-not-listed', 'needs you', aRecord({ company: null }), 'were never listed'],
  ['project-unknown', 'needs you', aRecord({ project: null }), 'does not show project 7'],
  ['project-unknown', 'needs you', aRecord({ project: null, projectId: null }), 'shows none'],
  [
    'project-not-selected',
    'fine',
    aRecord({ project: { ...project, isSelected: false, isActive: false } }),
    'not active',
  ],
  [
    'project-not-selected',
    'fine',
    there({ project: { ...project, isSelected: false, leftAt: ago(60), forgottenAt: ago(1) } }),
    'somebody had it forgotten 2026-06-30 11:59 UTC',
  ],
  ['parked', 'healing', there({ pending, parked: [parked] }), 'company 5 is parked since 2026-06-30 11:50 UTC'],
  ['parked', 'healing', there({ pending, parked: [{ ...parked, companyId: null }] }), 'everything is parked'],
  [
    'parked',
    'healing',
    there({ parked: [parked] }),
    'is as of 2026-06-30 11:30 UTC, and may be behind: company 5 refuses',
  ],
  ['parked', 'healing', aRecord({ parked: [parked] }), 'it may be lacking: company 5 refuses everything since'],
  ['parked', 'healing', aRecord({ fills: [{ ...fill, state: 'waiting' }], parked: [parked] }), 'is being filled'],
  ['no-worker', 'needs you', there({ pending, hasWorker: false }), 'no worker was seen'],
  [
    'no-worker',
    'needs you',
    aRecord({ fills: [{ ...fill, state: 'running' }], hasWorker: false }),
    'no worker was seen',
  ],
  [
    'fetch-fails',
    'healing',
    there({ pending: { ...pending, attempts: 2, lastError: 'HTTP 500' } }),
    '2 times its fetch failed (HTTP 500)',
  ],
  ['absent-once', 'healing', there({ pending: { ...pending, absentAt: ago(0) } }), 'looks once more'],
  ['calls-used-up', 'healing', there({ pending, shortage }), '0 of 600 calls left'],
  ['calls-used-up', 'healing', aRecord({ fills: [{ ...fill, state: 'running' }], shortage }), '0 of 600 calls left'],
  ['pending', 'healing', aRecord({ pending }), 'its fetch is due 2026-06-30 12:05 UTC'],
  ['pending', 'healing', there({ pending: { ...pending, isInHand: true } }), 'a worker fetches it now'],
  ['pending', 'healing', there({ pending, shortage: { ...shortage, left: 5 }, deadLetter: letter }), 'is due'],
  ['dead-letter', 'needs you', there({ deadLetter: letter }), 'not tried again by itself'],
  [
    'dead-letter',
    'healing',
    aRecord({ deadLetter: { ...letter, nextTryAt: ago(-60) } }),
    'tried again 2026-06-30 13:00 UTC',
  ],
  ['dead-letter', 'needs you', aRecord({ company: null, project: null, deadLetter: letter }), 'given up'],
  ['differs', 'needs you', aRecord({ difference: { kind: 'missing', fields: null, foundAt: ago(5) } }), 'no live row'],
  [
    'differs',
    'needs you',
    there({ difference: { kind: 'changed', fields: ['subject'], foundAt: ago(5) } }),
    'other subject',
  ],
  ['deleted', 'fine', there({ row: { ...row, deletedAt: ago(20) } }), 'is deleted in Procore'],
  ['hidden', 'needs you', there({ row: { ...row, hiddenAt: ago(20) } }), 'deleted, or no permission'],
  [
    'hidden',
    'healing',
    there({ row: { ...row, hiddenAt: ago(20) }, absences: [{ notedAt: ago(20), lookAt: ago(-40), looks: 1 }] }),
    'looked at again 2026-06-30 12:40 UTC',
  ],
  ['in-part', 'needs you', there({ row: { ...row, isComplete: false } }), 'only what its list carries'],
  ['up-to-date', 'fine', there(), 'fetched 2026-06-30 11:30 UTC (version 18)'],
  ['up-to-date', 'fine', there({ hook: null, events: [event] }), 'up to date'],
  ['up-to-date', 'fine', there({ hook: null, triggers: 'none' }), 'up to date'],
  ['up-to-date', 'fine', there({ missed: [span(20, 10)], listing: proof, proof }), 'up to date'],
  ['up-to-date', 'fine', there({ missed: [span(20, 10)], proof: { ...proof, rung: 'window' } }), 'up to date'],
  [
    'up-to-date',
    'fine',
    there({ missed: [span(20, 10)], hook: { ...hook, logFrom: ago(90), logUntil: ago(2) } }),
    'up',
  ],
  ['up-to-date', 'fine', there({ parked: [{ ...parked, reason: 'failing' }] }), 'up to date'],
  ['up-to-date', 'fine', there({ parked: [{ ...parked, reason: 'no_token', companyId: null }] }), 'up to date'],
  ['up-to-date', 'fine', there({ company: null, project: null }), 'up to date'],
  ['moved', 'fine', aRecord({ elsewhere: { ...row, projectId: '8' } }), 'is in project 8 of company 5'],
  ['body-not-read', 'needs you', aRecord({ unreadBodies: [body] }), 'could not be used (bad_kind)'],
  [
    'event-ignored',
    'needs you',
    aRecord({ events: [{ ...event, outcome: 'ignored', reason: 'resource_not_selected' }] }),
    'was ignored (resource_not_selected)',
  ],
  ['news-without-row', 'needs you', aRecord({ events: [event] }), 'nothing waits any more'],
  ['never-filled', 'needs you', aRecord({ fills: [] }), 'its list was never filled'],
  ['filling', 'healing', aRecord({ fills: [{ ...fill, state: 'running', total: null }] }), '3 of an unknown number'],
  ['fill-failed', 'needs you', aRecord({ fills: [{ ...fill, state: 'failed', detail: 'HTTP 403' }] }), '(HTTP 403)'],
  ['tool-off', 'fine', aRecord({ fills: [{ ...fill, state: 'off' }] }), 'the tool of RFIs is off'],
  ['since-first-event', 'needs you', aRecord({ hasList: false, listsAll: false, fills: [] }), 'by its first event'],
  ['hook-missing', 'needs you', aRecord({ hook: null }), 'project 7 has no hook'],
  ['hook-missing', 'needs you', there({ hook: { ...hook, hookId: null, finding: 'HTTP 403' } }), '(HTTP 403)'],
  [
    'hook-missing',
    'needs you',
    aRecord({ inProject: false, projectId: null, project: null, hook: null }),
    'company 5 has',
  ],
  [
    'hook-disabled',
    'needs you',
    there({ hook: { ...hook, status: 'disabled' } }),
    'may be behind: the hook of project 7',
  ],
  ['trigger-missing', 'needs you', aRecord({ hook: { ...hook, refused: ['RFIs update'] } }), '(RFIs update)'],
  ['trigger-missing', 'needs you', there({ hook: { ...hook, carries: false } }), 'lacks triggers of RFIs'],
  ['up-to-date', 'fine', there({ hook: { ...hook, carries: false }, triggers: 'some' }), 'up to date'],
  ['trigger-not-offered', 'healing', there({ hook: { ...hook, isOffered: false } }), 'only comparisons tell'],
  ['receiver-down', 'needs you', there({ downSinceMs: Date.parse(ago(15)) }), 'since 2026-06-30 11:45 UTC'],
  [
    'undelivered',
    'needs you',
    there({ undelivered: { count: 12, oldestAt: ago(300), askedAt: ago(1) } }),
    'held 12 events',
  ],
  [
    'mirror-was-down',
    'healing',
    there({ missed: [span(20, 10)] }),
    'from 2026-06-30 11:40 UTC to 2026-06-30 11:50 UTC',
  ],
  [
    'mirror-was-down',
    'healing',
    there({ missed: [span(60, 10)], hook: { ...hook, logFrom: ago(40), logUntil: ago(2) } }),
    'not read yet',
  ],
  [
    'undelivered',
    'healing',
    there({ undelivered: { count: 12, oldestAt: ago(100), askedAt: ago(1) } }),
    'at 2026-06-30 11:59 UTC Procore held 12 events',
  ],
  [
    'events-not-sent',
    'needs you',
    aRecord({ hasList: false, gaps: [{ since: null, until: ago(10) }] }),
    'no list shows RFIs',
  ],
  ['up-to-date', 'fine', there({ missed: [span(60, 40)] }), 'up to date'],
  [
    'up-to-date',
    'fine',
    there({ missed: [span(20, 10)], hook: { ...hook, undeliveredReadAt: ago(10) } }),
    'up to date',
  ],
  [
    'mirror-was-down',
    'healing',
    there({ missed: [span(20, 10)], hook: { ...hook, undeliveredReadAt: ago(11) } }),
    'not read yet',
  ],
  ['events-not-sent', 'healing', there({ gaps: [{ since: ago(20), until: ago(10) }] }), 'from 2026-06-30 11:40 UTC to'],
  ['events-not-sent', 'healing', aRecord({ gaps: [{ since: null, until: ago(10) }] }), 'until 2026-06-30 11:50 UTC'],
  ['not-at-procore', 'fine', aRecord({ gaps: [{ since: null, until: ago(130) }] }), 'read whole 2026-06-30 10:00 UTC'],
  [
    'not-at-procore',
    'fine',
    aRecord({ fills: [{ ...fill, completeSince: null }], listing: proof }),
    'read whole 2026-06-30 11:56',
  ],
  [
    'filled-in-part',
    'needs you',
    aRecord({ fills: [{ ...fill, completeSince: null, detail: 'done without: 5' }] }),
    '(done without: 5)',
  ],
  ['never-told', 'needs you', aRecord({ listsAll: false }), 'Procore never told of RFIs 42 of project 7'],
  ['never-told', 'needs you', aRecord({ above: { lacking: 1, since: null } }), 'Procore never told'],
];

test.each(cases)('%s (%s)', (reason, verdict, record, said) => {
  const judged = judgeRecord(record, now);
  expect(judged).toMatchObject({ reason, verdict, message: expect.stringContaining(said) });
  expect(judged.message).not.toMatch(/undefined|null|NaN|\.$/);
  if (verdict === 'needs you') expect(judged.fix).not.toBe(null);
});

test('each reason is brought about', () => {
  expect(new Set(cases.map(([reason]) => reason))).toEqual(new Set(REASONS));
});

test('a command that is to be pasted names the list as a shell takes it', () => {
  const { fix } = judgeRecord(aRecord({ resource: 'Daily Log "$Entries"', fills: [] }), now);
  expect(fix).toBe('`pnpm mirror backfill --company 5 --project 7 --resource "Daily Log \\"\\$Entries\\""`');
});

test('docs/operations.md explains each reason', () => {
  const text = readFileSync(path.join(import.meta.dirname, '../../../../docs/operations.md'), 'utf8');
  const explained = [...text.matchAll(/^\| (`[a-z`, -]+`) \|.*\| (?:fine|healing|needs you)/gm)].flatMap(
    ([, reasons = '']) => [...reasons.matchAll(/`([a-z-]+)`/g)].map(([, reason]) => reason),
  );
  expect(explained.toSorted()).toEqual(REASONS.toSorted());
});
