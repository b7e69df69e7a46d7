// Which companies were short of calls lately, so that the time from an event to its row tells why it took long.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, listShortCompanies } from '@procore-mirror/database';
import type { Log } from '@procore-mirror/runtime';

const EVERY_MS = 5_000;

export type ShortCalls = {
  /** Were calls of the company short within the last so many ms? */
  wasShort: (companyId: string, lastMs: number) => boolean;
  close: () => Promise<void>;
};

/** Starts to look, every five seconds. */
export function watchShortCalls({ database, log }: { database: Database; log: Pick<Log, 'debug'> }): ShortCalls {
  const closing = new AbortController();
  const shortAt = new Map<string, number>();

  async function loop(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        for (const companyId of await listShortCompanies(database.pool)) shortAt.set(companyId, performance.now());
      } catch (error) {
        log.debug({ error }, 'whether calls are short could not be read; trying again');
      }
      await sleep(EVERY_MS, null, { signal: closing.signal }).catch(() => null);
    }
  }

  const running = loop();
  return {
    wasShort: (companyId, lastMs) =>
      performance.now() - (shortAt.get(companyId) ?? Number.NEGATIVE_INFINITY) <= lastMs + EVERY_MS,
    close: async () => {
      closing.abort();
      await running;
    },
  };
}
