// `verify --plan`: what a comparison costs, on each rung, from the mirror's own numbers.
import { type PlannedComparison, planVerification, usualPace, withShows } from '@procore-mirror/mirror';
import { withScopes } from '../ask-workers.ts';
import type { PartOptions } from '../check-part.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { counted } from '../output.ts';
import { type Plan, planAsJson, planInWords, sumsOf } from '../plan-in-words.ts';
import { timeOf } from '../time-of-plan.ts';

type Options = PartOptions & { full?: boolean; sample?: number };

/** Where no limit holds calls up: about as long as Procore takes to answer. */
const PACE_MS = 300;
const RUNGS = { count: null, window: null, bin: null, climbed: null, listing: 'full' };

/** Prints what `verify` with these options costs, and what the other rungs would. Compares nothing. */
export async function planVerify(context: Context, options: Options): Promise<ExitCode> {
  const { full = false, sample = null } = options;
  const rungs: (keyof PlannedComparison['calls'])[] =
    sample !== null ? ['sample'] : full ? ['listing'] : ['count', 'window', 'bin', 'climbed'];
  return withScopes(context, options, async ({ database, part, scopes, unlisted }) => {
    const planned = await planVerification(database, {
      ...{ catalogue: part.catalogue, sample, pageSize: usualPace.pageSize, now: context.now(), random: Math.random },
      scopes: sample === null ? scopes : scopes.map((scope) => withShows(scope, part)),
    });
    const works = planned.map(({ calls: kinds, ...work }) => ({
      ...{ ...work, trouble: null, kinds },
      calls: rungs.reduce((sum, rung) => sum + kinds[rung], 0),
    }));
    const plan: Plan = {
      ...{ works, unlisted, kinds: sample === null ? RUNGS : { ...RUNGS, sample: 'sample' } },
      ...(await timeOf(database, works, PACE_MS)),
      estimate: 'rows are taken to be spread evenly over parents and days.',
      remark: remarkOf(sumsOf({ works, kinds: RUNGS })),
    };
    context.output.result({ ...planAsJson(plan), by_rung: sumsOf(plan) }, () => planInWords(plan));
    return unlisted.length === 0 ? exitCode.fine : exitCode.foundSomethingWrong;
  });
}

function remarkOf({ count = 0, window = 0, bin = 0, climbed = 0, listing = 0 }: Record<string, number>): string {
  return [
    `In all: ${counted(count, 'call')} to count, ${window} for windows, ${bin} for bins,`,
    `${climbed} to read lists that cannot be asked for what changed;`,
    `${counted(listing, 'call')} to read all lists (--full).`,
    'Nothing was compared; the numbers of records are those of the mirror.',
  ].join('\n');
}
