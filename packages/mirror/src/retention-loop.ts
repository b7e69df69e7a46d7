// What is kept for a time goes when that is over: events, dead letters, requests. One worker at a time removes it (the duty `retention`), in portions that
// take a fraction of a second, with pauses between them.
import {
  type Database,
  discardOldDeadLetters,
  FROM_THE_OLDEST,
  type RetentionPlace,
  removeOldEvents,
  removeOldFetches,
} from '@procore-mirror/database';
import { type Clock, realTime } from './run/clock.ts';
import { startDutyLoop } from './with-duty.ts';

type RetentionOptions = {
  database: Database;
  holder: string;
  /** How long events and dead letters are kept, days. */
  keepDays: number;
  log: Record<'info' | 'warn', (about: object, message: string) => void>;
  /** How often it looks whether something is old, ms. */
  everyMs?: number;
  /** Between two portions, ms. */
  restMs?: number;
  leaseMs?: number;
  clock?: Clock;
};

/** A portion is made so large that it takes about this long. */
const PORTION_MS = 100;
const [SMALLEST, LARGEST] = [50, 5_000];
const LETTERS_AT_ONCE = 100;
const TROUBLE = 'what is old could not be removed; trying again';

/** Starts to remove what is old. `close` ends it after the portion under way. */
export function startRetentionLoop(options: RetentionOptions): { close: () => Promise<void> } {
  const {
    database,
    holder,
    keepDays,
    log,
    everyMs = 60_000,
    restMs = 50,
    leaseMs = 30_000,
    clock = realTime,
  } = options;
  let limit = 1_000;

  async function round(signal: AbortSignal): Promise<void> {
    const events = await removeEvents(signal);
    const letters = await removeAll(signal, async () => {
      const removed = await discardOldDeadLetters(database, { keepDays, limit: LETTERS_AT_ONCE });
      return { removed, isOver: removed === 0 };
    });
    await removeAll(signal, async () => ({ removed: 0, isOver: await removeOldFetches(database) }));
    if (events + letters > 0) log.info({ events, dead_letters: letters, keep_days: keepDays }, 'removed what was old');
  }

  async function removeEvents(signal: AbortSignal): Promise<number> {
    let place: RetentionPlace = FROM_THE_OLDEST;
    return removeAll(signal, async () => {
      const begunAt = clock.now();
      const { removed, next } = await removeOldEvents(database, place, { keepDays, limit });
      const tookMs = Math.max(clock.now() - begunAt, 1);
      limit = Math.round(Math.min(Math.max((limit * PORTION_MS) / tookMs, limit / 2, SMALLEST), limit * 2, LARGEST));
      if (next !== null) place = next;
      return { removed, isOver: next === null };
    });
  }

  /** Portion by portion. Returns how much there was. */
  async function removeAll(
    signal: AbortSignal,
    removeSome: () => Promise<{ removed: number; isOver: boolean }>,
  ): Promise<number> {
    let sum = 0;
    while (!signal.aborted) {
      const { removed, isOver } = await removeSome();
      sum += removed;
      if (isOver) break;
      await clock.sleep(restMs, signal).catch(() => null);
    }
    return sum;
  }

  return startDutyLoop({ database, duty: 'retention', holder, leaseMs, log, clock, everyMs, trouble: TROUBLE }, round);
}
