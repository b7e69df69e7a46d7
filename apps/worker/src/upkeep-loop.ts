// Does what migrations left, beside everything else: indexes of filled tables and fillings, one at a time across all workers.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  claimUpkeep,
  type Database,
  doUpkeep,
  endUpkeep,
  putBackUpkeep,
  renewUpkeep,
  type Upkeep,
} from '@procore-mirror/database';
import type { Log } from '@procore-mirror/runtime';

export type UpkeepOptions = {
  database: Database;
  /** Of the same database: statements have a connection of their own. */
  url: string;
  /** Names this process in the leases. */
  holder: string;
  log: Pick<Log, 'info' | 'warn'>;
  /** What a dead worker had begun is taken over after this long, ms. */
  leaseMs?: number;
  /** How often it looks whether something is left, ms. */
  lookEveryMs?: number;
};

/** Starts to do what is left. `close` ends the statement under way; it is begun again by whoever is there. */
export function startUpkeep(options: UpkeepOptions): { close: () => Promise<void> } {
  const { database, url, holder, log, leaseMs = 15_000, lookEveryMs = 5_000 } = options;
  const closing = new AbortController();

  async function loop(): Promise<void> {
    while (!closing.signal.aborted) {
      const upkeep = await claim();
      if (upkeep !== null) await work(upkeep);
      else await sleep(lookEveryMs, null, { signal: closing.signal }).catch(() => null);
    }
  }

  async function claim(): Promise<Upkeep | null> {
    try {
      return await claimUpkeep(database, { holder, leaseMs });
    } catch (error) {
      log.warn({ error }, 'what migrations left could not be read; trying again');
      return null;
    }
  }

  async function work(upkeep: Upkeep): Promise<void> {
    const lost = new AbortController();
    const signal = AbortSignal.any([lost.signal, closing.signal]);
    const renew = async (rows?: number): Promise<void> => {
      const isOurs = await renewUpkeep(database, upkeep, { holder, leaseMs, ...(rows !== undefined && { rows }) });
      if (!isOurs) lost.abort(new Error('another worker took it, or it is not wanted any more'));
    };
    const renewal = setInterval(() => {
      renew().catch((error: unknown) =>
        log.warn({ ...keysOf(upkeep), error }, 'the lease of upkeep could not be renewed'),
      );
    }, leaseMs / 3);
    log.info(keysOf(upkeep), 'upkeep begins');
    try {
      const outcome = await doUpkeep(database, { upkeep, url, signal, onRows: renew });
      await endUpkeep(database, upkeep, { holder, error: null });
      log.info({ ...keysOf(upkeep), outcome }, 'upkeep is done');
    } catch (error) {
      if (closing.signal.aborted) log.info(keysOf(upkeep), 'upkeep is stopped; it goes on with a worker');
      else log.warn({ ...keysOf(upkeep), error }, 'upkeep failed; it is tried again');
      await giveBack(upkeep, error);
    } finally {
      clearInterval(renewal);
    }
  }

  async function giveBack(upkeep: Upkeep, error: unknown): Promise<void> {
    try {
      if (closing.signal.aborted) await putBackUpkeep(database, upkeep, holder);
      else await endUpkeep(database, upkeep, { holder, error: error instanceof Error ? error.message : String(error) });
    } catch (cause) {
      log.warn({ ...keysOf(upkeep), error: cause }, 'upkeep could not be given back; its lease will run out');
    }
  }

  const running = loop();
  return {
    close: async () => {
      closing.abort(new Error('the worker is stopping'));
      await running;
    },
  };
}

function keysOf({ name, kind, table }: Upkeep): Record<'upkeep' | 'kind' | 'table', string> {
  return { upkeep: name, kind, table: `${table.schema}.${table.name}` };
}
