import type { z } from 'zod';
import { addEnvSecrets } from './add-env-secrets.ts';
import { ConfigError } from './errors.ts';
import { readEnv } from './read-env.ts';
import type { Secrets } from './secrets.ts';
import { variableOf } from './variable.ts';

const LOOK_EVERY_MS = 1_000;

/**
 * Reads the variables of the schema as `readEnv` does, and returns a function that gives them as they are now: files
 * that `KEY_FILE` names are read again when it is called, at most once a second, so that a secret is replaced without a
 * restart. A value is known to `secrets` before it is given out. While a file cannot be read or holds no good value,
 * what was last good is given out. Throws a ConfigError when there is nothing good to begin with.
 */
export function followEnv<S extends z.ZodObject>(
  schema: S,
  env: Record<string, string | undefined>,
  options: {
    secrets: Secrets;
    /** Told the names of variables whose values changed. */
    onChange: (variables: readonly string[]) => void;
    /** Told once why a file is of no use now. */
    onProblem: (problems: readonly string[]) => void;
    now?: () => number;
  },
): () => z.infer<S> {
  const { secrets, now = () => performance.now() } = options;
  let current = readEnv(schema, env);
  let problem: string | null = null;
  let lookedAt = now();
  addEnvSecrets(secrets, schema, current);

  function look(): void {
    try {
      const found = readEnv(schema, env);
      addEnvSecrets(secrets, schema, found);
      problem = null;
      const changed = changedBetween(schema, current, found);
      if (changed.length === 0) return;
      current = found;
      options.onChange(changed);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const isNews = problem !== error.message;
      problem = error.message;
      if (isNews) options.onProblem(error.problems);
    }
  }

  return () => {
    if (now() - lookedAt >= LOOK_EVERY_MS) {
      lookedAt = now();
      look();
    }
    return current;
  };
}

/** Only what may come from a file can change while the process lives. */
function changedBetween<S extends z.ZodObject>(schema: S, before: z.infer<S>, after: z.infer<S>): string[] {
  const [old, young]: Record<string, unknown>[] = [before, after];
  return Object.entries(schema.shape).flatMap(([key, field]) =>
    variableOf(field).file && JSON.stringify(old?.[key]) !== JSON.stringify(young?.[key]) ? [key] : [],
  );
}
