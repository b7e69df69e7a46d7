// Fills what was asked for, a few resources at once in each worker, and asks for what is new. Where each fill is lies in Postgres: whoever
// takes it over goes on there.
import { randomUUID } from 'node:crypto';
import { parentsOf } from '@procore-mirror/catalogue';
import {
  areFilledSince,
  type BatchKey,
  type ClaimedBackfill,
  claimBackfill,
  endBackfill,
  giveBackfillBack,
  isScopeParked,
  keepBackfill,
  keepBackfillParents,
  renewBackfill,
  requestNewProjects,
} from '@procore-mirror/database';
import { createAskedTools } from './ask/asked-tools.ts';
import { type BackfillEnd, type BackfillOptions, backfillResource } from './backfill-resource.ts';
import { FillLostError } from './errors.ts';
import type { KeptFill } from './fetch/fill-place.ts';
import { leaveParkedAlone } from './heed-scopes.ts';
import { judgeFill, MOST_ATTEMPTS } from './plan/judge-fill.ts';
import { orderFills } from './plan/order-fills.ts';
import { realTime } from './run/clock.ts';
import type { FetchSettings } from './run/fetch-settings.ts';
import { keepLease } from './run/keep-lease.ts';
import { createShortageWatch } from './run/shortage-watch.ts';

type FillLog = Record<'info' | 'warn' | 'error', (keys: Record<string, unknown>, message: string) => void>;

type FillLoopOptions = {
  settings: FetchSettings;
  /** Names this process in the leases. */
  holder: string;
  /** Names of the resources that are mirrored; null for all. */
  resources: readonly string[] | null;
  log: FillLog;
  /** While nobody can sign in a fill could only fail, so none is taken. */
  canSignIn: (signal: AbortSignal) => Promise<boolean>;
  /** Scopes that are filled at once, each by itself. */
  atOnce?: number;
  /** A dead worker's fills are taken over after this long, ms. */
  leaseMs?: number;
  /** How often it looks for what is to be filled, ms. */
  idleMs?: number;
  /** How often it looks for new projects, and whether calls are left, ms. */
  lookEveryMs?: number;
};

const REST_AFTER_UNREAD_MS = 1_000;

/** Starts to fill. `close` stops at once: what is in hand goes on where it is, in whatever worker. */
export function startFillLoop(options: FillLoopOptions): { close: () => Promise<void> } {
  const { log, canSignIn, atOnce = 4, leaseMs = 15_000, idleMs = 500, lookEveryMs = 5_000 } = options;
  const settings = { ...options.settings, client: leaveParkedAlone(options.settings.client, options.settings) };
  const { database, catalogue, clock = realTime } = settings;
  const ofProjects = resourcesOfProjects(options);
  const tools = createAskedTools(settings);
  const shortages = createShortageWatch({ pool: database.pool, log, lookEveryMs, clock });
  const closing = new AbortController();
  const inHand = new Map<Promise<void>, ClaimedBackfill>();
  let lookAt = Number.NEGATIVE_INFINITY;
  let claims = 0;

  async function loop(): Promise<void> {
    while (!closing.signal.aborted) {
      const fill = inHand.size < atOnce ? await nextFill() : null;
      await shortages.look([...inHand.values()]);
      if (fill !== null) start(fill);
      else await Promise.race([clock.sleep(idleMs, closing.signal).catch(() => null), ...whenFull()]);
    }
  }

  const whenFull = () => (inHand.size < atOnce ? [] : inHand.keys());

  async function nextFill(): Promise<ClaimedBackfill | null> {
    try {
      if (clock.now() >= lookAt) {
        lookAt = clock.now() + lookEveryMs;
        const begun = await requestNewProjects(database, { request: randomUUID(), resources: ofProjects });
        if (begun > 0) log.info({ backfills: begun }, 'projects are new, and are filled');
      }
      if (!(await canSignIn(closing.signal))) return null;
      claims += 1;
      // By a name of its own: who lost a fill and takes it again goes on twice, and the first of the two is to notice.
      return await claimBackfill(database, { holder: `${options.holder}/${claims}`, leaseMs });
    } catch (error) {
      if (!closing.signal.aborted) log.warn({ error }, 'the backfills to do could not be read; trying again');
      await clock.sleep(REST_AFTER_UNREAD_MS, closing.signal).catch(() => null);
      return null;
    }
  }

  function start(fill: ClaimedBackfill): void {
    const run = work(fill).finally(() => inHand.delete(run));
    inHand.set(run, fill);
  }

  async function work(fill: ClaimedBackfill): Promise<void> {
    const { holder } = fill;
    const lost = new AbortController();
    const lease = keepLease({
      ...{ clock, leaseMs, renew: () => renewBackfill(database, fill, { holder, leaseMs }) },
      onLost: () => lost.abort(new FillLostError('another worker has it')),
      onError: (error) => log.warn({ ...keysOf(fill), error }, 'the lease of a backfill could not be renewed'),
    });
    const signal = AbortSignal.any([lost.signal, closing.signal]);
    let { calls } = fill;
    let detail: string | null = null;
    let buried = 0;
    let isProof = false;
    const onEnd: BackfillOptions['onEnd'] = (end) => {
      calls += end.calls;
      buried = end.buried;
      detail = detailOf(end);
      isProof = end.isProof;
    };
    try {
      if (fill.place === null && (await tools.isOff(fill, signal))) {
        await endBackfill(database, fill, {
          holder,
          state: 'off',
          rows: null,
          calls,
          detail: null,
          buried: 0,
          isProof: false,
        });
        log.info(keysOf(fill), 'nothing to fill, for the tool is off');
        return;
      }
      const kept = keptFill(fill);
      const filled = await backfillResource(settings, fill, { signal, now: clock.date(), kept, onEnd });
      const rows = filled.stored + filled.pending;
      await endBackfill(database, fill, { holder, state: 'done', rows, calls, detail, buried, isProof });
      log.info({ ...keysOf(fill), ...filled, buried, calls, ...(detail !== null && { detail }) }, 'filled a resource');
    } catch (error) {
      await settle(fill, error, { calls, buried, isLost: lost.signal.aborted }).catch((cause: unknown) =>
        log.warn({ ...keysOf(fill), error: cause }, 'a backfill could not be given back; its lease will run out'),
      );
    } finally {
      lease.stop();
    }
  }

  async function settle(
    fill: ClaimedBackfill,
    error: unknown,
    at: { calls: number; buried: number; isLost: boolean },
  ): Promise<void> {
    const { calls } = at;
    const { holder } = fill;
    if (at.isLost || error instanceof FillLostError) return;
    if (closing.signal.aborted) {
      const back = { pauseMs: 0, isAttempt: false, readsAnew: false, detail: null };
      return giveBackfillBack(database, fill, { holder, calls, ...back });
    }
    // Its company, or everything: where it is this list alone that is parked, its own probes tell when it is enough.
    const isParked = await isScopeParked(database.pool, { ...fill, resource: null });
    const next = judgeFill(error, { attempts: fill.attempts, isParked });
    const detail = error instanceof Error ? error.message : String(error);
    if (next === null) {
      const { buried } = at;
      await endBackfill(database, fill, { holder, state: 'failed', rows: null, calls, detail, buried, isProof: false });
      log.warn({ ...keysOf(fill), error }, 'a resource could not be filled; `pnpm mirror backfill` tries again');
    } else {
      await giveBackfillBack(database, fill, { holder, calls, detail, ...next });
      if (next.isAttempt) log.warn({ ...keysOf(fill), error }, 'a backfill stopped; it goes on where it is');
    }
  }

  function keptFill(fill: ClaimedBackfill): KeptFill {
    const { holder } = fill;
    const insist = (isOurs: boolean) => {
      if (!isOurs) throw new FillLostError('another worker has it');
    };
    return {
      place: fill.place,
      parents: fill.parents,
      attempts: fill.attempts,
      isLastTry: fill.attempts >= MOST_ATTEMPTS,
      areParentsFilled: () => {
        const parents = parentsOf(catalogue, catalogue.get(fill.resource));
        return areFilledSince(
          database.pool,
          fill,
          parents.map(({ resource }) => resource),
        );
      },
      keepParents: async (parents) => insist(await keepBackfillParents(database, fill, { holder, parents })),
      keep: async (client, news) => {
        insist(await keepBackfill(client, fill, { holder, ...news, calls: fill.calls + news.calls }));
        if (news.hasGotOn) fill.attempts = 0;
      },
    };
  }

  const running = loop();
  return {
    close: async () => {
      closing.abort(new Error('the worker is stopping'));
      await running;
      await Promise.all(inHand.keys());
    },
  };
}

function keysOf({ companyId, projectId, resource }: BatchKey): Record<string, string | null> {
  return { company_id: companyId, project_id: projectId, resource };
}

function detailOf({ notes, remarks }: BackfillEnd): string | null {
  const without = notes.length === 0 ? [] : [`done without: ${notes.join('; ')}`];
  return [...without, ...remarks].join('; ') || null;
}

function resourcesOfProjects({ settings, resources }: FillLoopOptions): { resource: string; position: number }[] {
  const { catalogue } = settings;
  const chosen = resources === null ? null : new Set(resources.map((name) => name.toLowerCase()));
  return [...orderFills(catalogue)]
    .filter(([resource]) => catalogue.get(resource).scope === 'project')
    .filter(([resource]) => chosen?.has(resource.toLowerCase()) ?? true)
    .map(([resource, position]) => ({ resource, position }));
}
