import { AuthError } from '@procore-mirror/auth';
import { openProcore, troubleInWords } from '@procore-mirror/calls';
import type { Database } from '@procore-mirror/database';
import { heedScopes, usualPace } from '@procore-mirror/mirror';
import type { ProcoreClient } from '@procore-mirror/procore';
import { companiesEnv, followEnv, type MainLifetime, procoreEnv, procoreHosts } from '@procore-mirror/runtime';
import { z } from 'zod';
import type { Settings } from './settings.ts';

/** So long a call waits for a scope that is parked. */
const PATIENCE_MS = 120_000;

const schema = z.object({ ...procoreEnv, ...companiesEnv });

/** The Procore of these settings, for as long as the process lives; calls share the budget of all processes. */
export function openConfiguredProcore(options: {
  settings: Settings;
  database: Database;
  lifetime: MainLifetime;
  say: (line: string) => void;
}): {
  client: ProcoreClient;
  companyIds: readonly string[];
  /** Throws an AuthError when Procore refuses the service account; other trouble passes. */
  signIn: (signal: AbortSignal) => Promise<void>;
} {
  const { database, lifetime, say } = options;
  const env = followEnv(schema, options.settings, {
    secrets: lifetime.secrets,
    onChange: (variables) => say(`${variables.join(', ')}: read anew from its file`),
    onProblem: (problems) => say(`The last good value stays in use: ${problems.join('; ')}`),
  });
  const procore = openProcore({
    account: {
      ...procoreHosts(env()),
      credentials: () => ({ clientId: env().PROCORE_CLIENT_ID, clientSecret: env().PROCORE_CLIENT_SECRET }),
    },
    ...{ database, holder: `start/${process.pid}` },
    onSecret: (token) => lifetime.secrets.add(token),
    onTrouble: (trouble) => {
      const words = troubleInWords(trouble);
      if (words !== null) say(words);
    },
  });
  lifetime.defer('Procore', () => procore.close());
  const signIn = async (signal: AbortSignal): Promise<void> => {
    await procore.login.token(signal).catch((error: unknown) => {
      if (!(error instanceof AuthError) || error.reason === 'rejected') throw error;
    });
  };
  const heeding = heedScopes(procore.client, {
    ...{ database, parking: usualPace.parking, patienceMs: PATIENCE_MS },
    onWait: (reason) => say(`Procore does not answer; waiting until it does again (${reason})`),
  });
  return { client: heeding, companyIds: env().PROCORE_COMPANY_IDS, signIn };
}
