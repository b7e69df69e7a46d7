// Batches of a parked scope are not given out. Whoever else makes calls (hooks, backfills) asks before each of them: where the
// scope is parked it waits for the probe that is due, makes it, or goes without.
import {
  askForTurn,
  type Database,
  giveProbeBack,
  keepParked,
  type ParkedNow,
  type ParkPauses,
  type Scope,
  unparkScopes,
} from '@procore-mirror/database';
import { type ProcoreAnswer, type ProcoreClient, SLOW_TIMEOUT_MS } from '@procore-mirror/procore';
import { askCompany } from './ask/witness.ts';
import { ScopeParkedError } from './errors.ts';
import { type Failure, isRefusal, judgeFailure, NOTHING_THERE, ofCompany } from './plan/judge-failure.ts';
import { type Clock, realTime } from './run/clock.ts';

export type HeedOptions = {
  database: Database;
  parking: ParkPauses;
  /** So long a call waits for a scope that is parked, ms; where everything is parked it waits as long as that lasts. */
  patienceMs: number;
  /** Told when a call begins to wait because everything is parked. The call throws what this throws, instead of waiting. */
  onWait?: (reason: string) => void;
  clock?: Clock | undefined;
};

/** Somebody else's probe may succeed at any moment. */
const LOOK_EVERY_MS = 1_000;
const SHORTEST_WAIT_MS = 100;

type Asked = { companyId: string; signal?: AbortSignal | undefined; timeoutMs?: number | undefined };

/** The same client for whoever goes on with other things: a call whose scope is parked, and whose probe is not due, throws ScopeParkedError. */
export function leaveParkedAlone(
  client: ProcoreClient,
  { database, parking, clock }: Pick<HeedOptions, 'database' | 'parking' | 'clock'>,
): ProcoreClient {
  return heedScopes(client, {
    ...{ database, parking, clock, patienceMs: 0 },
    onWait: (reason) => {
      throw new ScopeParkedError(`Procore is left alone for a while (${reason})`);
    },
  });
}

/** The same client; its calls throw ScopeParkedError, too, and one at a time probes a scope that is parked. */
export function heedScopes(client: ProcoreClient, options: HeedOptions): ProcoreClient {
  const { database, parking } = options;

  /** Returns whether the call is a probe, and of a whole company or more. */
  async function waitForTurn(scope: Scope & Asked): Promise<'probe' | 'wide probe' | null> {
    const wait = createWait(scope, options);
    for (;;) {
      const parked = await askForTurn(database, scope);
      if (parked === null) return null;
      if (parked.turn === 'wait') await wait(parked);
      else if (!parked.isWide) return 'probe';
      else if (parked.asks === 'itself' || (await probeCompany(scope, parked)) === 'does not tell') return 'wide probe';
    }
  }

  /** A resource that refuses says nothing of its company: that is asked first. */
  async function probeCompany(scope: Scope & Asked, { asks }: ParkedNow): Promise<'told' | 'does not tell'> {
    const { companyId, signal } = scope;
    const failure = await askCompany({ client, companyId, signal, timeoutMs: SLOW_TIMEOUT_MS }).catch(
      async (error: unknown) => {
        await giveProbeBack(database, scope);
        throw error;
      },
    );
    if (failure !== null && (failure.kind !== 'trouble' || (asks === 'both' && isRefusal(failure.trouble))))
      return 'does not tell';
    await tell(scope, failure, 'wide probe');
    return 'told';
  }

  async function tell(scope: Scope, failure: Failure | null, probe: 'probe' | 'wide probe'): Promise<void> {
    if (failure?.kind === 'trouble') {
      const trouble = probe === 'wide probe' ? ofCompany(failure.trouble) : failure.trouble;
      await keepParked(database, scope, trouble, parking);
    } else if (failure?.kind === 'limited') await giveProbeBack(database, scope);
    else await unparkScopes(database, scope);
  }

  async function tellOfError(scope: Scope & Asked, probe: 'probe' | 'wide probe', error: unknown): Promise<void> {
    const failure = scope.signal?.aborted ? null : judgeFailure(error);
    if (failure === null) return giveProbeBack(database, scope);
    // Nothing of it is there, not even who we are.
    await tell(scope, probe === 'wide probe' && failure.kind === 'absent' ? NOTHING_THERE : failure, probe);
  }

  /** Makes a call of the scope, as its probe if there is to be one. `letGo`: of an answer that nobody gets. */
  async function inTurn<T>(
    scope: Scope & Asked,
    call: (own: { timeoutMs?: number | undefined }) => Promise<T>,
    letGo: (answer: T) => void,
  ): Promise<T> {
    const probe = await waitForTurn(scope);
    if (probe === null) return call({ timeoutMs: scope.timeoutMs });
    let answer: T;
    try {
      answer = await call({ timeoutMs: SLOW_TIMEOUT_MS });
    } catch (error) {
      await tellOfError(scope, probe, error);
      throw error;
    }
    await tell(scope, null, probe).catch((error: unknown) => {
      letGo(answer);
      throw error;
    });
    return answer;
  }

  return {
    ...client,
    get: (path, options) => inTurn(scopeOf(options), (own) => client.get(path, { ...options, ...own }), dispose),
    send: (method, path, options) => inTurn(scopeOf(options), () => client.send(method, path, options), dispose),
    pages: async function* (path, options) {
      // The first page tells; further ones follow at once.
      const pages = client.pages(path, options)[Symbol.asyncIterator]();
      try {
        const next = () => pages.next();
        for (let page = await inTurn(scopeOf(options), next, () => {}); page.done !== true; page = await next())
          yield page.value;
      } finally {
        await pages.return?.();
      }
    },
  };
}

function dispose(answer: ProcoreAnswer): void {
  answer[Symbol.dispose]();
}

/** Waits a moment, again and again, until patience is at its end: throws ScopeParkedError then. */
function createWait(
  scope: Scope & Asked,
  { patienceMs, onWait = () => {}, clock = realTime }: HeedOptions,
): (parked: ParkedNow) => Promise<void> {
  const giveUpAt = clock.now() + patienceMs;
  let isTold = false;
  return async (parked) => {
    const { isEverything, waitMs, detail } = parked;
    if (!isEverything && clock.now() + waitMs > giveUpAt) throw parkedError(scope, parked);
    if (isEverything && !isTold) onWait(detail);
    isTold ||= isEverything;
    const pauseMs = Math.min(Math.max(waitMs, SHORTEST_WAIT_MS), LOOK_EVERY_MS);
    await clock.sleep(pauseMs, scope.signal).catch(() => scope.signal?.throwIfAborted());
  };
}

function scopeOf<T extends Asked & { purpose?: { projectId: string | null; resource: string | null } | undefined }>(
  options: T,
): Scope & Asked {
  const { companyId, signal, timeoutMs, purpose } = options;
  return { companyId, projectId: purpose?.projectId ?? null, resource: purpose?.resource ?? null, signal, timeoutMs };
}

function parkedError({ companyId, projectId, resource }: Scope, { detail, waitMs }: ParkedNow): ScopeParkedError {
  const place = projectId === null ? `company ${companyId}` : `project ${projectId}`;
  const what = resource === null ? place : `${resource} in ${place}`;
  return new ScopeParkedError(
    `${what}: not asked, because Procore does not answer (${detail}); the next probe is due in ${Math.ceil(waitMs / 1000)} s`,
  );
}
