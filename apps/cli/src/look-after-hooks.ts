// What `hooks plan`, `hooks apply` and `hooks status` share: the scopes looked at, and what is told of them.
import { listHookPlaces } from '@procore-mirror/database';
import { type planAllHooks, planProjects, type ScopeHooks, selectCompany, selectScopes } from '@procore-mirror/mirror';
import { allConfigured, fingerprint, pathWarning, procoreHosts } from '@procore-mirror/runtime';
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

/** Plans or applies the hooks of the companies that are configured, and of their projects. */
export async function lookAfterHooks(
  context: Context,
  schema: typeof applyHooksSchema | typeof hooksSchema,
  { work, isApplied }: { work: typeof planAllHooks; isApplied: boolean },
): Promise<FoundHooks> {
  const { output, signal } = context;
  const [env, { catalogue, resources }] = await allConfigured(
    () => context.read(schema),
    () => context.catalogue(),
    () => procoreHosts(context.read(procoreSchema)),
  );
  const warning = pathWarning(env.WEBHOOK_URL);
  if (warning !== null) output.note(`${warning}.`);
  const wanted = {
    namespace: env.WEBHOOK_NAMESPACE,
    destinationUrl: env.WEBHOOK_URL,
    authorization: env.WEBHOOK_AUTHORIZATION?.[0] ?? null,
    keys: new Map(env.WEBHOOK_AUTHORIZATION?.slice(0, 1).map((value) => [value, fingerprint(value)])),
  };
  return context.withDatabase((database) =>
    context.withProcore(database, async (client) => {
      const unlisted: string[] = [];
      const say = (line: string) => {
        unlisted.push(line);
        output.note(line);
      };
      const { scopes, left } = await selectScopes({
        ...{ client, database, signal, pausesMs: PAUSES_MS, say, note: (line) => output.note(`${line}.`) },
        companyIds: env.PROCORE_COMPANY_IDS,
        wanted: env.MIRROR_PROJECTS,
        select: isApplied ? selectCompany : planProjects,
      });
      const hooked = await listHookPlaces(database.pool, env.PROCORE_COMPANY_IDS);
      const gone = new Set(left.map(({ projectId }) => projectId));
      const leaving = hooked.filter(({ projectId }) => gone.has(projectId ?? ''));
      const progress = createProgress(scopes.length, output.note);
      try {
        const { onScope } = progress;
        const how = { client, database, catalogue, resources, signal, pausesMs: PAUSES_MS, onScope, left: leaving };
        return { scopes: reached(await work({ ...how, ...wanted, scopes })), unlisted };
      } finally {
        progress.close();
      }
    }),
  );
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
