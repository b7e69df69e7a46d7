// Which logs of deliveries are looked at next: pure, so that weeks can be gone through in a test. All times in ms since 1970.
//
//   asked for   what a person typed: every hook, and with `since` what was delivered, too
//   gap         deliveries were missed: every hook and status, the day it began and since
//   silence     a scope that usually speaks says nothing: what was thrown away of it
//   turn        every hook once a day, the longest unseen first: the whole log, in whatever status; only what was thrown away where the
//               whole log is refused
//   whole       the same more often, as far as calls are left over: so far `complete_until` moves
import type { KnownLook, LoggedHook, OpenRepair } from '@procore-mirror/database';
import type { Span } from './missed-times.ts';

/** `any`: all of the log. */
export type LogStatus = 'discarded' | 'retrying' | 'failed' | 'succeeded' | 'any';

export type PlannedLook = {
  hookId: string;
  projectId: string | null;
  status: LogStatus;
  /** From the day of this moment on it is to read. */
  fromMs: number;
  because: 'asked for' | 'gap' | 'silence' | 'turn' | 'whole';
  /**
   * All from here on was read before, and pages come newest first: a page without news that reaches back to this moment may be the last.
   * Null: all pages are to be read.
   */
  endsAtMs: number | null;
  /** From when on all was read when this look is done. */
  coversFromMs: number;
  /** How many calls it takes, as far as that is known. */
  calls: number;
};

/** What may be lost goes first. */
const NOT_DELIVERED = ['discarded', 'retrying', 'failed'] as const;
const ALL = [...NOT_DELIVERED, 'succeeded'] as const;
/** The looks that are due by themselves, those first that find most. */
const BY_ITSELF = ['any', ...NOT_DELIVERED] as const;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const LONGEST_TURN_MS = DAY_MS;
/** Whose log was never looked at: so far back. */
const FIRST_LOOK_MS = 7 * DAY_MS;
/** So long a log is taken to keep what was delivered. */
const KEPT_SURELY_MS = 3 * DAY_MS;
/** Procore throws away after twelve hours, and tries again within one at last: after so long a gap there is more to come. */
const LONG_GAP_MS = 10 * HOUR_MS;
const AFTER_LONG_GAP_MS = 1.5 * HOUR_MS;

type Options = {
  hooks: readonly LoggedHook[];
  /** In which deliveries may have been missed; those of long ago do no harm. */
  missed: readonly Span[];
  /** Projects (null: the company) that usually speak and fell silent. */
  silent: ReadonlySet<string | null>;
  silenceMs: number;
  repairs: readonly OpenRepair[];
  nowMs: number;
  /** After so long it is the turn of a log, ms. */
  turnMs?: number;
  /** What a more frequent look may take. A log that takes more waits for its turn. */
  mostCalls?: number;
  /** A log is looked at no more often than that, unless it is asked for. */
  everyMs: number;
};

/** The looks that are due, in the order in which they are to be made. */
export function planLooks(options: Options): PlannedLook[] {
  const { hooks, repairs } = options;
  const asked = repairs.flatMap((repair) =>
    statusesOf(repair).flatMap((status) =>
      hooks
        .filter((hook) => isAskedFor(repair, hook, status))
        .map((hook) => plan(options, hook, status, repair.sinceMs)),
    ),
  );
  const isAsked = new Set(asked.map(keyOf));
  const due = hooks.flatMap((hook) => BY_ITSELF.flatMap((status) => lookAt(options, hook, status) ?? []));
  const rest = due
    .filter(({ look }) => !isAsked.has(keyOf(look)))
    .toSorted(
      (one, other) =>
        RANKS.indexOf(one.look.because) - RANKS.indexOf(other.look.because) ||
        BY_ITSELF.indexOf(one.status) - BY_ITSELF.indexOf(other.status) ||
        one.lookedMs - other.lookedMs,
    );
  return [...dedupe(asked), ...rest.map(({ look }) => look)];
}

const RANKS: readonly PlannedLook['because'][] = ['asked for', 'gap', 'silence', 'turn', 'whole'];

/** Does the repair wait for a look at this hook and status? */
export function isAskedFor(repair: OpenRepair, hook: LoggedHook, status: LogStatus): boolean {
  if (repair.projectId !== null && repair.projectId !== hook.projectId) return false;
  const known = knownOf(hook, status);
  if (known === null || known.triedMs < repair.requestedMs) return true;
  if (known.finding !== null) return false;
  return repair.sinceMs !== null && (known.dayMs ?? Number.POSITIVE_INFINITY) > startOfDay(repair.sinceMs);
}

export function statusesOf({ sinceMs }: Pick<OpenRepair, 'sinceMs'>): readonly LogStatus[] {
  return sinceMs === null ? NOT_DELIVERED : ALL;
}

type Due = { look: PlannedLook; status: (typeof BY_ITSELF)[number]; lookedMs: number };

/** The look that is due by itself; null: none is. */
function lookAt(options: Options, hook: LoggedHook, status: (typeof BY_ITSELF)[number]): Due | null {
  const { nowMs, everyMs, silent, silenceMs, turnMs = LONGEST_TURN_MS } = options;
  const known = knownOf(hook, status);
  if (known !== null && (known.triedMs > nowMs - everyMs || (known.nextMs ?? 0) > nowMs)) return null;
  const lookedMs = known?.lookedMs ?? Number.NEGATIVE_INFINITY;
  const because = becauseOf();
  return because === null ? null : { look: { ...plan(options, hook, status, null), because }, status, lookedMs };

  function becauseOf(): PlannedLook['because'] | null {
    if (status === 'any') return wholeBecause(hook, lookedMs, options);
    if (owedTo(options, lookedMs).length > 0) return 'gap';
    if (status !== 'discarded') return null;
    if (silent.has(hook.projectId) && lookedMs <= nowMs - silenceMs) return 'silence';
    const isWholeRefused = (knownOf(hook, 'any')?.finding ?? null) !== null;
    return isWholeRefused && lookedMs <= nowMs - turnMs ? 'turn' : null;
  }
}

function wholeBecause(
  hook: LoggedHook,
  coveredMs: number,
  { nowMs, everyMs, turnMs = LONGEST_TURN_MS, mostCalls = Number.POSITIVE_INFINITY }: Options,
): PlannedLook['because'] | null {
  if (coveredMs <= nowMs - turnMs) return 'turn';
  return coveredMs <= nowMs - everyMs && callsOf(hook, 'any', mostCalls) <= mostCalls ? 'whole' : null;
}

/** As many as last time. Where pages come newest first it may end early, so it takes no more than may be taken at once. */
function callsOf(hook: LoggedHook, status: LogStatus, mostCalls: number): number {
  const pages = Math.max(1, knownOf(hook, status)?.pages ?? 1);
  return comesInOrder(hook) ? Math.min(pages, mostCalls) : pages;
}

/** What a look at the whole log of each of them takes. */
export function callsOfRound(hooks: readonly LoggedHook[]): number {
  return hooks.reduce((sum, hook) => sum + callsOf(hook, 'any', Number.POSITIVE_INFINITY), 0);
}

/** Times after which no good look came: also a second one after a long gap, when what was still to be thrown away has been. */
function owedTo({ missed, nowMs }: Options, lookedMs: number): Span[] {
  const horizon = Math.max(lookedMs, nowMs - 90 * DAY_MS);
  return missed.filter(({ sinceMs, untilMs }) => {
    const isLong = untilMs - sinceMs >= LONG_GAP_MS;
    const settledMs = untilMs + AFTER_LONG_GAP_MS;
    return untilMs > horizon || (isLong && settledMs <= nowMs && settledMs > horizon);
  });
}

function plan(options: Options, hook: LoggedHook, status: LogStatus, sinceMs: number | null): PlannedLook {
  const { nowMs } = options;
  const known = knownOf(hook, status);
  const lookedMs = known?.lookedMs ?? null;
  const owed = owedTo(options, lookedMs ?? Number.NEGATIVE_INFINITY).map((gap) => gap.sinceMs);
  const fromMs = sinceMs ?? Math.min(lookedMs ?? nowMs - FIRST_LOOK_MS, ...owed) - DAY_MS;
  // From where on all was read before, if that is where this look begins, or earlier. How long Procore keeps deliveries is not published: what
  // happened long before a look may be in no log any more.
  const isKnown = known !== null && known.lookedMs !== null && known.lookedMs > nowMs - KEPT_SURELY_MS;
  const readFromMs = isKnown && (known.dayMs ?? nowMs) <= startOfDay(fromMs) ? known.dayMs : null;
  return {
    ...{ hookId: hook.hookId, projectId: hook.projectId, status, fromMs, because: 'asked for' },
    endsAtMs: readFromMs !== null && comesInOrder(hook) ? endOf(status, known) : null,
    calls: callsOf(hook, status, options.mostCalls ?? Number.POSITIVE_INFINITY),
    coversFromMs: readFromMs ?? startOfDay(status === 'any' ? Math.max(fromMs, nowMs - KEPT_SURELY_MS) : fromMs),
  };
}

/**
 * What is thrown away later is newer. What is delivered may have been lost since, so it is read as far as the last look and a bit beyond. Of the
 * whole log all is recorded that happened before the time it covers.
 */
function endOf(status: LogStatus, known: KnownLook | null): number {
  if (status === 'any') return (known?.lookedMs ?? Number.NEGATIVE_INFINITY) - HOUR_MS;
  return status === 'succeeded' ? (known?.newestMs ?? Number.NEGATIVE_INFINITY) - HOUR_MS : Number.POSITIVE_INFINITY;
}

/** So many events stood right after a newer one, and none after an older one, in whatever status. */
const MAKES_AN_ORDER = 20;

function comesInOrder({ looks }: LoggedHook): boolean {
  if (looks.some(({ inOrder }) => inOrder === null)) return false;
  return looks.reduce((sum, { inOrder }) => sum + (inOrder ?? 0), 0) >= MAKES_AN_ORDER;
}

function knownOf({ looks }: LoggedHook, status: LogStatus): KnownLook | null {
  return looks.find((look) => look.status === status) ?? null;
}

export function startOfDay(ms: number): number {
  return Math.floor(ms / DAY_MS) * DAY_MS;
}

function dedupe(looks: readonly PlannedLook[]): PlannedLook[] {
  const earliest = new Map<string, PlannedLook>();
  for (const look of looks) {
    const other = earliest.get(keyOf(look));
    if (other === undefined || look.fromMs < other.fromMs) earliest.set(keyOf(look), look);
  }
  return [...earliest.values()];
}

function keyOf({ hookId, status }: PlannedLook): string {
  return `${hookId} ${status}`;
}
