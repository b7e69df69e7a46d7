// What the commands about hooks share: the scopes looked at, and what is told of them.
import type { Catalogue } from '@procore-mirror/catalogue';
import { type Database, listHookPlaces } from '@procore-mirror/database';
import { type planAllHooks, planProjects, type ScopeHooks, selectCompany, selectScopes } from '@procore-mirror/mirror';
import type { ProcoreClient } from '@procore-mirror/procore';
import { allConfigured, fingerprint, pathWarning, procoreHosts } from '@procore-mirror/runtime';
import type { z } from 'zod';
import type { Context } from './context.ts';
import { type applyHooksSchema, type hooksSchema, procoreSchema } from './env.ts';
import { ServerUnreachableError } from './errors.ts';
import { type ExitCode, exitCode } from './exit-code.ts';
import { counted } from './output.ts';

/** A stumble is got over; who sits in front of it is told of an outage. */
const PAUSES_MS = [1_000, 3_000];
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
  /** To be told of each scope that is done. */
  onScope: () => void;
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
      const unlisted: string[] = [];
      const say = (line: string) => {
        unlisted.push(line);
        output.note(line);
      };
      const patience = { signal, pausesMs: PAUSES_MS };
      const { scopes, left } = await selectScopes({
        ...{ ...patience, client, database, say, note: (line) => output.note(`${line}.`) },
        companyIds: env.PROCORE_COMPANY_IDS,
        wanted: env.MIRROR_PROJECTS,
        select: isNoted ? selectCompany : planProjects,
      });
      const hooked = await listHookPlaces(database.pool, env.PROCORE_COMPANY_IDS);
      const gone = new Set(left.map(({ projectId }) => projectId));
      const leaving = hooked.filter(({ projectId }) => gone.has(projectId ?? ''));
      const { onScope, close } = createProgress(scopes.length + leaving.length, output.note);
      try {
        return await work({
          ...{ env, client, database, catalogue, resources, scopes, left: leaving, unlisted, patience, onScope },
        });
      } finally {
        close();
      }
    }),
  );
}

/** Plans or applies the hooks of all that is selected. */
export async function lookAtAll(
  at: AtHooks<z.infer<typeof hooksSchema>>,
  work: typeof planAllHooks,
): Promise<FoundHooks> {
  const { env, unlisted, patience, ...how } = at;
  const [authorization = null] = env.WEBHOOK_AUTHORIZATION ?? [];
  const scopes = await work({
    ...{ ...how, ...patience, authorization, namespace: env.WEBHOOK_NAMESPACE, destinationUrl: env.WEBHOOK_URL },
    keys: new Map(authorization === null ? [] : [[authorization, fingerprint(authorization)]]),
  });
  return { scopes: reached(scopes), unlisted };
}

/** The scopes, where an answer was had of any. Throws ServerUnreachableError. */
function reached(scopes: readonly ScopeHooks[]): readonly ScopeHooks[] {
  if (scopes.some((scope) => !scope.isUnreached)) return scopes;
  throw new ServerUnreachableError(`Procore does not answer: ${scopes[0]?.trouble}`);
}

/** Says every half a minute how far it is: calls may have to wait. */
function createProgress(total: number, note: (line: string) => void): { onScope: () => void; close: () => void } {
  let done = 0;
  const timer = setInterval(() => note(`${done} of ${counted(total, 'scope')} looked at`), SAY_EVERY_MS);
  return {
    onScope: () => {
      done += 1;
    },
    close: () => clearInterval(timer),
  };
}

/** Of a command for which these scopes are not as they should be. */
export function exitCodeOf({ scopes, unlisted }: FoundHooks, isWrong: (scope: ScopeHooks) => boolean): ExitCode {
  if (scopes.some((scope) => scope.isUnreached)) return exitCode.serverUnreachable;
  const isAllWell = unlisted.length === 0 && !scopes.some((scope) => scope.trouble !== null || isWrong(scope));
  return isAllWell ? exitCode.fine : exitCode.foundSomethingWrong;
}
