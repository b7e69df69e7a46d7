// While no token is to be had a batch could only fail, so none is taken, and for all to see everything is parked with that reason.
import { type Auth, pauseBeforeProbeMs } from '@procore-mirror/auth';
import { type Database, endNoToken, parkForNoToken } from '@procore-mirror/database';

export type LoginWatch = {
  /**
   * Is a token to be had, as far as is known? Asks for one when the login was in trouble last, which costs nothing but when a probe of
   * it is due. Throws what the database throws.
   */
  canSignIn: (signal: AbortSignal) => Promise<boolean>;
};

/**
 * Who has a token frees what this parks, with a call for each time: that of another process, or one that this process made with its
 * last token. So it is parked again while the trouble lasts, ever more rarely.
 */
const PARK_AGAIN = { leastMs: 5_000, longestMs: 600_000 };

/** Watches the login of this process. */
export function createLoginWatch(options: {
  database: Database;
  login: Pick<Auth, 'token' | 'trouble'>;
  now?: () => number;
}): LoginWatch {
  const { database, login, now = () => performance.now() } = options;
  let parked: { since: number; againAt: number } | null = null;

  async function park(): Promise<void> {
    const at = now();
    if (parked !== null && at < parked.againAt) return;
    await parkForNoToken(database, login.trouble() ?? 'no token is to be had');
    const since = parked?.since ?? at;
    parked = { since, againAt: at + pauseBeforeProbeMs(at - since, PARK_AGAIN) };
  }

  async function end(): Promise<void> {
    if (parked === null) return;
    await endNoToken(database);
    parked = null;
  }

  return {
    canSignIn: async (signal) => {
      const hasToken = login.trouble() === null || (await isToBeHad(login, signal));
      if (hasToken) await end();
      else if (!signal.aborted) await park();
      return hasToken;
    },
  };
}

async function isToBeHad(login: Pick<Auth, 'token'>, signal: AbortSignal): Promise<boolean> {
  return await login.token(signal).then(
    () => true,
    () => false, // the login tells of its trouble itself
  );
}
