// How many records a list has, against our rows: the cheapest look, and one that can only tell that something is wrong.
import { isListedByParent, listsAll } from '@procore-mirror/catalogue';
import { countPending, type Proof, readListFacts, tallyRows } from '@procore-mirror/database';
import { type BatchRun, scopeOf } from '../run/batch-run.ts';
import { realTime } from '../run/clock.ts';
import { countList } from './count-list.ts';
import { listKey } from './listing-pages.ts';
import { flawOfAnswer } from './look-at-list.ts';

/** What was counted at one moment, and whether it stands still: `newest` is a number that moves when a row is stored. */
type Tally = { ours: number; theirs: number | null; newest: string | null; isQuiet: boolean };

export type Counts = Tally & Pick<Proof, 'detail'> & { outcome: 'differs' | 'not proved' };

/**
 * Compares the Total of the list with our rows, once more after a pause where they differ. They do only if both stood still meanwhile, for
 * else another event may be late each time. Equal numbers prove nothing, and nor does a list that leaves something out, or one of each
 * parent; those are not asked. Throws what may pass.
 */
export async function compareCounts(run: BatchRun): Promise<Counts> {
  const { settings, entry } = run;
  const { live, newest } = await tally(run);
  const uncounted = { ours: live, theirs: null, newest, isQuiet: true };
  const unproved: Counts = { ...uncounted, outcome: 'not proved', detail: null };
  if (!listsAll(entry) || isListedByParent(entry)) return unproved;
  const first = await count(run);
  if (first instanceof Error) return { ...unproved, detail: first.message };
  if (!differs(first)) return { ...unproved, ...first };
  await (settings.clock ?? realTime).sleep(settings.absencePauseMs, run.signal);
  const second = await count(run);
  if (second instanceof Error) return { ...unproved, detail: second.message };
  const isStill = first.ours === second.ours && first.theirs === second.theirs && first.newest === second.newest;
  return { ...unproved, ...second, outcome: differs(second) && isStill ? 'differs' : 'not proved' };
}

/** Does it still stand as it was counted? What waits may be of records that are new or gone. */
export async function standsStill(
  run: BatchRun,
  { newest, isQuiet }: Pick<Tally, 'newest' | 'isQuiet'>,
): Promise<boolean> {
  return isQuiet && (await isNothingPending(run)) && (await tally(run)).newest === newest;
}

async function count(run: BatchRun): Promise<Error | Tally> {
  const { newest } = await tally(run);
  const found = await countList(run, run.entry, { parentId: null, searchParams: [] }).catch(flawOfAnswer);
  if (found instanceof Error) return found;
  const after = await tally(run);
  const { innocentDifference } = await readListFacts(run.settings.database.pool, listKey(run, run.entry, null));
  const theirs = found.total === null ? null : found.total - (innocentDifference ?? 0);
  const isQuiet = after.newest === newest && (await isNothingPending(run));
  return { ours: after.live, theirs, newest, isQuiet };
}

function differs({ ours, theirs, isQuiet }: Tally): boolean {
  return isQuiet && theirs !== null && theirs !== ours;
}

function tally(run: BatchRun): ReturnType<typeof tallyRows> {
  return tallyRows(run.settings.database.pool, { ...scopeOf(run, run.entry), table: run.entry.table });
}

async function isNothingPending({ settings, batch }: BatchRun): Promise<boolean> {
  return (await countPending(settings.database.pool, batch, 1)) === 0;
}
