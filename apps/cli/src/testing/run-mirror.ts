import { createSecrets } from '@procore-mirror/runtime';
import { z } from 'zod';
import { mirrorCommand } from '../mirror-command.ts';

export type Ran = { code: number; stdout: string; stderr: string };

/** Runs `pnpm mirror` with these arguments, in this process and with nothing but this environment. */
export async function runMirror(args: string[], env: Record<string, string>): Promise<Ran> {
  const ran = { code: -1, stdout: '', stderr: '' };
  ran.code = await mirrorCommand(args, {
    env,
    ...{ version: '1.2.3', startFile: '/nowhere/start.env', secrets: createSecrets() },
    signal: AbortSignal.timeout(120_000),
    write: (text) => {
      ran.stdout += text;
    },
    writeError: (text) => {
      ran.stderr += text;
    },
  });
  return ran;
}

/** A finding in `--json` of `status` and `doctor`. */
export const findingJson = z.strictObject({
  code: z.string().regex(/^[a-z]+(-[a-z]+)*$/),
  severity: z.enum(['error', 'warning', 'info']),
  company_id: z.string().nullable(),
  project_id: z.string().nullable(),
  resource: z.string().nullable(),
  since: z.iso.datetime({ offset: true }).nullable(),
  message: z.string().min(10),
  fix: z.string().nullable(),
});
