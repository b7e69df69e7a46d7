import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, findFirstUse, listDeafReceivers, readSecretUse } from '@procore-mirror/database';
import {
  isOldSecretGone,
  judgeOldSecret,
  type OldSecret,
  type RotatedHook,
  rotateSecret,
} from '@procore-mirror/mirror';
import { fingerprint } from '@procore-mirror/runtime';
import { type Command, InvalidArgumentError } from 'commander';
import type { z } from 'zod';
import type { Context } from '../context.ts';
import { applyHooksSchema } from '../env.ts';
import { ServerUnreachableError, UsageError } from '../errors.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { type AtHooks, withHooks } from '../look-after-hooks.ts';
import { whyToKeepInWords } from '../old-secret-in-words.ts';
import { counted, table } from '../output.ts';
import type { Run } from '../run.ts';

type Env = z.infer<typeof applyHooksSchema>;

/** `set back`: it had the new value, and another process gave it another one meanwhile. */
type Hook = Omit<RotatedHook, 'outcome'> & { outcome: RotatedHook['outcome'] | 'set back' };

type Rotated = {
  hooks: readonly Hook[];
  /** Receivers that do not accept the new value; nothing was changed then. */
  deaf: readonly { id: string; host: string }[];
  provedAt: Date | null;
  /** Null: there was nothing to judge by. */
  oldSecret: OldSecret | null;
  atTheLatest: Date;
  unlisted: readonly string[];
};

const HOUR_MS = 3_600_000;
/** After that Procore throws away what it could not deliver (docs/procore.md: Deliveries). */
const GIVEN_UP_AFTER_MS = 12 * HOUR_MS;
/** A receiver reports once a minute, and one that is gone is not waited for. */
const DEAF_WITHIN_MS = 100_000;
const SET_BACK =
  'another process gave it another value meanwhile; it has the new one again. See that all workers know the new value';
const LOOK_EVERY_MS = 500;
const SAY_EVERY_MS = 10_000;
/** To ask the log costs two calls a hook. */
const MOST_HOOKS_ASKED = 100;

export function addHooksRotateSecret(parent: Command, run: Run): void {
  parent
    .command('rotate-secret')
    .description(
      'Gives the hooks the first of several values of WEBHOOK_AUTHORIZATION, proves it by a delivery, and says when the others may go. May be repeated. Exit code 1 when it is not proved, or a hook lacks it.',
    )
    .option('--wait <seconds>', 'how long to wait for a delivery with the new value', readSeconds, 60)
    .option('--json', 'print the result as JSON')
    .action((options: { json?: boolean; wait: number }) =>
      run(options, async (context) => {
        const how = { isNoted: false, check: refuseOneValue };
        const rotated = await withHooks(context, applyHooksSchema, how, (at) =>
          rotate(context, at, options.wait * 1000),
        );
        context.output.result(asJson(rotated), () => inWords(rotated));
        return codeOf(rotated);
      }),
    );
}

function refuseOneValue({ WEBHOOK_AUTHORIZATION: values }: Env): void {
  if (values.length > 1) return;
  throw new UsageError([
    'WEBHOOK_AUTHORIZATION holds one value only, so the receivers could not accept both while the hooks change: put the new one in front of it, separated by a comma (new,old), for the receivers and for this command',
  ]);
}

async function rotate(context: Context, at: AtHooks<Env>, waitMs: number): Promise<Rotated> {
  const { client, database, patience, scopes, left, unlisted, inProgress } = at;
  const { WEBHOOK_NAMESPACE: namespace, WEBHOOK_AUTHORIZATION: accepted } = at.env;
  const [value = ''] = accepted;
  const key = fingerprint(value);
  const asked = { ...patience, client, database, namespace, places: [...scopes, ...left] };
  const deaf = await untilAccepted(context, database, key);
  const givenUpAfter = (moment: Date) => new Date(moment.getTime() + GIVEN_UP_AFTER_MS);
  const nothing = { provedAt: null, oldSecret: null, atTheLatest: givenUpAfter(new Date()), unlisted, deaf };
  if (deaf.length > 0) return { ...nothing, hooks: [] };
  const begunAt = performance.now();
  const give = () => inProgress((onPlace) => rotateSecret({ ...asked, secret: { value, key, accepted }, onPlace }));
  const given = await give();
  if (given.length > 0 && given.every(({ isUnreached }) => isUnreached))
    throw new ServerUnreachableError(`Procore does not answer: ${given[0]?.detail}`); // there is no delivery to wait for
  const isChanged = given.some(wasChanged);
  const sinceMs = () => (isChanged ? performance.now() - begunAt : 2 * GIVEN_UP_AFTER_MS);
  const endedAt = new Date();
  const provedAt = await untilProved(context, () => findFirstUse(database.pool, key, sinceMs()), waitMs);
  const again = given.every(({ isUnreached }) => isUnreached) ? null : await give();
  const hooks = again === null ? given : sinceThen(given, again);
  const asOf = new Date();
  // When hooks were changed that had the value before is not known, nor is what happened before that.
  const changedAt = isChanged && !again?.some(wasChanged) ? endedAt : null;
  const found = { hooks, deaf, unlisted, provedAt, atTheLatest: givenUpAfter(changedAt ?? asOf) };
  if (provedAt === null) return { ...found, oldSecret: null };
  const isShown = areWell(found);
  const isAsked = isShown && hooks.length <= MOST_HOOKS_ASKED;
  const isEmpty = isAsked ? await isOldSecretGone({ ...asked, hooks, changedAt: changedAt ?? asOf, asOf }) : null;
  const use = await readSecretUse(database.pool, at.env.PROCORE_COMPANY_IDS);
  return { ...found, oldSecret: judgeOldSecret(use, key, { isShown, isEmpty, changedAt, asOf }) };
}

const wasChanged = ({ outcome }: Hook) => outcome === 'changed';
const isWell = ({ outcome }: Hook) => outcome === 'changed' || outcome === 'as it should be';

/** Have all hooks the new value, and was none left out? */
function areWell({ hooks, unlisted }: Pick<Rotated, 'hooks' | 'unlisted'>): boolean {
  return hooks.every(isWell) && unlisted.length === 0;
}

/** What came of each hook, given what it had `before` and what a second time found. */
function sinceThen(before: readonly RotatedHook[], now: readonly RotatedHook[]): Hook[] {
  return now.map((hook) => {
    const was = before.find(
      (one) => one.companyId === hook.companyId && one.projectId === hook.projectId && one.hookId === hook.hookId,
    );
    if (was === undefined || !isWell(was) || !isWell(hook)) return hook;
    return hook.outcome === 'as it should be' ? was : { ...hook, outcome: 'set back', detail: SET_BACK };
  });
}

/** Waits until all receivers that run say that they accept the value; returns those that do not. */
async function untilAccepted({ output, signal }: Context, database: Database, key: string): Promise<Rotated['deaf']> {
  const giveUpAt = performance.now() + DEAF_WITHIN_MS;
  const say = createSaying(output.note);
  for (;;) {
    const deaf = await listDeafReceivers(database.pool, key);
    if (deaf.length === 0 || performance.now() > giveUpAt) return deaf;
    say(`waiting for ${counted(deaf.length, 'receiver')} to accept the new value`);
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
}

async function untilProved(
  { output, signal }: Context,
  look: () => Promise<Date | null>,
  waitMs: number,
): Promise<Date | null> {
  const giveUpAt = performance.now() + waitMs;
  const say = createSaying(output.note);
  for (;;) {
    const provedAt = await look();
    if (provedAt !== null || performance.now() > giveUpAt) return provedAt;
    say('waiting for a delivery with the new value');
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
}

function createSaying(note: (line: string) => void): (line: string) => void {
  let saidAt = Number.NEGATIVE_INFINITY;
  return (line) => {
    if (performance.now() - saidAt < SAY_EVERY_MS) return;
    saidAt = performance.now();
    note(line);
  };
}

function codeOf({ hooks, deaf, provedAt, unlisted }: Rotated): ExitCode {
  if (hooks.some(({ isUnreached }) => isUnreached)) return exitCode.serverUnreachable;
  const isFine = areWell({ hooks, unlisted }) && deaf.length === 0 && provedAt !== null;
  return isFine ? exitCode.fine : exitCode.foundSomethingWrong;
}

function asJson({ hooks, deaf, provedAt, oldSecret, atTheLatest, unlisted }: Rotated): unknown {
  return {
    hooks: hooks.map(({ companyId, projectId, hookId, outcome, detail }) => ({
      ...{ company_id: companyId, project_id: projectId, hook_id: hookId },
      ...{ outcome: outcome.replaceAll(' ', '_'), detail },
    })),
    receivers_without_it: deaf,
    proved_at: provedAt?.toISOString() ?? null,
    old_value: {
      may_go: oldSecret?.mayGo ?? false,
      because: oldSecret ? oldSecret.because : areWell({ hooks, unlisted }) ? 'not proved' : 'elsewhere',
      at_the_latest: atTheLatest.toISOString(),
    },
    unlisted,
  };
}

function inWords({ hooks, deaf, provedAt, oldSecret, atTheLatest, unlisted }: Rotated): string {
  if (deaf.length > 0) {
    const names = deaf.map(({ id, host }) => `${id} on ${host}`).join(', ');
    return `Nothing was changed: ${counted(deaf.length, 'receiver')} would refuse deliveries with the new value, or no longer reports what it accepts (${names}). See that the receivers run, give WEBHOOK_AUTHORIZATION with both values to all of them, and run this again.`;
  }
  const count = (what: Hook['outcome']) => hooks.filter(({ outcome }) => outcome === what).length;
  const wrong = hooks.filter(({ detail }) => detail !== null);
  const rows = wrong.map((hook) => [hook.companyId, hook.projectId ?? '', hook.hookId ?? '', hook.detail] as const);
  return [
    ...(rows.length === 0 ? [] : [`${table(['company', 'project', 'hook', 'trouble'], rows)}\n`]),
    `${counted(hooks.length, 'hook')}: ${count('changed')} changed, ${count('as it should be')} had the new value before`,
    ...whenToDrop(),
  ].join('\n');

  function whenToDrop(): string[] {
    const latest = `at the latest ${atTheLatest.toISOString()}`;
    if (wrong.length > 0) return ['Keep the old value: not all hooks have the new one. Run this again.'];
    if (unlisted.length > 0)
      return ['Keep the old value: there may be hooks in projects that could not be listed. Run this again.'];
    if (provedAt === null || oldSecret === null)
      return [
        'Not proved yet: no delivery came with the new value, so keep the old one. See that a receiver and a worker run, save something in Procore that is mirrored, and run this again, or `pnpm mirror hooks status`.',
      ];
    const proof = `Proved by a delivery at ${provedAt.toISOString()}.`;
    const { because } = oldSecret;
    if (because === null) return [proof, 'The old value may go: Procore has nothing left to deliver from before.'];
    if (because === 'elsewhere' || because === 'not proved') return [whyToKeepInWords(because, oldSecret)];
    return [
      proof,
      `Keep the old value until Procore has delivered what it had before, ${latest}; \`pnpm mirror hooks status\` tells when it may go.`,
    ];
  }
}

function readSeconds(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number of seconds.');
}
