import { checkDatabase, type Database, openDatabase } from '@procore-mirror/database';
import { type Catalogue, chooseResources, loadCatalogue } from '@procore-mirror/mirror';
import { addEnvSecrets, configured, readEnv, type Secrets, serverIn } from '@procore-mirror/runtime';
import type { z } from 'zod';
import { databaseSchema, type Env, mirrorSchema, withStarted } from './env.ts';
import { ServerUnreachableError } from './errors.ts';
import type { Output } from './output.ts';

/** What every command gets. */
export type Context = {
  output: Output;
  now: () => Date;
  /** The environment, that of a running `npm start` included where it stands in; its secrets are not printed. Throws a ConfigError. */
  read: <S extends z.ZodObject>(schema: S) => z.infer<S>;
  /** Throws a ConfigError. */
  databaseUrl: () => string;
  /** What can be mirrored, and what the operator chose of it; null stands for all. Throws a ConfigError. */
  catalogue: () => { catalogue: Catalogue; resources: readonly string[] | null };
  /** Opens the mirror's database for the time of `work`. Throws ServerUnreachableError, DatabaseVersionError. */
  withDatabase: <T>(work: (database: Database) => Promise<T>, o?: { anyVersion?: boolean }) => Promise<T>;
};

export function createContext(o: { env: Env; startFile: string; secrets: Secrets; output: Output }): Context {
  const read: Context['read'] = (schema) => {
    const known = readEnv(schema, withStarted(o.env, o.startFile));
    addEnvSecrets(o.secrets, schema, known);
    return known;
  };
  const databaseUrl = () => read(databaseSchema).DATABASE_URL;
  return {
    output: o.output,
    now: () => new Date(),
    read,
    databaseUrl,
    catalogue: () => {
      const known = read(mirrorSchema);
      const catalogue = configured('MIRROR_CATALOGUE', () => loadCatalogue(known.MIRROR_CATALOGUE));
      const choose = () => chooseResources(catalogue, known.MIRROR_RESOURCES);
      return { catalogue, resources: configured('MIRROR_RESOURCES', choose) };
    },
    withDatabase: async (work, { anyVersion = false } = {}) => {
      const url = databaseUrl();
      const database = openDatabase({ url, applicationName: 'procore-mirror cli', max: 4 });
      try {
        await connectOnce(database, url);
        if (!anyVersion) await checkDatabase(database);
        return await work(database);
      } finally {
        await database.close();
      }
    },
  };
}

async function connectOnce(database: Database, url: string): Promise<void> {
  try {
    (await database.pool.connect()).release();
  } catch (cause) {
    throw new ServerUnreachableError(`Postgres at ${serverIn(url)} did not let us in`, { cause });
  }
}
