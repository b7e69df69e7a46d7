// What the commands about hooks share: the scopes looked at, and what is told of them.
import type { Catalogue } from '@procore-mirror/catalogue';
import { type Database, listHookPlaces } from '@procore-mirror/database';
import { type planAllHooks, type ScopeHooks, selectCompany } from '@procore-mirror/mirror';
import type { ProcoreClient } from '@procore-mirror/procore';
import { allConfigured, fingerprint, pathWarning, procoreHosts } from '@procore-mirror/runtime';
import type { z } from 'zod';
import type { Context } from './context.ts';
import { type applyHooksSchema, type hooksSchema, procoreSchema } from './env.ts';
import { ServerUnreachableError } from './errors.ts';
import { type ExitCode, exitCode } from './exit-code.ts';
import { listSelected, PAUSES_MS } from './list-selected.ts';
import { counted } from './output.ts';

const SAY_EVERY_MS = 30_000;

export type FoundHooks = {
  scopes: readonly ScopeHooks[];
  /** Companies whose projects could not be listed, in words. */
  unlisted: readonly string[];
};

/** What a command works with that is about hooks. */
export type AtHooks<E> = {
  env: E;
  client: ProcoreClient;
  database: Database;
  catalogue: Catalogue;
  resources: readonly string[] | null;
  /** What is selected, each company before its projects. */
  scopes: readonly Place[];
  /** Projects that are not selected any more, and have a hook as far as we know. */
  left: readonly Place[];
  unlisted: readonly string[];
  patience: { signal: AbortSignal; pausesMs: readonly number[] };
  /** Says how far looking at all of them is; to be told of each scope that is done. */
  inProgress: <T>(looking: (onScope: () => void) => Promise<T>) => Promise<T>;
};

type Place = { companyId: string; projectId: string | null };

/** Lists what is selected, notes it if it `isNoted`, and works with it. `check`: of the configuration, before any server is asked. */
export async function withHooks<S extends typeof applyHooksSchema | typeof hooksSchema, T>(
  context: Context,
  schema: S,
  { isNoted, check = () => {} }: { isNoted: boolean; check?: (env: z.infer<S>) => void },
  work: (at: AtHooks<z.infer<S>>) => Promise<T>,
): Promise<T> {
  const { output, signal } = context;
  const [env, { catalogue, resources }] = await allConfigured(
    () => context.read(schema),
    () => context.catalogue(),
    () => procoreHosts(context.read(procoreSchema)),
  );
  check(env);
  const warning = pathWarning(env.WEBHOOK_URL);
  if (warning !== null) output.note(`${warning}.`);
  return context.withDatabase((database) =>
    context.withProcore(database, async (client) => {
      const patience = { signal, pausesMs: PAUSES_MS };
      const { scopes, left, unlisted } = await listSelected(context, {
        ...{ client, database, companyIds: env.PROCORE_COMPANY_IDS, wanted: env.MIRROR_PROJECTS, lane: 'upkeep' },
        ...(isNoted && { select: selectCompany }),
      });
      const hooked = await listHookPlaces(database.pool, env.PROCORE_COMPANY_IDS);
      const gone = new Set(left.map(({ projectId }) => projectId));
      const leaving = hooked.filter(({ projectId }) => gone.has(projectId ?? ''));
      const inProgress: AtHooks<unknown>['inProgress'] = (looking) =>
        withProgress(scopes.length + leaving.length, output.note, looking);
      return await work({
        ...{ env, client, database, catalogue, resources, scopes, left: leaving, unlisted, patience, inProgress },
      });
    }),
  );
}

/** Plans or applies the hooks of all that is selected. */
export async function lookAtAll(
  at: AtHooks<z.infer<typeof hooksSchema>>,
  work: typeof planAllHooks,
): Promise<FoundHooks> {
  const { env, unlisted, patience, inProgress, ...how } = at;
  const [authorization = null] = env.WEBHOOK_AUTHORIZATION ?? [];
  const scopes = await inProgress((onScope) =>
    work({
      ...{ ...how, ...patience, authorization, namespace: env.WEBHOOK_NAMESPACE, destinationUrl: env.WEBHOOK_URL },
      ...{ keys: new Map(authorization === null ? [] : [[authorization, fingerprint(authorization)]]), onScope },
    }),
  );
  return { scopes: reached(scopes), unlisted };
}

/** The scopes, where an answer was had of any. Throws ServerUnreachableError. */
function reached(scopes: readonly ScopeHooks[]): readonly ScopeHooks[] {
  if (scopes.some((scope) => !scope.isUnreached)) return scopes;
  throw new ServerUnreachableError(`Procore does not answer: ${scopes[0]?.trouble}`);
}

/** Says every half a minute how far it is: calls may have to wait. */
async function withProgress<T>(
  total: number,
  note: (line: string) => void,
  work: (onScope: () => void) => Promise<T>,
): Promise<T> {
  let done = 0;
  const timer = setInterval(() => note(`${done} of ${counted(total, 'scope')} looked at`), SAY_EVERY_MS);
  try {
    return await work(() => {
      done += 1;
    });
  } finally {
    clearInterval(timer);
  }
}

/** Of a command for which these scopes are not as they should be. */
export function exitCodeOf({ scopes, unlisted }: FoundHooks, isWrong: (scope: ScopeHooks) => boolean): ExitCode {
  if (scopes.some((scope) => scope.isUnreached)) return exitCode.serverUnreachable;
  const isAllWell = unlisted.length === 0 && !scopes.some((scope) => scope.trouble !== null || isWrong(scope));
  return isAllWell ? exitCode.fine : exitCode.foundSomethingWrong;
}
