// Ids as Procore gives them: 15 digits for records, integers beyond 2^53 for events, ULIDs where they are newer
// (docs/procore.md: Ids).
import { monotonicFactory } from 'ulid';
import type { Clock } from './clock.ts';
import { createRandom, type Random } from './random.ts';

export type Ids = {
  /** 15 digits, rising with gaps. */
  next: () => string;
  record: (type: 'bigint' | 'text') => string;
  ulid: () => string;
  /** An integer beyond 2^53, as v2.0 and v3.0 events have. */
  event: () => string;
  last: () => LastIds;
};

/** The last ids that were given. */
export type LastIds = { record: number; event: string };

const usualBeginning: LastIds = { record: 598_134_325_683_880, event: '5982324300946918154' };
// More than are given between two times that the state is kept: those given after the last of them never come again.
const LEAP = 100_000_000;

/** Ids from the beginning, or a leap beyond the last ones. */
export function createIds({
  clock,
  random,
  after,
}: {
  clock: Clock;
  random: Random;
  after?: LastIds | undefined;
}): Ids {
  // How often a ULID draws depends on the time, so it draws elsewhere: the same seed gives the same other ids.
  const nextUlid = monotonicFactory(createRandom(random.between(0, 2 ** 31)).next);
  const leap = after === undefined ? 0 : LEAP;
  const { record, event } = after ?? usualBeginning;
  let last = record + leap;
  let lastEvent = BigInt(event) + 1000n * BigInt(leap);
  const next = (): string => {
    last += random.between(1, 40);
    return String(last);
  };
  const ulid = (): string => nextUlid(Math.floor(clock.now()));
  return {
    next,
    record: (type) => (type === 'text' ? ulid() : next()),
    ulid,
    event: () => {
      lastEvent += BigInt(random.between(1, 1000));
      return String(lastEvent);
    },
    last: () => ({ record: last, event: String(lastEvent) }),
  };
}
