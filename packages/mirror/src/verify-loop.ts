// Compares with Procore what was asked for, in each worker a few resources at once, and beside that one that the schedule asked for
// (`proof-schedule.ts`). How far each comparison is lies in Postgres: whoever takes it over goes on there.
import { isListedByParent, parentsOf } from '@procore-mirror/catalogue';
import {
  addProof,
  type BatchKey,
  type ClaimedComparison,
  claimComparison,
  endComparison,
  giveComparisonBack,
  inTransaction,
  isBegunBefore,
  keepComparison,
  type Queryable,
  renewComparison,
  type Transaction,
} from '@procore-mirror/database';
import { type AskedTools, createAskedTools } from './ask/asked-tools.ts';
import type { Compared, KeptComparison } from './compare/comparison.ts';
import { compareResource } from './compare-resource.ts';
import { compareSample } from './compare-sample.ts';
import { ComparisonLostError, ComparisonWaitsError, ProofShareSpentError, ScopeParkedError } from './errors.ts';
import { leaveParkedAlone } from './heed-scopes.ts';
import { judgeFailure } from './plan/judge-failure.ts';
import { mayPass } from './plan/judge-fill.ts';
import { nextProofs } from './plan/next-proofs.ts';
import { realTime } from './run/clock.ts';
import type { FetchSettings } from './run/fetch-settings.ts';
import { keepLease } from './run/keep-lease.ts';
import { createProofShare } from './run/proof-share.ts';

type VerifyLog = Record<'info' | 'warn', (keys: Record<string, unknown>, message: string) => void>;

export type VerifyLoopOptions = {
  settings: FetchSettings;
  /** Names this process in the leases. */
  holder: string;
  log: VerifyLog;
  /** While nobody can sign in a comparison could only fail, so none is taken. */
  canSignIn: (signal: AbortSignal) => Promise<boolean>;
  /** How often the schedule compares each table, ms; 0: there is no schedule. */
  everyMs: number;
  /** Scopes that are compared at once because somebody asked; the schedule compares one beside them. */
  atOnce?: number;
  /** A dead worker's comparisons are taken over after this long, ms. */
  leaseMs?: number;
  /** How often it looks for what is to be compared, ms. */
  idleMs?: number;
  /** How long it waits after a failure that may pass, ms. */
  pausesMs?: readonly number[];
  /** How long the schedule rests when its share of calls is used up, ms. */
  shareRestMs?: number;
};

const REST_AFTER_UNREAD_MS = 1_000;
const PAUSES_MS = [2_000, 10_000];
const SHARE_REST_MS = 30_000;
/** How long children wait for their parents, in looks. */
const PARENTS_REST = 10;
/** What the schedule has in hand at once, in each worker. */
const SCHEDULED_AT_ONCE = 1;
const DIFFERS = 'the mirror differed from Procore, and is repaired; somebody should know why';

/** So long events may be late where a person waits for the answer, ms. */
const MOST_LATE_WHERE_ASKED_MS = 20_000;

/** A person who waits goes on in the lane of fills; that of comparisons is the schedule's, and tells what it took. */
type Work = {
  lane: 'backfill' | 'verify';
  isScheduled: boolean;
  atOnce: number;
  settings: FetchSettings;
  tools: AskedTools;
  inHand: Set<Promise<void>>;
};

function createWork(settings: FetchSettings, own: Pick<Work, 'lane' | 'isScheduled' | 'atOnce'>): Work {
  return { ...own, settings, tools: createAskedTools(settings, own.lane), inHand: new Set() };
}

/** Starts to compare. `close` stops at once: what is in hand goes on where it is, in whatever worker. */
export function startVerifyLoop(options: VerifyLoopOptions): { close: () => Promise<void> } {
  const { log, canSignIn, everyMs, atOnce = 2, leaseMs = 15_000, idleMs = 500, pausesMs = PAUSES_MS } = options;
  const { shareRestMs = SHARE_REST_MS } = options;
  const { database, clock = realTime } = options.settings;
  const client = leaveParkedAlone(options.settings.client, options.settings);
  const lateEventsMs = Math.min(options.settings.lateEventsMs, MOST_LATE_WHERE_ASKED_MS);
  const asked = createWork(
    { ...options.settings, client, lateEventsMs },
    { lane: 'backfill', atOnce, isScheduled: false },
  );
  const scheduled = createWork(
    { ...options.settings, client: createProofShare(database, clock).within(client) },
    { lane: 'verify', atOnce: everyMs === 0 ? 0 : SCHEDULED_AT_ONCE, isScheduled: true },
  );
  const closing = new AbortController();
  let claims = 0;

  async function loop(): Promise<void> {
    while (!closing.signal.aborted) {
      const begun = [await begin(asked), await begin(scheduled)];
      if (begun.includes(true)) continue;
      const rest = clock.sleep(idleMs, closing.signal).catch(() => null);
      await Promise.race([rest, ...asked.inHand, ...scheduled.inHand]);
    }
  }

  /** Takes the next one in hand, if there is room. */
  async function begin(work: Work): Promise<boolean> {
    const comparison = work.inHand.size < work.atOnce ? await claim(work) : null;
    if (comparison === null) return false;
    const run = compare(comparison, work).finally(() => work.inHand.delete(run));
    work.inHand.add(run);
    return true;
  }

  async function claim({ isScheduled }: Work): Promise<ClaimedComparison | null> {
    try {
      if (!(await canSignIn(closing.signal))) return null;
      claims += 1;
      return await claimComparison(database, { holder: `${options.holder}/${claims}`, leaseMs, isScheduled });
    } catch (error) {
      if (!closing.signal.aborted) log.warn({ error }, 'the comparisons to do could not be read; trying again');
      await clock.sleep(REST_AFTER_UNREAD_MS, closing.signal).catch(() => null);
      return null;
    }
  }

  async function compare(comparison: ClaimedComparison, { settings, tools, lane }: Work): Promise<void> {
    const { holder, rung, repairs, buriesAll } = comparison;
    const lost = new AbortController();
    const lease = keepLease({
      ...{ clock, leaseMs, renew: () => renewComparison(database, comparison, { holder, leaseMs }) },
      onLost: () => lost.abort(new ComparisonLostError('somebody else has it')),
      onError: (error) => log.warn({ ...keysOf(comparison), error }, 'the lease of a comparison could not be renewed'),
    });
    const signal = AbortSignal.any([lost.signal, closing.signal]);
    let { calls } = comparison;
    try {
      const request = comparison.request ?? `schedule ${Math.floor(clock.date().getTime() / everyMs)}`;
      if (comparison.place === null) await insistOnParents(comparison);
      if (comparison.place === null && (await tools.isOff({ ...comparison, request }, signal))) {
        const off = { holder, state: 'off', outcome: null, calls, detail: null } as const;
        const next = nextProofs({ ...comparison, outcome: null }, everyMs);
        await inTransaction(database, (client) => endComparison(client, comparison, { ...off, next }));
        return;
      }
      const onEnd = (made: number) => {
        calls += made;
      };
      const how = { lane, signal, kept: keptOf(comparison), repairs, onEnd };
      const compared =
        rung === 'sample'
          ? await compareSample(settings, comparison, { ...how, shows: comparison.shows ?? 0 })
          : await compareResource(settings, comparison, { ...how, now: clock.date(), rung, buriesAll });
      const about = { ...keysOf(comparison), ...compared, calls };
      if (comparison.request === null && compared.outcome === 'differs') log.warn(about, DIFFERS);
      else log.info(about, 'compared a resource with Procore');
    } catch (error) {
      await settle(comparison, error, { calls, isLost: lost.signal.aborted }).catch((cause: unknown) =>
        log.warn(
          { ...keysOf(comparison), error: cause },
          'a comparison could not be given back; its lease will run out',
        ),
      );
    } finally {
      lease.stop();
    }
  }

  /** Which parents are missing or gone is known when their own comparison is over. */
  async function insistOnParents(comparison: ClaimedComparison): Promise<void> {
    const { catalogue } = options.settings;
    const entry = catalogue.get(comparison.resource);
    const parents = isListedByParent(entry) ? parentsOf(catalogue, entry).map(({ resource }) => resource) : [];
    if (parents.length > 0 && (await isBegunBefore(database.pool, comparison, parents)))
      throw new ComparisonWaitsError('the comparison of its parents is not over', idleMs * PARENTS_REST);
  }

  async function settle(
    comparison: ClaimedComparison,
    error: unknown,
    { calls, isLost }: { calls: number; isLost: boolean },
  ): Promise<void> {
    const { holder, attempts } = comparison;
    if (isLost || error instanceof ComparisonLostError) return;
    const back = { holder, calls, detail: null, isAttempt: false };
    const restMs = closing.signal.aborted ? 0 : restOf(error);
    const detail = messageOf(error);
    const why = error instanceof ComparisonWaitsError ? detail : null;
    if (restMs !== null) return giveComparisonBack(database, comparison, { ...back, detail: why, pauseMs: restMs });
    const pauseMs = pausesMs[attempts];
    const isParked = error instanceof ScopeParkedError;
    const passes = isParked ? comparison.request !== null : mayPass(error);
    log.warn({ ...keysOf(comparison), error }, 'a comparison stopped');
    if (passes && pauseMs !== undefined)
      return giveComparisonBack(database, comparison, { ...back, detail, pauseMs, isAttempt: true });
    const nothing = { rung: lowestOf(comparison), ours: null, theirs: null, missing: 0, changed: 0, extra: 0 };
    await inTransaction(database, (client) =>
      end(client, comparison, { ...nothing, outcome: 'not proved', detail, calls: calls - comparison.calls, isParked }),
    );
  }

  async function end(
    client: Transaction,
    comparison: ClaimedComparison,
    { isParked, ...compared }: Compared & { isParked?: boolean },
  ): Promise<void> {
    const { holder, startedAt } = comparison;
    const calls = comparison.calls + compared.calls;
    const { outcome, detail } = await addProof(client, comparison, { ...compared, calls, asOf: startedAt });
    const next = nextProofs({ ...comparison, outcome, isParked }, everyMs);
    insist(await endComparison(client, comparison, { holder, state: 'done', outcome, calls, detail, next }));
  }

  /** How long it rests where calls are short, ms; null: that is not what stopped it. */
  function restOf(error: unknown): number | null {
    if (error instanceof ProofShareSpentError) return shareRestMs;
    if (error instanceof ComparisonWaitsError) return error.pauseMs;
    return judgeFailure(error)?.kind === 'limited' ? REST_AFTER_UNREAD_MS : null;
  }

  function keptOf(
    comparison: ClaimedComparison,
  ): Omit<KeptComparison, 'keep'> & { keep: (client: Queryable, place: unknown, calls: number) => Promise<void> } {
    const { holder } = comparison;
    return {
      place: comparison.place,
      isLastTry: () => pausesMs[comparison.attempts] === undefined,
      keep: async (client, place, made) => {
        const calls = comparison.calls + made;
        insist(await keepComparison(client, comparison, { holder, place, calls }));
        comparison.attempts = 0;
      },
      end: (client, compared) => end(client, comparison, compared),
    };
  }

  const running = loop();
  return {
    close: async () => {
      closing.abort(new Error('the worker is stopping'));
      await running;
      await Promise.all([...asked.inHand, ...scheduled.inHand]);
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function lowestOf({ rung }: ClaimedComparison): Compared['rung'] {
  return rung === 'climb' ? 'count' : rung;
}

function insist(isOurs: boolean): void {
  if (!isOurs) throw new ComparisonLostError('somebody else has it');
}

function keysOf({ companyId, projectId, resource }: BatchKey): Record<string, string | null> {
  return { company_id: companyId, project_id: projectId, resource };
}
