import { type Catalogue, chooseResources, loadCatalogue } from '@procore-mirror/catalogue';
import {
  adminEnv,
  allConfigured,
  companiesEnv,
  configured,
  databaseEnv,
  logEnv,
  mirrorEnv,
  procoreEnv,
  procoreHosts,
  queueEnv,
  readEnv,
  webhookEnv,
  workerEnv,
} from '@procore-mirror/runtime';
import { z } from 'zod';

/** Of a worker that looks after no hooks; what it is told of them is checked all the same. */
export const workerSchema = z.object({
  ...logEnv,
  ...adminEnv(9465),
  ...databaseEnv,
  ...queueEnv,
  ...procoreEnv,
  ...mirrorEnv,
  ...workerEnv,
  ...webhookEnv,
  WEBHOOK_AUTHORIZATION: webhookEnv.WEBHOOK_AUTHORIZATION.optional(),
});
const hooksSchema = workerSchema.extend({ ...webhookEnv, ...companiesEnv });

export type WorkerEnv = z.infer<typeof workerSchema>;

/** Hooks are looked after where it is known where they lead; that takes companies and a secret. */
function schemaFor(env: NodeJS.ProcessEnv): typeof workerSchema | typeof hooksSchema {
  const looksAfterHooks = Boolean(env.WEBHOOK_URL?.trim()) && env.CHECK_HOOKS_EVERY_MS?.trim() !== '0';
  return looksAfterHooks ? hooksSchema : workerSchema;
}

/** What this process was started with, and what `loadDotEnv` adds. */
export const environment: NodeJS.ProcessEnv = process.env;

/** The worker's settings, what they name included. Throws one ConfigError with every problem. */
export async function readWorkerEnv(env: NodeJS.ProcessEnv): Promise<{
  env: WorkerEnv;
  loginUrl: URL;
  apiUrl: URL;
  catalogue: Catalogue;
  resources: readonly string[] | null;
}> {
  const [known, { catalogue, resources }] = await allConfigured(
    (): WorkerEnv => readEnv(schemaFor(env), env),
    () => {
      const { MIRROR_CATALOGUE: file, MIRROR_RESOURCES: names } = readEnv(z.object(mirrorEnv), env);
      const catalogue = configured('MIRROR_CATALOGUE', () => loadCatalogue(file));
      return { catalogue, resources: configured('MIRROR_RESOURCES', () => chooseResources(catalogue, names)) };
    },
  );
  return { env: known, ...procoreHosts(known), catalogue, resources };
}
