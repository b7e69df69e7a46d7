import type { UpkeepStatus } from '@procore-mirror/database';
import { type RoundsOfUpkeep, type UpkeepPace, upkeepShareInWords } from '@procore-mirror/mirror';
import type { z } from 'zod';
import type { upkeepSchema } from './env.ts';
import { counted } from './output.ts';

/** What workers look after by themselves, and how long they take to look at all of it once. */
export type Upkeep = UpkeepStatus & RoundsOfUpkeep;

const MOST_LINES = 20;

/** The settings that workers have where this command runs. */
export function paceOf(env: z.infer<typeof upkeepSchema>): UpkeepPace {
  return {
    checkHooksEveryMs: env.CHECK_HOOKS_EVERY_MS,
    repairEveryMs: env.REPAIR_EVERY_MS,
    verifyEveryMs: env.VERIFY_EVERY_MS,
  };
}

/** A line for each company that has something to look after. */
export function upkeepInWords(upkeep: readonly Upkeep[]): string {
  const kept = upkeep.filter(({ hooks, tables }) => hooks + tables > 0);
  const lines = kept.slice(0, MOST_LINES).map(lineOf);
  const more = kept.length - MOST_LINES;
  return [
    ...(lines.length === 0
      ? []
      : [
          `Workers look at everything once within (of the calls hooks have ${upkeepShareInWords('hooks')}, their log ${upkeepShareInWords('log')}, proofs ${upkeepShareInWords('proofs')})`,
        ]),
    ...lines,
    ...(more > 0 ? [`(${more} more: --json)`] : []),
  ].join('\n');
}

/** The first company's, as a line; empty where nothing is looked after. */
export function roundsInWords(upkeep: readonly Upkeep[]): string {
  const [first, ...others] = upkeep.filter(({ hooks, tables }) => hooks + tables > 0);
  if (first === undefined) return '';
  return `${lineOf(first)}${others.length === 0 ? '' : ` (${others.length} more: --all)`}`;
}

function lineOf({ companyId, hooks, tables, hourLimit, isLimitTold, hooksMs, logMs, proofsMs }: Upkeep): string {
  const parts = [
    ...(hooks === 0 ? [] : [`${counted(hooks, 'hook')}: ${within(hooksMs)}`, `their log: ${within(logMs)}`]),
    ...(tables === 0 ? [] : [`proofs of ${counted(tables, 'table')}: ${within(proofsMs)}`]),
  ];
  return `${companyId}: ${parts.join(', ')}${hourLimit === null ? '' : ` (at ${hourLimit} calls an hour${isLimitTold ? '' : ', assumed for upkeep'})`}`;
}

function within(ms: number | null): string {
  if (ms === null) return 'never';
  const hours = ms / 3_600_000;
  if (hours < 2) return `${Math.max(1, Math.round(hours * 60))} min`;
  return hours < 48 ? `${Math.round(hours)} h` : `${(hours / 24).toFixed(1)} days`;
}
