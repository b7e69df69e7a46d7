import type { Context } from './context.ts';
import type { ExitCode } from './exit-code.ts';

/** Runs a command's work and keeps its exit code. */
export type Run = (options: { json?: boolean }, work: (context: Context) => Promise<ExitCode>) => Promise<void>;
