// A smaller edition of `complete-until.prove.ts`: always the same days.
import { afterAll, beforeAll, test } from 'vitest';
import { FOUND_DAYS, playDay, playedTables } from './play-day.ts';
import { type ClockedMirror, openClockedMirror } from './virtual-clock.ts';

const DAYS = 25;

let mirror: ClockedMirror;

beforeAll(async () => {
  mirror = await openClockedMirror(playedTables);
});
afterAll(() => mirror.close());

test(`no table says that it is complete until later than is so, on ${DAYS} days of outages`, {
  timeout: 600_000,
}, async () => {
  for (let seed = 1; seed <= DAYS; seed += 1) await playDay(mirror, seed);
  for (const seed of FOUND_DAYS) await playDay(mirror, seed);
});
