import { AuthError, createAuth } from '@procore-mirror/auth';
import { createCallBudget, createCallCounter } from '@procore-mirror/calls';
import type { Database } from '@procore-mirror/database';
import { heedScopes, usualPace } from '@procore-mirror/mirror';
import { createProcoreClient, type ProcoreClient } from '@procore-mirror/procore';
import { followEnv, type MainLifetime, procoreEnv, procoreHosts } from '@procore-mirror/runtime';
import { z } from 'zod';
import { companyIds } from './env.ts';
import type { Settings } from './settings.ts';

/** So long a call waits for a scope that is parked. */
const PATIENCE_MS = 120_000;

const schema = z.object({ ...procoreEnv, PROCORE_COMPANY_IDS: companyIds });

/** The Procore of these settings, for as long as the process lives; calls share the budget of all processes. */
export function openProcore(o: {
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
  const { database, lifetime, say } = o;
  const env = followEnv(schema, o.settings, {
    secrets: lifetime.secrets,
    onChange: (variables) => say(`${variables.join(', ')}: read anew from its file`),
    onProblem: (problems) => say(`The last good value stays in use: ${problems.join('; ')}`),
  });
  const { loginUrl, apiUrl } = procoreHosts(env());
  const auth = createAuth({
    loginUrl,
    credentials: () => ({ clientId: env().PROCORE_CLIENT_ID, clientSecret: env().PROCORE_CLIENT_SECRET }),
    onSecret: (token) => lifetime.secrets.add(token),
  });
  lifetime.defer('service account', () => auth.close());
  const budget = createCallBudget({
    database,
    holder: `start/${process.pid}`,
    onError: (error) => say(`The call budget could not be read: ${error instanceof Error ? error.message : error}`),
  });
  lifetime.defer('call budget', () => budget.close());
  const counter = createCallCounter({
    database,
    onError: (error) => say(`Calls could not be counted: ${error instanceof Error ? error.message : error}`),
  });
  lifetime.defer('call counter', () => counter.close());
  const client = createProcoreClient({
    apiUrl,
    token: (signal) => auth.token(signal),
    refuseToken: (token) => auth.refuse(token),
    beforeCall: budget.beforeCall,
    afterCall: (call) => {
      counter.count(call);
      return budget.afterCall(call);
    },
  });
  lifetime.defer('Procore client', () => client.close());
  const signIn = async (signal: AbortSignal): Promise<void> => {
    await auth.token(signal).catch((error: unknown) => {
      if (!(error instanceof AuthError) || error.reason === 'rejected') throw error;
    });
  };
  const heeding = heedScopes(client, {
    ...{ database, parking: usualPace.parking, patienceMs: PATIENCE_MS },
    onWait: (reason) => say(`Procore does not answer; waiting until it does again (${reason})`),
  });
  return { client: heeding, companyIds: env().PROCORE_COMPANY_IDS, signIn };
}
