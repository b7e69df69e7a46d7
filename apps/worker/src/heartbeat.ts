// Says every few seconds that this worker runs, and how it is, for who waits for work that workers do and for who judges.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Database,
  forgetOldWorkers,
  noteWorker,
  noteWorkerStopped,
  type WorkerReport,
} from '@procore-mirror/database';
import type { Log } from '@procore-mirror/runtime';

const EVERY_MS = 5_000;

/** Starts to say so. `close` says that the worker has stopped. */
export function startHeartbeat(options: {
  database: Database;
  holder: string;
  report: () => WorkerReport;
  log: Pick<Log, 'warn'>;
}): {
  close: () => Promise<void>;
} {
  const { database, holder, report, log } = options;
  const closing = new AbortController();

  async function loop(): Promise<void> {
    await beat(() => forgetOldWorkers(database));
    while (!closing.signal.aborted) {
      await beat(() => noteWorker(database, holder, report()));
      await sleep(EVERY_MS, null, { signal: closing.signal }).catch(() => null);
    }
    await beat(() => noteWorkerStopped(database, holder));
  }

  async function beat(note: () => Promise<void>): Promise<void> {
    await note().catch((error: unknown) =>
      log.warn({ error }, 'that this worker runs could not be noted; trying again'),
    );
  }

  const running = loop();
  return {
    close: async () => {
      closing.abort();
      await running;
    },
  };
}
