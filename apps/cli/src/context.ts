import { type Catalogue, chooseResources, loadCatalogue } from '@procore-mirror/catalogue';
import { checkDatabase, type Database, openSessions, PoolerError } from '@procore-mirror/database';
import type { ProcoreClient } from '@procore-mirror/procore';
import { addEnvSecrets, allConfigured, configured, readEnv, type Secrets } from '@procore-mirror/runtime';
import type { z } from 'zod';
import { type Env, mirrorSchema, procoreSchema, queueSchema, withStarted } from './env.ts';
import { ServerUnreachableError } from './errors.ts';
import type { Output } from './output.ts';
import { withProcore } from './with-procore.ts';

/** What every command gets. */
export type Context = {
  output: Output;
  now: () => Date;
  /** Aborted when the process is to end. */
  signal: AbortSignal;
  /** Every variable as it is set, that of a running `npm start` included. */
  variables: () => Env;
  secrets: Secrets;
  /** The environment, that of a running `npm start` included where it stands in; its secrets are not printed. Throws a ConfigError. */
  read: <S extends z.ZodObject>(schema: S) => z.infer<S>;
  /** What can be mirrored, and what the operator chose of it; null stands for all. Throws a ConfigError. */
  catalogue: () => { catalogue: Catalogue; resources: readonly string[] | null };
  /** Opens the mirror's database for the time of `work`. Throws ServerUnreachableError, DatabaseVersionError. */
  withDatabase: <T>(work: (database: Database) => Promise<T>, options?: { anyVersion?: boolean }) => Promise<T>;
  /** Signs in to Procore for the time of `work`, within the budget that all processes share. Throws ServerUnreachableError. */
  withProcore: <T>(database: Database, work: (client: ProcoreClient) => Promise<T>) => Promise<T>;
};

export function createContext(options: {
  env: Env;
  startFile: string;
  secrets: Secrets;
  signal: AbortSignal;
  output: Output;
}): Context {
  const { output, signal, secrets } = options;
  const read: Context['read'] = (schema) => {
    const known = readEnv(schema, context.variables());
    addEnvSecrets(options.secrets, schema, known);
    return known;
  };
  const context: Context = {
    output,
    now: () => new Date(),
    signal,
    secrets,
    variables: () => withStarted(options.env, options.startFile),
    read,
    catalogue: () => {
      const known = read(mirrorSchema);
      const catalogue = configured('MIRROR_CATALOGUE', () => loadCatalogue(known.MIRROR_CATALOGUE));
      const choose = () => chooseResources(catalogue, known.MIRROR_RESOURCES);
      return { catalogue, resources: configured('MIRROR_RESOURCES', choose) };
    },
    withDatabase: async (work, { anyVersion = false } = {}) => {
      // All addresses, of the queue, too, and what is mirrored, lest one problem is told after the other.
      const [{ DATABASE_URL: url, DATABASE_URL_DIRECT: directUrl }] = await allConfigured(
        () => read(queueSchema),
        () => context.catalogue(),
      );
      const sessions = { url, directUrl, applicationName: 'procore-mirror cli', max: 4 };
      const database = await configured('DATABASE_URL', () => openSessions(sessions).catch(unreached));
      try {
        if (!anyVersion) await checkDatabase(database);
        return await work(database);
      } finally {
        await database.close();
      }
    },
    withProcore: (database, work) =>
      withProcore({ ...{ database, secrets, signal, work }, env: read(procoreSchema), note: output.note }),
  };
  return context;
}

function unreached(error: unknown): never {
  if (error instanceof PoolerError || !(error instanceof Error)) throw error;
  throw new ServerUnreachableError(error.message, { cause: error.cause });
}
