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
};

export function createIds({ clock, random }: { clock: Clock; random: Random }): Ids {
  // How often a ULID draws depends on the time, so it draws elsewhere: the same seed gives the same other ids.
  const nextUlid = monotonicFactory(createRandom(random.between(0, 2 ** 31)).next);
  let last = 598_134_325_683_880;
  let lastEvent = 5_982_324_300_946_918_154n;
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
  };
}
