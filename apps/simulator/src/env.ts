import { readEnv } from '@procore-mirror/runtime';
import { z } from 'zod';
import type { SimulatorOptions } from './create-simulator.ts';
import { type SettingsInput, settingsChange } from './settings.ts';

const schema = z.object({
  SIMULATOR_PORT: z.coerce.number().int().min(0).max(65_535).default(4000).describe('Port; 0 for any free one.'),
  SIMULATOR_HOST: z.string().default('127.0.0.1').describe('Address to listen on.'),
  SIMULATOR_CLIENT_ID: z.string().default('simulator').describe('Client id of the service account.'),
  SIMULATOR_CLIENT_SECRET: z.string().default('simulator-secret').describe('Its secret; nothing real.'),
  SIMULATOR_COMPANY_ID: z
    .string()
    .regex(/^\d{1,19}$/, 'must be digits')
    .default('598134325683880')
    .describe('Id of the company to begin with.'),
  SIMULATOR_PROJECTS: z.coerce.number().int().min(0).max(5000).default(3).describe('Its projects.'),
  SIMULATOR_SEED: z.coerce.number().int().default(1).describe('The same seed gives the same company.'),
  SIMULATOR_STATE_FILE: z
    .string()
    .optional()
    .describe('Where its state is kept, to go on from at the next start; in memory only when unset.'),
  SIMULATOR_LIFE: z.enum(['on', 'off']).default('off').describe('on: people keep editing.'),
  SIMULATOR_EDITS_PER_MINUTE: z.coerce.number().min(0).default(20).describe('How much, when they do.'),
  SIMULATOR_SETTINGS: z
    .string()
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        context.addIssue({ code: 'custom', message: 'must be JSON' });
        return z.NEVER;
      }
    })
    .pipe(settingsChange)
    .default({})
    .describe('Settings as JSON, as in PATCH /control/settings.'),
});

/** The options that the environment asks for; throws ConfigError. */
export function simulatorOptions(env: Record<string, string | undefined>): SimulatorOptions {
  const found = readEnv(schema, env);
  const settings: SettingsInput = {
    ...(found.SIMULATOR_LIFE === 'on' && { editsPerMinute: found.SIMULATOR_EDITS_PER_MINUTE }),
    ...found.SIMULATOR_SETTINGS,
  };
  return {
    port: found.SIMULATOR_PORT,
    host: found.SIMULATOR_HOST,
    seed: found.SIMULATOR_SEED,
    client: { id: found.SIMULATOR_CLIENT_ID, secret: found.SIMULATOR_CLIENT_SECRET },
    stateFile: found.SIMULATOR_STATE_FILE,
    companies: [{ companyId: found.SIMULATOR_COMPANY_ID, projects: found.SIMULATOR_PROJECTS }],
    settings,
  };
}
