// Compares with Procore what was asked for, in each worker a few resources at once. How far each comparison is lies in Postgres: whoever takes it over
// goes on there.
import {
  addProof,
  type BatchKey,
  type ClaimedComparison,
  claimComparison,
  endComparison,
  giveComparisonBack,
  inTransaction,
  keepComparison,
  renewComparison,
  type Transaction,
} from '@procore-mirror/database';
import { createAskedTools } from './ask/asked-tools.ts';
import { type Compared, compareResource, type KeptComparison } from './compare-resource.ts';
import { ComparisonLostError, ScopeParkedError } from './errors.ts';
import { heedScopes } from './heed-scopes.ts';
import { judgeFailure } from './plan/judge-failure.ts';
import { mayPass } from './plan/judge-fill.ts';
import { realTime } from './run/clock.ts';
import type { FetchSettings } from './run/fetch-settings.ts';
import { keepLease } from './run/keep-lease.ts';

type VerifyLog = Record<'info' | 'warn', (keys: Record<string, unknown>, message: string) => void>;

export type VerifyLoopOptions = {
  settings: FetchSettings;
  /** Names this process in the leases. */
  holder: string;
  log: VerifyLog;
  /** While nobody can sign in a comparison could only fail, so none is taken. */
  canSignIn: (signal: AbortSignal) => Promise<boolean>;
  /** Scopes that are compared at once. */
  atOnce?: number;
  /** A dead worker's comparisons are taken over after this long, ms. */
  leaseMs?: number;
  /** How often it looks for what is to be compared, ms. */
  idleMs?: number;
  /** How long it waits after a failure that may pass, ms. */
  pausesMs?: readonly number[];
};

const REST_AFTER_UNREAD_MS = 1_000;
const PAUSES_MS = [2_000, 10_000];

/** Starts to compare. `close` stops at once: what is in hand goes on where it is, in whatever worker. */
export function startVerifyLoop(options: VerifyLoopOptions): { close: () => Promise<void> } {
  const { log, canSignIn, atOnce = 2, leaseMs = 15_000, idleMs = 500, pausesMs = PAUSES_MS } = options;
  const settings = { ...options.settings, client: leavingParkedAlone(options.settings) };
  const { database, clock = realTime } = settings;
  const tools = createAskedTools(settings);
  const closing = new AbortController();
  const inHand = new Set<Promise<void>>();
  let claims = 0;

  async function loop(): Promise<void> {
    while (!closing.signal.aborted) {
      const next = inHand.size < atOnce ? await claim() : null;
      if (next !== null) start(next);
      else {
        const rest = clock.sleep(idleMs, closing.signal).catch(() => null);
        await Promise.race([rest, ...(inHand.size < atOnce ? [] : inHand)]);
      }
    }
  }

  async function claim(): Promise<ClaimedComparison | null> {
    try {
      if (!(await canSignIn(closing.signal))) return null;
      claims += 1;
      return await claimComparison(database, { holder: `${options.holder}/${claims}`, leaseMs, isScheduleOpen: true });
    } catch (error) {
      if (!closing.signal.aborted) log.warn({ error }, 'the comparisons to do could not be read; trying again');
      await clock.sleep(REST_AFTER_UNREAD_MS, closing.signal).catch(() => null);
      return null;
    }
  }

  function start(comparison: ClaimedComparison): void {
    const work = compare(comparison).finally(() => inHand.delete(work));
    inHand.add(work);
  }

  async function compare(comparison: ClaimedComparison): Promise<void> {
    const { holder, request } = comparison;
    const lost = new AbortController();
    const lease = keepLease({
      ...{ clock, leaseMs, renew: () => renewComparison(database, comparison, { holder, leaseMs }) },
      onLost: () => lost.abort(new ComparisonLostError('somebody else has it')),
      onError: (error) => log.warn({ ...keysOf(comparison), error }, 'the lease of a comparison could not be renewed'),
    });
    const signal = AbortSignal.any([lost.signal, closing.signal]);
    let { calls } = comparison;
    try {
      const asked = { ...comparison, request: request ?? comparison.startedAt };
      if (comparison.place === null && (await tools.isOff(asked, signal))) {
        const off = { holder, state: 'off', outcome: null, calls, detail: null } as const;
        await inTransaction(database, (client) => endComparison(client, comparison, off));
        return;
      }
      const compared = await compareResource(settings, comparison, {
        ...{ signal, now: clock.date(), kept: keptOf(comparison) },
        ...{ rung: comparison.rung, repairs: comparison.repairs, buriesAll: comparison.buriesAll },
        onEnd: (made) => {
          calls += made;
        },
      });
      log.info({ ...keysOf(comparison), ...compared, calls }, 'compared a resource with Procore');
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

  async function settle(
    comparison: ClaimedComparison,
    error: unknown,
    { calls, isLost }: { calls: number; isLost: boolean },
  ): Promise<void> {
    const { holder, attempts } = comparison;
    if (isLost || error instanceof ComparisonLostError) return;
    const back = { holder, calls, detail: null, isAttempt: false, pauseMs: 0 };
    if (closing.signal.aborted) return giveComparisonBack(database, comparison, back);
    if (judgeFailure(error)?.kind === 'limited')
      return giveComparisonBack(database, comparison, { ...back, pauseMs: REST_AFTER_UNREAD_MS });
    const detail = error instanceof Error ? error.message : String(error);
    const pauseMs = pausesMs[attempts];
    const passes = error instanceof ScopeParkedError || mayPass(error);
    log.warn({ ...keysOf(comparison), error }, 'a comparison stopped');
    if (passes && pauseMs !== undefined)
      return giveComparisonBack(database, comparison, { ...back, detail, pauseMs, isAttempt: true });
    const nothing = { ours: null, theirs: null, missing: 0, changed: 0, extra: 0 };
    await inTransaction(database, (client) =>
      end(client, comparison, { ...nothing, outcome: 'not proved', detail, calls: calls - comparison.calls }),
    );
  }

  async function end(client: Transaction, comparison: ClaimedComparison, compared: Compared): Promise<void> {
    const { holder, rung, startedAt } = comparison;
    const calls = comparison.calls + compared.calls;
    const { outcome, detail } = compared;
    insist(await endComparison(client, comparison, { holder, state: 'done', outcome, calls, detail }));
    await addProof(client, comparison, { ...compared, rung, calls, asOf: startedAt });
  }

  function keptOf(comparison: ClaimedComparison): KeptComparison {
    const { holder } = comparison;
    return {
      place: comparison.place,
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
      await Promise.all(inHand);
    },
  };
}

function insist(isOurs: boolean): void {
  if (!isOurs) throw new ComparisonLostError('somebody else has it');
}

function keysOf({ companyId, projectId, resource }: BatchKey): Record<string, string | null> {
  return { company_id: companyId, project_id: projectId, resource };
}

/** Calls to a parked scope wait for its probe, not here. */
function leavingParkedAlone({ client, database, parking, clock }: FetchSettings): FetchSettings['client'] {
  return heedScopes(client, {
    ...{ database, parking, patienceMs: 0, clock },
    onWait: (reason) => {
      throw new ScopeParkedError(`Procore does not answer, so it is left alone for a while (${reason})`);
    },
  });
}
