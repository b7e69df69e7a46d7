import { ConfigError } from './errors.ts';

/**
 * Does work on what a variable names, or waits for it. An error that lists its `problems` becomes a ConfigError that names the
 * variable; others pass.
 */
export function configured<T>(variable: string, work: () => T): T {
  try {
    const done = work();
    return done instanceof Promise ? (done.catch((error) => explain(variable, error)) as T) : done; // a promise of the same
  } catch (error) {
    return explain(variable, error);
  }
}

function explain(variable: string, cause: unknown): never {
  if (!listsProblems(cause)) throw cause;
  throw new ConfigError(
    cause.problems.map((problem) => `${variable}: ${problem}`),
    { cause },
  );
}

function listsProblems(error: unknown): error is Error & { problems: readonly string[] } {
  return error instanceof Error && 'problems' in error && Array.isArray(error.problems);
}

/**
 * Does all of it, one after the other, whatever fails, and returns what each returned. Throws one ConfigError with the problems of
 * all that threw one; another error passes unless there are such.
 */
export async function allConfigured<Results extends readonly unknown[]>(
  ...works: { [K in keyof Results]: () => Results[K] | Promise<Results[K]> }
): Promise<Results> {
  const results: unknown[] = [];
  const problems = new Set<string>();
  const others: unknown[] = [];
  for (const work of works) {
    try {
      results.push(await work());
    } catch (error) {
      if (!(error instanceof ConfigError)) others.push(error);
      else for (const problem of error.problems) problems.add(problem);
    }
  }
  if (problems.size > 0) throw new ConfigError([...problems]);
  if (others.length > 0) throw others[0];
  return results as readonly unknown[] as Results; // one of each work, in their order
}
