// What statements noted of how much they changed is added to the counts, by one worker at a time (the duty `counts`): the less is left to be
// added up, the sooner `status`, `mirror.freshness` and `/metrics` know. They are right without it.
import { type Database, foldCounts } from '@procore-mirror/database';
import { type Clock, realTime } from './run/clock.ts';
import { startDutyLoop } from './with-duty.ts';

type CountOptions = {
  database: Database;
  holder: string;
  log: { warn: (about: object, message: string) => void };
  everyMs?: number;
  leaseMs?: number;
  clock?: Clock;
};

/** Starts to add up every `everyMs` (10 s). `close` ends it after the portion under way. */
export function startCountLoop(options: CountOptions): { close: () => Promise<void> } {
  const { everyMs = 10_000, leaseMs = 30_000, clock = realTime, ...rest } = options;
  const trouble = 'changes could not be added to the counts; trying again';
  return startDutyLoop({ ...rest, duty: 'counts', everyMs, leaseMs, clock, trouble }, (signal) =>
    foldCounts(rest.database, { signal }),
  );
}
