import { ConfigError } from './errors.ts';

/**
 * Does work on what a variable names. An error that lists its `problems` becomes a ConfigError that names the variable;
 * others pass.
 */
export function configured<T>(variable: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!listsProblems(cause)) throw cause;
    throw new ConfigError(
      cause.problems.map((problem) => `${variable}: ${problem}`),
      { cause },
    );
  }
}

function listsProblems(error: unknown): error is Error & { problems: readonly string[] } {
  return error instanceof Error && 'problems' in error && Array.isArray(error.problems);
}
