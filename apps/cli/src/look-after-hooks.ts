// What `hooks plan`, `hooks apply` and `hooks status` share: the scopes looked at, and what is told of them.
import { listScopes, type planAllHooks, type ScopeHooks } from '@procore-mirror/mirror';
import { allConfigured, pathWarning, procoreHosts } from '@procore-mirror/runtime';
import type { Context } from './context.ts';
import { type applyHooksSchema, type hooksSchema, procoreSchema } from './env.ts';
import { type ExitCode, exitCode } from './exit-code.ts';

export type FoundHooks = {
  scopes: readonly ScopeHooks[];
  /** Companies whose projects could not be listed, in words. */
  unlisted: readonly string[];
};

/** Plans or applies the hooks of the companies that are configured, and of their projects. */
export async function lookAfterHooks(
  context: Context,
  schema: typeof applyHooksSchema | typeof hooksSchema,
  work: typeof planAllHooks,
): Promise<FoundHooks> {
  const { output, signal } = context;
  const [env, { catalogue, resources }] = await allConfigured(
    () => context.read(schema),
    () => context.catalogue(),
    () => procoreHosts(context.read(procoreSchema)),
  );
  const warning = pathWarning(env.WEBHOOK_URL);
  if (warning !== null) output.note(`${warning}.`);
  const how = {
    namespace: env.WEBHOOK_NAMESPACE,
    destinationUrl: env.WEBHOOK_URL,
    authorization: env.WEBHOOK_AUTHORIZATION?.[0] ?? null,
  };
  return context.withDatabase((database) =>
    context.withProcore(database, async (client) => {
      const unlisted: string[] = [];
      const say = (line: string) => {
        unlisted.push(line);
        output.note(line);
      };
      const companyIds = env.PROCORE_COMPANY_IDS;
      const scopes = await listScopes({ client, companyIds, catalogue, resources, signal, say });
      return { scopes: await work({ client, catalogue, scopes, resources, signal, ...how }), unlisted };
    }),
  );
}

/** Of a command for which these scopes are not as they should be. */
export function exitCodeOf({ scopes, unlisted }: FoundHooks, isWrong: (scope: ScopeHooks) => boolean): ExitCode {
  if (scopes.some((scope) => scope.isUnreached)) return exitCode.serverUnreachable;
  const isAllWell = unlisted.length === 0 && !scopes.some((scope) => scope.trouble !== null || isWrong(scope));
  return isAllWell ? exitCode.fine : exitCode.foundSomethingWrong;
}
