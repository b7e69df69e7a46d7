import { adminEnv, databaseEnv, logEnv, mirrorEnv, procoreEnv, queueEnv, workerEnv } from '@procore-mirror/runtime';
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
