// Many days of outages, drawn anew; and the same with each kind of evidence left out, which has to be noticed.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EVIDENCE_COLUMNS, evidenceQuery } from '../migrate/evidence-view.ts';
import { FOUND_DAYS, playDay, playedTables } from './play-day.ts';
import { type ClockedMirror, openClockedMirror } from './virtual-clock.ts';

const DAYS = 1_000;
const AT_ONCE = 4;
const MOST_UNNOTICED = 400;

let mirrors: ClockedMirror[];

beforeAll(async () => {
  mirrors = [];
  for (let number = 0; number < AT_ONCE; number += 1) mirrors.push(await openClockedMirror(playedTables));
});
afterAll(() => Promise.all(mirrors.map((mirror) => mirror.close())));

/** To replay a day: its number, in `complete-until.pg.test.ts`. */
async function playDays(first: number, days: number): Promise<void> {
  let next = first;
  const failures: unknown[] = [];
  const play = async (mirror: ClockedMirror) => {
    while (next < first + days && failures.length === 0)
      await playDay(mirror, next++).catch((error) => failures.push(error));
  };
  await Promise.all(mirrors.map(play));
  if (failures.length > 0) throw failures[0];
}

test(`no table says that it is complete until later than is so, on ${DAYS} days of outages`, async () => {
  const first = Math.floor(Math.random() * 2 ** 30);
  console.log(`the first day is ${first}`);
  await playDays(first, DAYS);
});

const leavesOut = (evidence: string) => (sql: string) =>
  sql.replace(/else least\([^)]*\) end/, (all) => all.replace(new RegExp(`${evidence},? ?`), ''));
const instead = (one: string, other: string) => (sql: string) => sql.replace(one, other);
const unlessBecause = (why: string) => (sql: string) =>
  sql.replaceAll('g.until > b.since', `g.until > b.since and g.because <> '${why}'`);

test.each([
  ['news that waits', instead('least(oldest_pending_at, ', 'least(')],
  ['dead letters of records', instead("where kind = 'record'", 'where false')],
  ['bodies that nobody can read', instead("d.reason <> 'bad_report'", 'false')],
  ['receivers', leavesOut('receivers_at')],
  ['what Procore holds', leavesOut('undelivered_at')],
  ['the log', leavesOut('log_until')],
  ['where the log begins', instead('or log_from > proved_since', '')],
  ['the hook', leavesOut('hook_until')],
  ['gaps', leavesOut(', gap_since')],
  ['times without a hook', unlessBecause('hook')],
  ['what was ignored', unlessBecause('ignored')],
  ['what was discarded', unlessBecause('discarded')],
  ['times in which the app was not connected', unlessBecause('disconnected')],
  ['triggers', instead('or not is_carried', '')],
  ['differences', instead('differs_since > proved_since or', '')],
  ['records that a comparison left out', instead('when by_listing_at >= happened_at then', 'when false then')],
  [
    'records that a fill has yet to show',
    instead('case when w.to_fill or d.to_fill then f.complete_before else f.complete_since end', 'f.complete_since'),
  ],
  [
    'what a thin list carries',
    instead('case when m.by_listing then greatest(filled, listed) else filled end', 'greatest(filled, listed)'),
  ],
] as const)('it is noticed when it is left out: %s', async (_, change) => {
  const query = evidenceQuery(playedTables);
  const changed = change(query);
  expect(changed).not.toBe(query);
  const use = async (sql: string) => {
    for (const { database } of mirrors)
      await database.pool.query(`create or replace view mirror.evidence (${EVIDENCE_COLUMNS}) as ${sql}`);
  };
  await use(changed);
  try {
    const play = async () => {
      for (const day of FOUND_DAYS) await playDays(day, 1);
      await playDays(1, MOST_UNNOTICED);
    };
    await expect(play()).rejects.toThrow(/is lacking|a receiver is silent|holds an older event/);
  } finally {
    await use(query);
  }
});
