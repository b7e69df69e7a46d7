import type { KnownLook, LoggedHook, OpenRepair } from '@procore-mirror/database';
import { expect, test } from 'vitest';
import { logCallsLeft } from './log-share.ts';
import type { Span } from './missed-times.ts';
import { callsOfRound, type PlannedLook, planLooks } from './plan-looks.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.parse('2026-06-30T12:00:00Z');
const NEVER = Number.NEGATIVE_INFINITY;

const aLook = (change: Partial<KnownLook> = {}): KnownLook => ({
  ...{ status: 'discarded', lookedMs: NOW - HOUR, dayMs: NOW - 2 * DAY, newestMs: NOW - 2 * HOUR, triedMs: NOW - HOUR },
  ...{ pages: 1, finding: null, nextMs: null, inOrder: 50 },
  ...change,
});
const aHook = (hookId: string, looks: KnownLook[] = [], projectId: string | null = hookId): LoggedHook => ({
  ...{ hookId, projectId, looks },
});
const aRepair = (change: Partial<OpenRepair> = {}): OpenRepair => ({
  ...{ request: 'r', projectId: null, sinceMs: null, requestedMs: NOW, missedSinceMs: null, oldestEventMs: null },
  ...change,
});
const planned = (hooks: LoggedHook[], more: Partial<Parameters<typeof planLooks>[0]> = {}) =>
  planLooks({
    ...{ hooks, missed: [], silent: new Set(), silenceMs: 3 * HOUR, repairs: [], nowMs: NOW, everyMs: HOUR / 4 },
    ...more,
  });
/** But those at the whole log. */
const inParts = (...given: Parameters<typeof planned>) => planned(...given).filter(({ status }) => status !== 'any');
const inShort = (looks: PlannedLook[]) => looks.map(({ hookId, status, because }) => `${hookId} ${status} ${because}`);
const dayOf = (ms: number | undefined) => new Date(ms ?? Number.NaN).toISOString().slice(0, 10);

test('each hook has its turn once a day, the longest unseen first, from the day before its last look on', () => {
  const whole = (lookedMs: number) => [aLook({ status: 'any', lookedMs })];
  const hooks = [
    aHook('1', whole(NOW - 25 * HOUR)),
    aHook('2', whole(NOW)),
    aHook('3', whole(NOW - 60 * HOUR)),
    aHook('4'),
  ];
  const looks = planned(hooks);
  expect(inShort(looks)).toEqual(['4 any turn', '3 any turn', '1 any turn']);
  expect(looks.map(({ fromMs }) => dayOf(fromMs))).toEqual(['2026-06-22', '2026-06-27', '2026-06-28']);
});

test('a whole log is looked at more often after all else, as far as it was not tried a moment ago', () => {
  const whole = (change: Partial<KnownLook>) => [aLook({ status: 'any', ...change })];
  const hooks = [
    aHook('1', whole({ lookedMs: NOW - HOUR })),
    aHook('2', whole({ lookedMs: NOW - 2 * HOUR })),
    aHook('3', whole({ lookedMs: NOW - 2 * HOUR, triedMs: NOW - 1 })),
    aHook('4'),
  ];
  expect(inShort(planned(hooks))).toEqual(['4 any turn', '2 any whole', '1 any whole']);
});

test('a whole log of more pages than may be read at once waits for its turn, unless its pages come newest first', () => {
  const busy = { status: 'any', lookedMs: NOW - 2 * HOUR, pages: 50 };
  const hooks = [
    aHook('1', [aLook({ ...busy, inOrder: null })]),
    aHook('2', [aLook(busy)]),
    aHook('3', [aLook({ ...busy, inOrder: null, pages: 42 })]),
    aHook('4', [aLook({ ...busy, inOrder: null, lookedMs: NOW - 25 * HOUR })]),
  ];
  const looks = planned(hooks, { mostCalls: 42 });
  expect(inShort(looks)).toEqual(['4 any turn', '2 any whole', '3 any whole']);
  expect(looks.map(({ calls }) => calls)).toEqual([50, 42, 42]);
  expect(callsOfRound(hooks)).toBe(192);
});

test('where the whole log is refused, what was thrown away has its turn', () => {
  const refused = aLook({ status: 'any', lookedMs: null, finding: 'HTTP 400', nextMs: NOW + DAY });
  const hooks = [
    aHook('1', [refused]),
    aHook('2', [refused, aLook({ lookedMs: NOW - 25 * HOUR })]),
    aHook('3', [refused, aLook()]),
  ];
  expect(inShort(planned(hooks))).toEqual(['1 discarded turn', '2 discarded turn']);
});

test('after a gap every hook and status is looked at, what may be lost first; then no more', () => {
  const missed: Span[] = [{ sinceMs: NOW - 30 * HOUR, untilMs: NOW - 26 * HOUR }];
  const seen = (status: string, lookedMs: number) => aLook({ status, lookedMs, triedMs: lookedMs });
  const before = ['discarded', 'failed', 'retrying'].map((status) => seen(status, NOW - 27 * HOUR));
  const after = ['discarded', 'failed', 'retrying'].map((status) => seen(status, NOW - 2 * HOUR));
  const looks = inParts([aHook('1', before), aHook('2', after), aHook('3', before)], { missed });
  expect(inShort(looks)).toEqual(
    ['discarded', 'retrying', 'failed'].flatMap((status) => [`1 ${status} gap`, `3 ${status} gap`]),
  );
  expect(new Set(looks.map(({ fromMs }) => dayOf(fromMs)))).toEqual(new Set(['2026-06-28']));
});

test('after a gap of ten hours it looks once more, when what Procore still had has been thrown away', () => {
  const missed: Span[] = [{ sinceMs: NOW - 14 * HOUR, untilMs: NOW - 3 * HOUR }];
  const all = ['discarded', 'failed', 'retrying'];
  const at = (lookedMs: number) =>
    aHook(
      '1',
      all.map((status) => aLook({ status, lookedMs, triedMs: lookedMs })),
    );
  expect(inParts([at(NOW - 2 * HOUR)], { missed })).toHaveLength(3);
  expect(inParts([at(NOW - HOUR)], { missed })).toHaveLength(0);
  expect(inParts([at(NOW - 2 * HOUR)], { missed: [{ sinceMs: NOW - 12 * HOUR, untilMs: NOW - 3 * HOUR }] })).toEqual(
    [],
  );
});

test('a scope that fell silent goes before the others, every three hours', () => {
  const seen = (lookedMs: number) => [aLook({ lookedMs, triedMs: lookedMs })];
  const hooks = [aHook('1'), aHook('2', seen(NOW - 4 * HOUR)), aHook('3', seen(NOW - 2 * HOUR))];
  expect(inShort(planned(hooks, { silent: new Set(['2', '3']) }))).toEqual([
    ...['2 discarded silence', '1 any turn', '2 any turn', '3 any turn'],
  ]);
});

test('what somebody asks for goes first, whatever the pauses; with a time delivered events are read, too', () => {
  const paused = aLook({ lookedMs: NOW - 2 * DAY, finding: 'HTTP 403', nextMs: NOW + DAY });
  const rested = aLook({ status: 'any', lookedMs: NOW, triedMs: NOW });
  const hooks = [aHook('1', [paused, rested]), aHook('2')];
  expect(planned([aHook('1', [paused, rested])])).toEqual([]);
  expect(inShort(planned(hooks, { repairs: [aRepair({ projectId: '1' })] }))).toEqual([
    '1 discarded asked for',
    '1 retrying asked for',
    '1 failed asked for',
    '2 any turn',
  ]);
  const since = inParts(hooks, { repairs: [aRepair({ sinceMs: NOW - 9 * DAY })] });
  expect(since).toHaveLength(8);
  expect(new Set(since.map(({ fromMs }) => dayOf(fromMs)))).toEqual(new Set(['2026-06-21']));
});

test('a look that failed counts as had; one that began too late does not', () => {
  const statuses = ['discarded', 'failed', 'retrying', 'succeeded'];
  const looks = (change: Partial<KnownLook>) => [
    aHook(
      '1',
      statuses.map((status) => aLook({ status, triedMs: NOW + 1, ...change })),
    ),
  ];
  const repairs = [aRepair({ sinceMs: NOW - 3 * DAY })];
  expect(inParts(looks({ dayMs: NOW - 4 * DAY }), { repairs })).toEqual([]);
  expect(inParts(looks({ finding: 'HTTP 403' }), { repairs })).toEqual([]);
  expect(inParts(looks({ dayMs: NOW - 2 * DAY }), { repairs })).toHaveLength(4);
});

test.each([
  ['nothing is known', [], null],
  ['all was read before', [aLook()], Number.POSITIVE_INFINITY],
  ['a page was out of order once, in whatever status', [aLook(), aLook({ status: 'failed', inOrder: null })], null],
  ['few events were seen', [aLook({ inOrder: 3 })], null],
  ['the last look began later', [aLook({ dayMs: NOW - HOUR })], null],
])('where it may end: %s', (_, looks, endsAtMs) => {
  const [look] = planned([aHook('1', looks)], { repairs: [aRepair()] });
  expect(look?.endsAtMs).toBe(endsAtMs);
});

test('what was delivered is read beyond what was seen of it, for it may have been lost since', () => {
  const looks = ['discarded', 'succeeded'].map((status) =>
    aLook({ status, newestMs: NOW - 5 * HOUR, dayMs: NOW - 9 * DAY }),
  );
  const found = planned([aHook('1', looks)], { repairs: [aRepair({ sinceMs: NOW - 3 * DAY })] });
  const ends = Object.fromEntries(found.map(({ status, endsAtMs }) => [status, endsAtMs]));
  expect(ends).toMatchObject({ discarded: Number.POSITIVE_INFINITY, succeeded: NOW - 6 * HOUR });
});

test('2,000 projects at 600 calls an hour: each log within 36 hours, at its share of the calls, and all of them within 20 after a gap', () => {
  const seen = new Map<string, Map<string, number>>();
  const calls: number[] = [];
  const start = NOW - 10 * DAY;
  let missed: Span[] = [];
  let longest = 0;
  const hooksNow = () =>
    Array.from({ length: 2001 }, (_, index) => {
      const looks = [...(seen.get(String(index)) ?? [])];
      return aHook(
        String(index),
        looks.map(([status, ms]) => aLook({ status, lookedMs: ms, triedMs: ms })),
      );
    });
  function hour(nowMs: number): number {
    let made = 0;
    for (const { hookId, status, because } of planned(hooksNow(), { nowMs, missed })) {
      if (logCallsLeft({ used: made, hourLimit: 600 }, because) <= 0) break;
      const known = seen.get(hookId) ?? new Map<string, number>();
      if (status === 'any') longest = Math.max(longest, nowMs - (known.get(status) ?? start));
      seen.set(hookId, known.set(status, nowMs));
      made += 1;
    }
    return made;
  }
  for (let at = 0; at < 5 * 24; at++) calls.push(hour(start + at * HOUR));
  expect(longest).toBeLessThanOrEqual(36 * HOUR);
  expect(Math.max(...calls)).toBe(58);
  const gapEnds = start + 5 * DAY;
  missed = [{ sinceMs: gapEnds - HOUR, untilMs: gapEnds }];
  let hours = 0;
  const oldest = () => Math.min(...[...seen.values()].map((looks) => looks.get('discarded') ?? NEVER));
  while (oldest() < gapEnds) expect(hour(gapEnds + hours++ * HOUR)).toBeLessThanOrEqual(118);
  expect(hours).toBeLessThanOrEqual(20);
  console.log(`longest unseen ${longest / HOUR} h, ${Math.max(...calls)} calls an hour; after a gap all in ${hours} h`);
});
