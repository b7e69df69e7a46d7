import type { z } from 'zod';
import {
  adminEnv,
  databaseEnv,
  ingestEnv,
  logEnv,
  mirrorEnv,
  procoreEnv,
  queueEnv,
  webhookEnv,
  workerEnv,
} from './environment.ts';
import { variableOf } from './variable.ts';

const ALL = {
  ...{ ...databaseEnv, ...queueEnv, ...procoreEnv, ...mirrorEnv, ...webhookEnv, ...ingestEnv },
  ...{ ...workerEnv, ...adminEnv(9464), ...logEnv },
} satisfies z.core.$ZodShape;

/** Every variable that a process reads; `takesFile`: its name and `_FILE` may name a file that holds it. */
export const everyVariable: readonly { name: string; field: z.ZodType; takesFile: boolean }[] = Object.entries(ALL).map(
  ([name, field]) => ({ name, field, takesFile: variableOf(field).file }),
);
