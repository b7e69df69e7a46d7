import { AuthError } from '@procore-mirror/auth';
import { type OpenProcore, openProcore, troubleInWords } from '@procore-mirror/calls';
import type { Database } from '@procore-mirror/database';
import { heedScopes, usualPace } from '@procore-mirror/mirror';
import type { ProcoreClient } from '@procore-mirror/procore';
import { procoreHosts, type Secrets } from '@procore-mirror/runtime';
import type { z } from 'zod';
import type { procoreSchema } from './env.ts';
import { ServerUnreachableError } from './errors.ts';

/**
 * Signs in for the time of `work`. Its calls share the budget of all processes and leave parked scopes alone; where everything is
 * parked a call throws ServerUnreachableError, as signing in does where that fails.
 */
export async function withProcore<T>(options: {
  env: z.infer<typeof procoreSchema>;
  database: Database;
  secrets: Secrets;
  signal: AbortSignal;
  note: (line: string) => void;
  work: (client: ProcoreClient) => Promise<T>;
}): Promise<T> {
  const { database, signal, work } = options;
  const procore = openAccount(options);
  try {
    await procore.login.token(signal).catch(unreached);
    const client = heedScopes(procore.client, {
      ...{ database, parking: usualPace.parking, patienceMs: 0 },
      onWait: (reason) => {
        throw new ServerUnreachableError(`Procore does not answer, so it is left alone for a while (${reason})`, {
          fix: 'see `pnpm mirror status`, and try again later',
        });
      },
    });
    return await work(client);
  } finally {
    await procore.close();
  }
}

/** The way of a command's calls, with nothing asked yet. To be closed. */
export function openAccount(options: {
  env: z.infer<typeof procoreSchema>;
  database: Database;
  secrets: Secrets;
  note: (line: string) => void;
  onCall?: () => void;
}): OpenProcore {
  const { env, database, secrets, note, onCall } = options;
  return openProcore({
    account: accountOf(env),
    ...{ database, holder: `cli/${process.pid}` },
    onSecret: (token) => secrets.add(token),
    ...(onCall !== undefined && { onCall }),
    onTrouble: (trouble) => {
      const words = troubleInWords(trouble);
      if (words !== null) note(words);
    },
  });
}

/** Where to sign in, and as whom. */
export function accountOf(env: z.infer<typeof procoreSchema>): Parameters<typeof openProcore>[0]['account'] {
  return {
    ...procoreHosts(env),
    credentials: () => ({ clientId: env.PROCORE_CLIENT_ID, clientSecret: env.PROCORE_CLIENT_SECRET }),
  };
}

function unreached(error: unknown): never {
  if (!(error instanceof AuthError)) throw error;
  const options = { cause: error.cause };
  if (error.reason === 'unreachable') throw new ServerUnreachableError(error.message, options);
  throw new ServerUnreachableError(error.message, {
    ...options,
    fix: 'correct the credentials of the service account',
  });
}
