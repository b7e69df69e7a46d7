// Hooks as `hooks status` looks at them, in the words that the judge of the mirror knows.
import { readSecretUse } from '@procore-mirror/database';
import {
  type DoctorFacts,
  findLate,
  judgeOldSecret,
  planAllHooks,
  type Scope,
  type ScopeHooks,
} from '@procore-mirror/mirror';
import type { ProcoreClient } from '@procore-mirror/procore';
import { fingerprint } from '@procore-mirror/runtime';
import { lookedHooksSchema } from '../env.ts';
import { faultInWords } from '../hooks-in-words.ts';
import { PAUSES_MS } from '../list-selected.ts';
import { usesInWords } from '../old-secret-in-words.ts';
import type { Asking } from './asking.ts';
import { orNull } from './or-null.ts';

type HookFacts = NonNullable<DoctorFacts['hooks']>;

/** What the hooks of these scopes lack; or why they were not looked at. Writes nothing. */
export async function examineHooks(
  { context, database, catalogue, resources }: Asking,
  client: ProcoreClient,
  {
    signal,
    seen,
    scopes,
  }: { signal: AbortSignal; seen: readonly Pick<Scope, 'companyId' | 'projectId'>[]; scopes: number },
): Promise<HookFacts | string> {
  const env = orNull(() => context.read(lookedHooksSchema));
  if (env === null) return 'settings that it takes are wrong';
  if (env.WEBHOOK_URL === undefined) return 'WEBHOOK_URL is not set, so nobody knows where they should lead';
  const [authorization = null, ...others] = env.WEBHOOK_AUTHORIZATION ?? [];
  const patience = { signal, pausesMs: PAUSES_MS };
  const looked = await planAllHooks({
    ...{ ...patience, client, database, catalogue, resources, authorization, scopes: seen },
    ...{ namespace: env.WEBHOOK_NAMESPACE, destinationUrl: env.WEBHOOK_URL },
    keys: new Map(authorization === null ? [] : [[authorization, fingerprint(authorization)]]),
    onScope: ({ companyId, projectId }) => context.output.live(`hooks: ${projectId ?? companyId}`),
  });
  const told = looked.filter(({ isLeftAlone, isUnreached }) => !isLeftAlone && !isUnreached);
  if (told.length === 0) return looked[0]?.trouble ?? 'there is no scope to look at';
  const hooks = told.flatMap(({ companyId, projectId, hookId }) =>
    hookId === null ? [] : [{ companyId, projectId, hookId }],
  );
  const late = await findLate({ ...patience, client, database, hooks, asOf: context.now() });
  const secret = authorization === null || others.length === 0 ? null : await secretInWords(authorization);
  return { seen: told.map(seenOf), scopes, late: lateByCompany(late), secret };

  async function secretInWords(value: string): Promise<string> {
    const companyIds = [...new Set(told.map(({ companyId }) => companyId))];
    const use = await readSecretUse(database.pool, companyIds);
    const known = { isShown: null, isEmpty: null, changedAt: null, asOf: context.now() };
    return usesInWords(judgeOldSecret(use, fingerprint(value), known), known.asOf);
  }
}

function seenOf({ companyId, projectId, actions, refused, trouble }: ScopeHooks): HookFacts['seen'][number] {
  const of = (state: HookFacts['seen'][number]['state'], finding: string | null = null) => ({
    ...{ companyId, projectId, state, finding },
  });
  if (trouble !== null) return of('wrong', trouble);
  if (actions.some((action) => action.do === 'create')) return of('missing');
  if (actions.some((action) => action.do === 'patch' && action.change.status !== undefined)) return of('disabled');
  if (actions.length > 0) return of('wrong', actions.map(faultInWords).join('; '));
  return refused.length === 0 ? of(null) : of('refused', `Procore does not take ${refused.join(', ')}`);
}

function lateByCompany(late: Awaited<ReturnType<typeof findLate>>): HookFacts['late'] {
  return [...Map.groupBy(late, ({ companyId }) => companyId)].map(([companyId, own]) => ({
    companyId,
    count: own.reduce((sum, { count }) => sum + count, 0),
    oldestAt: new Date(Math.min(...own.map(({ oldestAt }) => oldestAt.getTime()))).toISOString(),
  }));
}
