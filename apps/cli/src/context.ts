import { serverOf } from '@procore-mirror/address';
import { checkDatabase, type Database, openSessions, PoolerError } from '@procore-mirror/database';
import { type Catalogue, chooseResources, loadCatalogue } from '@procore-mirror/mirror';
import { addEnvSecrets, configured, readEnv, type Secrets } from '@procore-mirror/runtime';
import { type Env, mirrorSchema, queueSchema, withStarted } from './env.ts';
import { ServerUnreachableError } from './errors.ts';
import type { Output } from './output.ts';

/** What every command gets. */
export type Context = {
  output: Output;
  now: () => Date;
  /** The environment, that of a running `npm start` included where it stands in. Throws a ConfigError. */
  env: () => Env;
  /** What can be mirrored, and what the operator chose of it; null stands for all. Throws a ConfigError. */
  catalogue: () => { catalogue: Catalogue; resources: readonly string[] | null };
  /** Opens the mirror's database for the time of `work`. Throws ServerUnreachableError, DatabaseVersionError. */
  withDatabase: <T>(work: (database: Database) => Promise<T>, o?: { anyVersion?: boolean }) => Promise<T>;
};

export function createContext(o: { env: Env; startFile: string; secrets: Secrets; output: Output }): Context {
  const env = () => withStarted(o.env, o.startFile);
  return {
    output: o.output,
    now: () => new Date(),
    env,
    catalogue: () => {
      const known = readEnv(mirrorSchema, env());
      const catalogue = configured('MIRROR_CATALOGUE', () => loadCatalogue(known.MIRROR_CATALOGUE));
      const choose = () => chooseResources(catalogue, known.MIRROR_RESOURCES);
      return { catalogue, resources: configured('MIRROR_RESOURCES', choose) };
    },
    withDatabase: async (work, { anyVersion = false } = {}) => {
      // All addresses, of the queue, too, lest one problem is told after the other.
      const known = readEnv(queueSchema, env());
      addEnvSecrets(o.secrets, queueSchema, known);
      const { DATABASE_URL: url, DATABASE_URL_DIRECT: directUrl } = known;
      const options = { url, directUrl, applicationName: 'procore-mirror cli', max: 4 };
      const database = await configured('DATABASE_URL', () =>
        openSessions(options).catch((error) => unreached(url, error)),
      );
      try {
        if (!anyVersion) await checkDatabase(database);
        return await work(database);
      } finally {
        await database.close();
      }
    },
  };
}

function unreached(url: string, cause: unknown): never {
  if (cause instanceof PoolerError) throw cause;
  throw new ServerUnreachableError(`Postgres at ${serverOf(url)} did not let us in`, { cause });
}
