import type { Log } from '@procore-mirror/runtime';

const EVERY_MS = 10_000;
const words = {
  401: 'a delivery was refused: its Authorization is not one of WEBHOOK_AUTHORIZATION',
  413: 'a delivery was refused: it is larger than 1 MiB',
  503: 'a delivery could not be stored; Procore pauses and sends it again',
} as const;

/** Logs refusals, of each kind one line per 10 s with the number since the last, or anybody could fill the log. */
export function createRefusalLog(
  log: Pick<Log, 'warn' | 'error'>,
  now: () => number = Date.now,
): (status: 401 | 413 | 503, from: string | undefined, error?: unknown) => void {
  const last = new Map<number, { at: number; unsaid: number }>();
  return (status, from, error) => {
    const before = last.get(status);
    if (before !== undefined && now() - before.at < EVERY_MS) {
      before.unsaid += 1;
      return;
    }
    last.set(status, { at: now(), unsaid: 0 });
    const entry = { status, from, also: before?.unsaid ?? 0, ...(error === undefined ? {} : { error }) };
    if (status === 503) log.error(entry, words[status]);
    else log.warn(entry, words[status]);
  };
}
