import { readHookCalls, readSecretUse } from '@procore-mirror/database';
import {
  findLate,
  isFirstShown,
  isOldSecretGone,
  judgeOldSecret,
  type LateDeliveries,
  type OldSecret,
  planAllHooks,
  roundOfLooksMs,
  type ScopeHooks,
  upkeepShareInWords,
} from '@procore-mirror/mirror';
import { fingerprint } from '@procore-mirror/runtime';
import type { Command } from 'commander';
import type { z } from 'zod';
import type { Context } from '../context.ts';
import { hooksSchema } from '../env.ts';
import { exitCode } from '../exit-code.ts';
import { faultInWords, hooksAsJson, hooksTable, notOfferedInWords } from '../hooks-in-words.ts';
import { type AtHooks, exitCodeOf, type FoundHooks, lookAtAll, withHooks } from '../look-after-hooks.ts';
import { oldSecretInWords } from '../old-secret-in-words.ts';
import { ago, counted, table } from '../output.ts';
import type { Run } from '../run.ts';

type Env = z.infer<typeof hooksSchema>;

type Status = FoundHooks & {
  late: readonly LateDeliveries[];
  /** How long workers take to look at every hook once, ms, where their share of the calls does not reach for as often as is set. */
  roundMs: number | null;
  /** Null: no more than one value is accepted. */
  oldSecret: OldSecret | null;
  asOf: Date;
};

export function addHooksStatus(parent: Command, run: Run): void {
  parent
    .command('status')
    .description(
      'Whether each hook is as it should be, whether the busiest deliver, and while WEBHOOK_AUTHORIZATION has several values whether the old ones may go. Changes nothing. Exit code 1 when one is missing, disabled or wrong, or has not delivered an event for two hours.',
    )
    .option('--json', 'print the result as JSON')
    .action((options: { json?: boolean }) =>
      run(options, async (context) => {
        const found = await withHooks(context, hooksSchema, { isNoted: false }, (at) => look(context, at));
        context.output.result(asJson(found), () => inWords(found));
        const code = exitCodeOf(found, isWrong);
        return code === exitCode.fine && found.late.length > 0 ? exitCode.foundSomethingWrong : code;
      }),
    );
}

async function look({ now }: Context, at: AtHooks<Env>): Promise<Status> {
  const found = await lookAtAll(at, planAllHooks);
  const { client, database, patience } = at;
  const hooks = found.scopes.flatMap(({ hookId, ...scope }) =>
    hookId === null ? [] : [{ ...placeOf(scope), hookId }],
  );
  const asOf = now();
  const late = await findLate({ ...patience, client, database, hooks, asOf });
  return { ...found, late, roundMs: await roundOf(at), oldSecret: await oldSecretOf(at, found, asOf), asOf };
}

/** To ask the log costs two calls a hook. */
const MOST_HOOKS_ASKED = 100;

/** While the secret is rotated. */
async function oldSecretOf(at: AtHooks<Env>, { scopes, unlisted }: FoundHooks, asOf: Date): Promise<OldSecret | null> {
  const { env, client, database, patience } = at;
  const [value, ...others] = env.WEBHOOK_AUTHORIZATION ?? [];
  if (value === undefined || others.length === 0) return null;
  const hooks = scopes.flatMap((scope) => scope.ours.map(({ id }) => ({ ...placeOf(scope), hookId: id })));
  const isEmpty =
    hooks.length > MOST_HOOKS_ASKED
      ? null
      : await isOldSecretGone({ ...patience, client, hooks, changedAt: asOf, asOf });
  const use = await readSecretUse(database.pool, env.PROCORE_COMPANY_IDS);
  const isShown = unlisted.length > 0 ? false : isFirstShown(scopes, [value, ...others]);
  return judgeOldSecret(use, fingerprint(value), { isShown, isEmpty, changedAt: null, asOf });
}

/** Of the company with most hooks for its calls. */
async function roundOf({ env, scopes, database }: AtHooks<Env>): Promise<number | null> {
  const everyMs = env.CHECK_HOOKS_EVERY_MS;
  if (everyMs === 0) return null;
  const rounds = env.PROCORE_COMPANY_IDS.map(async (companyId) => {
    const { hourLimit } = await readHookCalls(database.pool, companyId, 0);
    return roundOfLooksMs(scopes.filter((scope) => scope.companyId === companyId).length, hourLimit, everyMs);
  });
  const longest = Math.max(...(await Promise.all(rounds)));
  return longest > everyMs ? longest : null;
}

function placeOf({ companyId, projectId }: Pick<ScopeHooks, 'companyId' | 'projectId'>) {
  return { companyId, projectId };
}

function isWrong({ actions, refused }: ScopeHooks): boolean {
  return actions.length > 0 || refused.length > 0;
}

function asJson({ late, roundMs, oldSecret, ...found }: Status): unknown {
  return {
    ...hooksAsJson(found),
    undelivered: late.map(({ companyId, projectId, hookId, count, oldestAt }) => ({
      ...{ company_id: companyId, project_id: projectId, hook_id: hookId },
      ...{ count, oldest_at: oldestAt.toISOString() },
    })),
    old_value: oldSecret,
    round_minutes: roundMs === null ? null : Math.round(roundMs / 60_000),
  };
}

function inWords({ scopes, late, roundMs, oldSecret, asOf }: Status): string {
  const wrong = scopes.filter((scope) => scope.trouble !== null || isWrong(scope)).length;
  const sum = `${counted(scopes.length, 'scope')}, ${wrong === 0 ? 'all' : scopes.length - wrong} as they should be`;
  const isOfSecretAlone =
    oldSecret !== null && scopes.every((scope) => scope.trouble === null && lacksSecretAlone(scope));
  const fix = wrong === 0 || isOfSecretAlone ? '' : '; `pnpm mirror hooks apply` sets right what is wrong';
  const round =
    roundMs === null
      ? ''
      : `\nWorkers take about ${(roundMs / 3_600_000).toFixed(1)} h to look at each hook once: hooks may take ${upkeepShareInWords('hooks')} of the calls.`;
  const secret = oldSecret === null ? '' : `\n${oldSecretInWords(oldSecret, asOf)}`;
  return `${hooksTable(scopes, 'wrong', faultInWords)}${lateTable(late, asOf)}${sum}${fix}${notOfferedInWords(scopes)}${round}${secret}`;
}

/** What `rotate-secret` sets right. */
function lacksSecretAlone({ actions, refused }: ScopeHooks): boolean {
  const isOfSecret = (action: ScopeHooks['actions'][number]) =>
    action.do === 'patch' && Object.keys(action.change).join() === 'authorization';
  return refused.length === 0 && actions.every(isOfSecret);
}

function lateTable(late: readonly LateDeliveries[], asOf: Date): string {
  if (late.length === 0) return '';
  const rows = late.map(
    ({ companyId, projectId, count, oldestAt }) =>
      [companyId, projectId ?? '', count, ago(oldestAt.toISOString(), asOf)] as const,
  );
  const fix =
    'Procore throws events away after 12 hours: see that the receiver runs, and that WEBHOOK_URL leads to it.';
  return `${table(['company', 'project', 'not delivered', 'oldest'], rows)}\n${fix}\n\n`;
}
