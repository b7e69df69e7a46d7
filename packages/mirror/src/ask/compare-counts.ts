// How many records a list has, against our rows: the cheapest look, and one that can only tell that something is wrong.
import { isListedByParent, listsAll } from '@procore-mirror/catalogue';
import { countAllRows, countPending, type Proof, readListFacts } from '@procore-mirror/database';
import { type BatchRun, scopeOf } from '../run/batch-run.ts';
import { realTime } from '../run/clock.ts';
import { countList } from './count-list.ts';
import { listKey } from './listing-pages.ts';
import { flawOfAnswer } from './look-at-list.ts';

type Counts = Pick<Proof, 'ours' | 'theirs' | 'outcome' | 'detail'>;

/**
 * Compares the Total of the list with our rows, once more after a pause where they differ. Equal numbers prove nothing, and nor does a list
 * that leaves something out, or one of each parent; those are not asked. Throws what may pass.
 */
export async function compareCounts(run: BatchRun): Promise<Counts> {
  const { settings, entry } = run;
  const { pool } = settings.database;
  const counts = { ours: await countAllRows(pool, { ...scopeOf(run, entry), table: entry.table }), theirs: null };
  const unproved: Counts = { ...counts, outcome: 'not proved', detail: null };
  if (!listsAll(entry) || isListedByParent(entry)) return unproved;
  const first = await count(run);
  if (first instanceof Error) return { ...unproved, detail: first.message };
  if (!first.differs) return { ...unproved, ...first.counts };
  await (settings.clock ?? realTime).sleep(settings.absencePauseMs, run.signal);
  const second = await count(run);
  if (second instanceof Error) return { ...unproved, detail: second.message };
  return { ...second.counts, outcome: second.differs ? 'differs' : 'not proved', detail: null };
}

async function count(run: BatchRun): Promise<Error | { counts: Pick<Counts, 'ours' | 'theirs'>; differs: boolean }> {
  const { settings, entry, batch } = run;
  const { pool } = settings.database;
  const found = await countList(run, entry, { parentId: null, searchParams: [] }).catch(flawOfAnswer);
  if (found instanceof Error) return found;
  const ours = await countAllRows(pool, { ...scopeOf(run, entry), table: entry.table });
  const { innocentDifference } = await readListFacts(pool, listKey(run, entry, null));
  const theirs = found.total === null ? null : found.total - (innocentDifference ?? 0);
  // What waits may be of records that are new or gone.
  const isQuiet = (await countPending(pool, batch, 1)) === 0;
  return { counts: { ours, theirs }, differs: theirs !== null && isQuiet && theirs !== ours };
}
