// Gathers the facts that the plan of a run depends on, and has it made.
import { dayColumnOf, parentsOf } from '@procore-mirror/catalogue';
import {
  countPending,
  countRows,
  countRowsPerDay,
  findDays,
  type NotedRecord,
  postponeToDetail,
  readAffordableCalls,
  readPauseForNews,
} from '@procore-mirror/database';
import { knownPageSize } from '../ask/listing-pages.ts';
import type { DayFacts } from '../plan/date-windows.ts';
import { type FetchCall, type FetchPlan, idsOf, type PlanFacts, planFetch } from '../plan/plan-fetch.ts';
import type { BatchRun } from '../run/batch-run.ts';
import { addKnownParents } from './known-parents.ts';

/** Records that failed this often are fetched alone, so that one bad record does not hold up its neighbours. */
const ATTEMPTS_TOGETHER = 3;

export async function planRun(run: BatchRun): Promise<FetchPlan & Pick<PlanFacts, 'affordableCalls'>> {
  const { database } = run.settings;
  const { table, parent } = run.entry;
  if (parent !== null) await addKnownParents(run);
  const records = run.wanted();
  const canBeAlone = run.entry.show !== null || (parent !== null && parent.embeddedAs !== null);
  const isAlone = ({ attempts }: NotedRecord) => attempts >= ATTEMPTS_TOGETHER && canBeAlone;
  // Those that failed come last, so that they hold up nobody.
  const together = records.filter((record) => !isAlone(record)).toSorted((a, b) => a.attempts - b.attempts);
  const facts: PlanFacts = {
    records: Math.max(
      await countRows(database.pool, { ...run.batch, table }),
      await countPending(database.pool, run.batch, run.settings.pageSize + 1),
    ),
    parents: await countParents(run),
    ...(await knownDays(run)),
    perPage: await knownPageSize(run, run.entry),
    affordableCalls: await readAffordableCalls(database.pool, run.batch),
  };
  const plan = await withoutWalks(run, planFetch(run.entry, together, facts));
  const alone = records.filter(isAlone).toSorted((a, b) => a.attempts - b.attempts);
  const plans = alone.map(({ id }) => planFetch(run.entry, run.noted([id]), facts));
  const lists = listsUnder(run);
  return {
    affordableCalls: facts.affordableCalls,
    calls: [...lists, ...[plan, ...plans].flatMap(({ calls }) => calls)],
    estimatedCalls: [plan, ...plans].reduce((sum, { estimatedCalls }) => sum + estimatedCalls, lists.length),
  };
}

/** Before the records themselves, whose news is not settled without; of all lanes, as their news is. */
function listsUnder(run: BatchRun): FetchCall[] {
  const moved = run.allNoted().filter(({ listsChildren }) => listsChildren);
  return moved.map(({ id }) => ({ kind: 'lists under', ids: [id] }));
}

/** When calls are short, walks wait: the parent's own news often comes a moment later, and its row then names the child. */
async function withoutWalks(run: BatchRun, plan: FetchPlan): Promise<FetchPlan> {
  const walks = plan.calls.filter(({ kind }) => kind === 'walk parents');
  const pauseMs = walks.length === 0 ? 0 : await readPauseForNews(run.settings.database.pool, run.batch);
  if (pauseMs === 0) return plan;
  const waiting = run.noted(walks.flatMap(idsOf));
  await postponeToDetail(run.settings.database.pool, run.batch, waiting, pauseMs);
  run.settled(waiting);
  const calls = plan.calls.filter(({ kind }) => kind !== 'walk parents');
  return { ...plan, calls, estimatedCalls: plan.estimatedCalls - walks.length };
}

/** The days that our rows are of, for lists that are by date. */
async function knownDays(run: BatchRun): Promise<Pick<DayFacts, 'days' | 'recordsPerDay'>> {
  const { settings, entry, batch } = run;
  const day = dayColumnOf(entry);
  if (day === null) return { days: new Map(), recordsPerDay: 0 };
  const ids = run.allNoted().map(({ id }) => id);
  const place = { table: entry.table, companyId: batch.companyId, projectId: batch.projectId, day };
  const { pool } = settings.database;
  return { days: await findDays(pool, place, ids), recordsPerDay: await countRowsPerDay(pool, place) };
}

async function countParents({ settings, entry, batch }: BatchRun): Promise<number> {
  let count = 0;
  for (const { table } of parentsOf(settings.catalogue, entry)) {
    count += await countRows(settings.database.pool, { ...batch, table });
  }
  return count;
}
