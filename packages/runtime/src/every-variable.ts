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

/** The variables of all processes, as they are told of together. */
export const variableSections = {
  Database: databaseEnv,
  Queue: queueEnv,
  Procore: procoreEnv,
  'What is mirrored': mirrorEnv,
  'Hooks and their receiver': { ...webhookEnv, ...ingestEnv },
  Worker: workerEnv,
  'Health and metrics': adminEnv(9464),
  Log: logEnv,
} satisfies Record<string, z.core.$ZodShape>;

/** Every variable that a process reads; `takesFile`: its name and `_FILE` may name a file that holds it. */
export const everyVariable: readonly { name: string; field: z.ZodType; takesFile: boolean }[] = Object.values(
  variableSections,
).flatMap((section) =>
  Object.entries(section).map(([name, field]) => ({ name, field, takesFile: variableOf(field).file })),
);
