import { type Catalogue, chooseResources, loadCatalogue } from '@procore-mirror/catalogue';
import {
  adminEnv,
  allConfigured,
  configured,
  databaseEnv,
  logEnv,
  mirrorEnv,
  procoreEnv,
  procoreHosts,
  queueEnv,
  readEnv,
  workerEnv,
} from '@procore-mirror/runtime';
import { z } from 'zod';

export const workerSchema = z.object({
  ...logEnv,
  ...adminEnv(9465),
  ...databaseEnv,
  ...queueEnv,
  ...procoreEnv,
  ...mirrorEnv,
  ...workerEnv,
});

/** What this process was started with, and what `loadDotEnv` adds. */
export const environment: NodeJS.ProcessEnv = process.env;

/** The worker's settings, what they name included. Throws one ConfigError with every problem. */
export async function readWorkerEnv(env: NodeJS.ProcessEnv): Promise<{
  env: z.infer<typeof workerSchema>;
  loginUrl: URL;
  apiUrl: URL;
  catalogue: Catalogue;
  resources: readonly string[] | null;
}> {
  const [known, { catalogue, resources }] = await allConfigured(
    () => readEnv(workerSchema, env),
    () => {
      const { MIRROR_CATALOGUE: file, MIRROR_RESOURCES: names } = readEnv(z.object(mirrorEnv), env);
      const catalogue = configured('MIRROR_CATALOGUE', () => loadCatalogue(file));
      return { catalogue, resources: configured('MIRROR_RESOURCES', () => chooseResources(catalogue, names)) };
    },
  );
  return { env: known, ...procoreHosts(known), catalogue, resources };
}
