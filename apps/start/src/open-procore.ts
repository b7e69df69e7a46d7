import { createAuth } from '@procore-mirror/auth';
import type { Database } from '@procore-mirror/database';
import { createCallBudget, createCallCounter } from '@procore-mirror/mirror';
import { createProcoreClient, type ProcoreClient } from '@procore-mirror/procore';
import { followEnv, type MainLifetime, procoreEnv, procoreHosts } from '@procore-mirror/runtime';
import { z } from 'zod';
import { companyIds } from './env.ts';
import type { Settings } from './settings.ts';

const schema = z.object({ ...procoreEnv, PROCORE_COMPANY_IDS: companyIds });

/** The Procore of these settings, for as long as the process lives; calls share the budget of all processes. */
export function openProcore(o: {
  settings: Settings;
  database: Database;
  lifetime: MainLifetime;
  say: (line: string) => void;
}): { client: ProcoreClient; companyIds: readonly string[] } {
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
  return { client, companyIds: env().PROCORE_COMPANY_IDS };
}
