import { checkDatabase, type Database, openDatabase } from '@procore-mirror/database';
import { type Catalogue, chooseResources, loadCatalogue } from '@procore-mirror/mirror';
import { addEnvSecrets, configured, readEnv, type Secrets } from '@procore-mirror/runtime';
import { databaseSchema, type Env, mirrorSchema, withStarted } from './env.ts';
import { ServerUnreachableError } from './errors.ts';
import type { Output } from './output.ts';

/** What every command gets. */
export type Context = {
  output: Output;
  now: () => Date;
  /** The environment, that of a running `npm start` included where it stands in. Throws a ConfigError. */
  env: () => Env;
  /** Throws a ConfigError. */
  databaseUrl: () => string;
  /** What can be mirrored, and what the operator chose of it; null stands for all. Throws a ConfigError. */
  catalogue: () => { catalogue: Catalogue; resources: readonly string[] | null };
  /** Opens the mirror's database for the time of `work`. Throws ServerUnreachableError, DatabaseVersionError. */
  withDatabase: <T>(work: (database: Database) => Promise<T>, o?: { anyVersion?: boolean }) => Promise<T>;
};

export function createContext(o: { env: Env; startFile: string; secrets: Secrets; output: Output }): Context {
  const env = () => withStarted(o.env, o.startFile);
  const databaseUrl = () => {
    const known = readEnv(databaseSchema, env());
    addEnvSecrets(o.secrets, databaseSchema, known);
    return known.DATABASE_URL;
  };
  return {
    output: o.output,
    now: () => new Date(),
    env,
    databaseUrl,
    catalogue: () => {
      const known = readEnv(mirrorSchema, env());
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
    throw new ServerUnreachableError(`Postgres at ${hostOf(url)} did not let us in`, { cause });
  }
}

function hostOf(url: string): string {
  const { host, pathname } = URL.parse(url) ?? { host: 'DATABASE_URL', pathname: '' };
  return `${host}${pathname}`;
}
