import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, type Pulse, readPulse } from '@procore-mirror/database';

type Options = {
  database: Database;
  isTerminal: boolean;
  columns: () => number;
  write: (text: string) => void;
  signal: AbortSignal;
};

/** Says what arrives until the signal comes: one line that changes on a terminal, else a line when something changed. */
export async function showLive({ database, isTerminal, columns, write, signal }: Options): Promise<void> {
  const clear = isTerminal ? '\r\x1b[K' : '';
  let shown = '';
  while (!signal.aborted) {
    const line = await readPulse(database.pool).then(pulseInWords, (error: Error) => `The database: ${error.message}`);
    if (isTerminal) write(`${clear}${line.slice(0, Math.max(20, columns() - 1))}`);
    else if (line !== shown) write(`${line}\n`);
    shown = line;
    await sleep(isTerminal ? 1_000 : 10_000, undefined, { signal }).catch(() => {});
  }
  write(clear);
}

/** The line: what arrives, what is there, what waits, what is wrong, and the last change. */
export function pulseInWords({ recentEvents, rows, pending, deadLetters, parkedScopes, last }: Pulse): string {
  const wrong = [
    ...(deadLetters > 0 ? [`${deadLetters} dead letters`] : []),
    ...(parkedScopes > 0 ? [`${parkedScopes} parked scopes`] : []),
  ];
  return [
    `${(recentEvents / 10).toFixed(1)} events/s`,
    `about ${rows} rows`,
    `${pending} pending`,
    ...(wrong.length > 0 ? [`${wrong.join(', ')} (see: npx pnpm mirror status)`] : []),
    ...(last === null ? [] : [`last: ${last.kind} of ${last.resource} ${last.recordId}`]),
  ].join(' · ');
}
