// What commands have in common that ask the workers for long work on a part of the mirror, and watch it.
import type { Catalogue } from '@procore-mirror/catalogue';
import type { Database } from '@procore-mirror/database';
import { isWorkerThere, type Scope, type WorkEnd } from '@procore-mirror/mirror';
import { allConfigured, procoreHosts } from '@procore-mirror/runtime';
import type { PartOptions } from './check-part.ts';
import type { Context } from './context.ts';
import { backfillSchema, procoreSchema } from './env.ts';
import { ServerUnreachableError } from './errors.ts';
import { companiesOf, findScopes } from './find-scopes.ts';

/** What a command is about, as its options and the environment say. */
export type ChosenPart = {
  catalogue: Catalogue;
  /** Those that are mirrored; null for all. */
  resources: readonly string[] | null;
  companyIds: readonly string[];
  projectId: string | undefined;
  resource: string | undefined;
  /** As in MIRROR_PROJECTS. */
  wanted: 'active' | readonly string[];
};

/** Throws a ConfigError with all that is wrong, and a UsageError for a company that is not configured. */
export async function choosePart(context: Context, { company, project, resource }: PartOptions): Promise<ChosenPart> {
  const [env, { catalogue, resources }] = await allConfigured(
    () => context.read(backfillSchema),
    () => context.catalogue(),
    () => procoreHosts(context.read(procoreSchema)),
  );
  const companyIds = companiesOf(env.PROCORE_COMPANY_IDS, company);
  return { catalogue, resources, companyIds, projectId: project, resource, wanted: env.MIRROR_PROJECTS };
}

/** `work` with the scopes of the part, as Procore lists them now. */
export async function withScopes<T>(
  context: Context,
  options: PartOptions,
  work: (at: {
    database: Database;
    part: ChosenPart;
    scopes: readonly Scope[];
    /** Companies whose projects could not be listed. */
    unlisted: readonly string[];
  }) => Promise<T>,
): Promise<T> {
  const part = await choosePart(context, options);
  return context.withDatabase(async (database) => {
    const found = await context.withProcore(database, (client) => findScopes(context, { client, database, ...part }));
    return work({ database, part, ...found });
  });
}

/**
 * What came of work that the workers were asked for, when it is over or this process is told to end; with --detach at once null, and the
 * `answer` is printed. Throws ServerUnreachableError where no worker was seen, or the database does not answer any more.
 */
export async function watchWorkers<W extends { end: WorkEnd }>(
  { output, signal }: Context,
  asked: {
    database: Database;
    command: string;
    detach: boolean | undefined;
    answer: { json: object; words: string };
    watch: () => Promise<W>;
  },
): Promise<W | null> {
  const { database, command, answer } = asked;
  const noWorker = () =>
    new ServerUnreachableError('no worker was seen for 30 s', {
      fix: `start one (\`pnpm worker\`): what was asked for is kept, and \`pnpm mirror ${command}\` shows how far it is`,
    });
  if (asked.detach === true) {
    if (!(await isWorkerThere(database))) throw noWorker();
    output.result({ state: 'under way', ...answer.json }, () => answer.words);
    return null;
  }
  const watched = await asked.watch().catch((cause: unknown) => {
    signal.throwIfAborted();
    throw new ServerUnreachableError('the database does not answer any more', { cause });
  });
  if (watched.end === 'no worker') throw noWorker();
  return watched;
}
