// The client, the call budget and the simulator in virtual time: every call takes 0.3 s, and Procore reads the record in the
// middle of it.
import { createAuth } from '@procore-mirror/auth';
import { createCallBudget, createCallCounter } from '@procore-mirror/calls';
import type { Database } from '@procore-mirror/database';
import { createProcoreClient, type ProcoreClient } from '@procore-mirror/procore';
import type { System } from '@procore-mirror/testing';
import { clockOf, type VirtualTime } from './virtual-time.ts';

type CallKind = 'show' | 'list';

export type VirtualProcore = {
  client: ProcoreClient;
  close: () => Promise<void>;
};

const CALL_MS = 300;
/** The simulator's clock, brought to the moment. */
export async function followTime(system: System, time: VirtualTime): Promise<() => Promise<void>> {
  let { nowMs: told } = await system.control<{ nowMs: number }>('POST', '/control/clock', { speed: 0 });
  let telling: Promise<unknown> = Promise.resolve();
  return async () => {
    const advanceMs = time.now() - told;
    if (advanceMs > 0) {
      told = time.now();
      telling = system.control('POST', '/control/clock', { advanceMs });
    }
    await time.during(telling);
  };
}

/** The budget looks at least so often whether there is leave. */
const LONGEST_NAP_MS = 1000;

export function connectProcore(options: {
  system: System;
  database: Database;
  time: VirtualTime;
  /** Of `followTime`: the simulator's clock is told in one way. */
  tellTime: () => Promise<void>;
  /** Names it among those that share the budget. */
  holder?: string;
  /** Told what each call was for: whose news led to it, and whether it asked for one record. */
  onCall: (resource: string, kind: CallKind) => void;
  /** Told of each request. */
  onAnswer: (status: number | null, companyId: string) => void;
  onError: (error: unknown) => void;
}): VirtualProcore {
  const { system, database, time, tellTime, holder = 'week', onError } = options;
  const { clientId, clientSecret } = system.secrets;
  const loginUrl = new URL(system.simulatorUrl);
  const auth = createAuth({ loginUrl, credentials: () => ({ clientId, clientSecret }), now: time.now });
  const budget = createCallBudget({ database, holder, onError, sleep: nap });
  const counter = createCallCounter({ database, onError, clock: clockOf(time) });
  const out: (() => void)[] = [];
  let underWay = 0;
  let answeredAt = 0;

  /** Looks at the budget between that can find nothing new, as no call was under way at the last one, are passed over. */
  function nap(ms: number, signal: AbortSignal): Promise<void> {
    const mayHaveNews = underWay > 0 || answeredAt === time.now();
    return time.sleep(mayHaveNews ? Math.min(ms, LONGEST_NAP_MS) : Math.ceil(ms), signal);
  }

  const client = createProcoreClient({
    apiUrl: loginUrl,
    token: (signal) => auth.token(signal),
    refuseToken: (token) => auth.refuse(token),
    now: time.now,
    sleep: time.sleep,
    beforeCall: async (call) => {
      await budget.beforeCall(call);
      underWay += 1;
      await time.sleep(CALL_MS / 2);
      await tellTime();
      const answered = Promise.withResolvers<void>();
      out.push(answered.resolve);
      void time.during(answered.promise);
    },
    afterCall: async (call) => {
      out.pop()?.(); // whichever: they are only counted
      await time.sleep(CALL_MS / 2);
      counter.count({ ...call, ms: CALL_MS });
      await budget.afterCall({ ...call, ms: CALL_MS });
      underWay -= 1;
      answeredAt = time.now();
      options.onAnswer(call.status, call.companyId);
    },
  });
  return {
    client: counting(client, options.onCall),
    close: async () => {
      budget.close();
      await counter.close();
      await client.close();
      await auth.close();
    },
  };
}

function counting(client: ProcoreClient, count: (resource: string, kind: CallKind) => void): ProcoreClient {
  return {
    ...client,
    get: (path, options) => {
      count(options.purpose?.resource ?? '', options.searchParams === undefined ? 'show' : 'list');
      return client.get(path, options);
    },
    pages: async function* (path, options) {
      for await (const page of client.pages(path, options)) {
        count(options.purpose?.resource ?? '', 'list');
        yield page;
      }
    },
  };
}
