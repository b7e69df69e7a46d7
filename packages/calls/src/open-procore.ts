import { type Auth, type AuthError, createAuth } from '@procore-mirror/auth';
import type { Database, Lane } from '@procore-mirror/database';
import { createProcoreClient, type ProcoreClient } from '@procore-mirror/procore';
import { type CallBudget, createCallBudget } from './call-budget.ts';
import { createCallCounter } from './call-counter.ts';

/** What goes wrong on the way to Procore and heals by itself, or by a person; calls wait or fail meanwhile. */
export type CallTrouble =
  /** Signing in fails, in another way than before, or (null) works again. */
  | { kind: 'login'; error: AuthError | null }
  /** Procore refused a call of the company for now. */
  | { kind: 'pause'; companyId: string; status: number | null; pauseMs: number }
  /** The shared budget cannot be read, or calls cannot be entered; either is tried again. */
  | { kind: 'budget' | 'counter'; error: unknown };

export type OpenProcore = {
  client: ProcoreClient;
  login: Pick<Auth, 'token' | 'trouble'>;
  /** How many calls of each lane wait for leave now. */
  waiting: CallBudget['waiting'];
  /** Ends calls under way and enters those that were made. */
  close: () => Promise<void>;
};

/** The way of all our calls: signed in as the service account, within the budget that all processes share, and written down. */
export function openProcore(options: {
  account: { loginUrl: URL; apiUrl: URL; credentials: Parameters<typeof createAuth>[0]['credentials'] };
  database: Database;
  /** Names this process among those that share the budget. */
  holder: string;
  /** Told each access token before anyone else. */
  onSecret: (token: string) => void;
  /** Told of each request that was sent; status null: it got no answer. */
  onCall?: (call: { lane: Lane; status: number | null }) => void;
  /** Told when the login server refuses the credentials, and when Procore refuses a token that it gave. */
  onTokenRefused?: (by: 'login' | 'api') => void;
  onTrouble: (trouble: CallTrouble) => void;
}): OpenProcore {
  const { account, database, holder, onSecret, onCall, onTokenRefused, onTrouble } = options;
  const auth = createAuth({
    loginUrl: account.loginUrl,
    credentials: account.credentials,
    onSecret,
    onTrouble: (error) => onTrouble({ kind: 'login', error }),
    onRejected: () => onTokenRefused?.('login'),
  });
  const budget = createCallBudget({
    database,
    holder,
    onError: (error) => onTrouble({ kind: 'budget', error }),
    onPause: (pause) => onTrouble({ kind: 'pause', ...pause }),
  });
  const counter = createCallCounter({ database, onError: (error) => onTrouble({ kind: 'counter', error }) });
  const client = createProcoreClient({
    apiUrl: account.apiUrl,
    token: (signal) => auth.token(signal),
    refuseToken: (token) => {
      onTokenRefused?.('api');
      auth.refuse(token);
    },
    beforeCall: budget.beforeCall,
    afterCall: (call) => {
      if (call.isSent) onCall?.({ lane: call.purpose?.lane ?? 'live', status: call.status });
      counter.count(call);
      return budget.afterCall(call);
    },
  });
  return {
    client,
    login: auth,
    waiting: budget.waiting,
    close: async () => {
      await client.close();
      await counter.close();
      budget.close();
      await auth.close();
    },
  };
}

/** What to tell who watches; null: it shows where it matters, sign-in at once, a pause as a wait. */
export function troubleInWords(trouble: CallTrouble): string | null {
  if (trouble.kind === 'budget') return `The call budget could not be read: ${messageOf(trouble.error)}`;
  return trouble.kind === 'counter' ? `Calls could not be counted: ${messageOf(trouble.error)}` : null;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
