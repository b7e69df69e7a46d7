// How long workers take to look at everything once, at the shares of the calls that upkeep has: pure, values in, values out.
import { roundOfLooksMs } from './hook-share.ts';
import { roundOfLogMs } from './log-share.ts';
import { roundOfProofsMs } from './proof-share.ts';

export type Upkept = {
  hooks: number;
  /** What a look at the log of each of them takes. */
  logCalls: number;
  /** Projects whose tables are compared, and these tables. */
  projects: number;
  tables: number;
  /** What a comparison by the cheap rungs took, on average; null: there was none. */
  callsPerTable: number | null;
  /** The calls that Procore gives in an hour; null: it tells of no limit. */
  hourLimit: number | null;
};

/** Settings of workers, ms; 0: never. */
export type UpkeepPace = { checkHooksEveryMs: number; repairEveryMs: number; verifyEveryMs: number };

/** ms; null: it is done by nobody. */
export type RoundsOfUpkeep = { hooksMs: number | null; logMs: number | null; proofsMs: number | null };

/** Each log of deliveries is looked at once a day where calls suffice. */
const LOG_EVERY_MS = 86_400_000;

export function roundsOfUpkeep(upkept: Upkept, pace: UpkeepPace): RoundsOfUpkeep {
  const { hooks, logCalls, projects, tables, callsPerTable, hourLimit } = upkept;
  const { checkHooksEveryMs, repairEveryMs, verifyEveryMs } = pace;
  // Each project is asked once a round which of its tools are on.
  const proofCalls = projects + tables * (callsPerTable ?? 1);
  const unlessNever = (everyMs: number, roundMs: number) => (everyMs === 0 ? null : roundMs);
  return {
    hooksMs: unlessNever(checkHooksEveryMs, roundOfLooksMs(hooks, hourLimit, checkHooksEveryMs)),
    logMs: unlessNever(repairEveryMs, Math.max(LOG_EVERY_MS, roundOfLogMs(logCalls, hourLimit))),
    proofsMs: unlessNever(verifyEveryMs, roundOfProofsMs(proofCalls, hourLimit, verifyEveryMs)),
  };
}
