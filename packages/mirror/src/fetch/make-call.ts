// Makes one call of a plan and stores what it brings. Whatever the call did not bring stays open in the run.
import { takeVersion } from '@procore-mirror/database';
import type { ProcoreAnswer } from '@procore-mirror/procore';
import { idFilter, pagesOf } from '../ask/listing-pages.ts';
import { isUnderParent } from '../ask/record-paths.ts';
import { datesBetween } from '../plan/date-windows.ts';
import { type FetchCall, IDS_PER_CALL } from '../plan/plan-fetch.ts';
import type { BatchRun } from '../run/batch-run.ts';
import { storeAnswer } from '../store/store-answer.ts';
import { storeListing } from '../store/store-listing.ts';
import { storePart } from '../store/store-part.ts';
import { concludeFrom } from './conclude-from.ts';
import { findParents, listParents, showParent, walkParents } from './fetch-by-parent.ts';
import { readListsUnder } from './lists-under.ts';
import { showRecord } from './show-record.ts';

/**
 * Makes the call (a walk makes several), stores the answers, and concludes what they prove. Ids of the call that are
 * still open afterwards were not brought and nothing is proved of them. Throws what the client throws.
 */
export async function makeCall(run: BatchRun, call: FetchCall): Promise<void> {
  switch (call.kind) {
    case 'show':
      return showRecord(run, run.entry, call);
    case 'list by ids':
    case 'refresh by ids':
      return listByIds(run, call);
    case 'list all':
      return listAll(run, call);
    case 'list by dates':
      return listByDates(run, call);
    case 'parent':
      return showParent(run, call);
    case 'all parents':
      return listParents(run, call);
    case 'find parents':
      return findParents(run, call.ids);
    case 'walk parents':
      return walkParents(run, call.ids);
    case 'lists under':
      return readListsUnder(run, call.ids[0]);
    default:
      return call satisfies never;
  }
}

async function listByIds(
  run: BatchRun,
  call: Extract<FetchCall, { kind: 'list by ids' | 'refresh by ids' }>,
): Promise<void> {
  const { entry, settings } = run;
  const { parentId, ids } = call;
  if ((entry.list?.filterByIds ?? null) === null) throw new Error(`${entry.resource} cannot be listed by ids`);
  const version = await takeVersion(settings.database);
  const options = { parentId, searchParams: idFilter(entry, ids), perPage: IDS_PER_CALL };
  let listed = 0;
  for await (const { text, wrapper, records } of pagesOf(run, entry, options)) {
    const answer = { entry, wrapper, version, text, parentId, only: ids };
    if (call.kind === 'list by ids') await storeAnswer(run, answer);
    else await storePart(run, answer);
    listed += records;
    // There are no more, unless the filter was ignored (docs/procore.md: Filters): what came of it says nothing then.
    if (listed >= ids.length) return;
  }
}

/** Stores all that the days hold. Concludes nothing, so it may end as soon as the missing are shown for fewer calls. */
async function listByDates(run: BatchRun, call: Extract<FetchCall, { kind: 'list by dates' }>): Promise<void> {
  const { entry } = run;
  const { parentId, ids } = call;
  const version = await takeVersion(run.settings.database);
  let pages = 0;
  for await (const page of pagesOf(run, entry, { parentId, searchParams: datesBetween(call) })) {
    const { text, wrapper } = page;
    await storeAnswer(run, { entry, wrapper, version, text, parentId, only: null });
    pages += 1;
    if (run.noted(ids).length <= pagesLeft(page, pages, ids.length)) return;
  }
}

/** At least one; without a Total, one until there were as many pages as there were shows to save. */
function pagesLeft({ total, perPage }: ProcoreAnswer, pages: number, shows: number): number {
  if (total === null || perPage === null) return pages < shows ? 1 : Number.POSITIVE_INFINITY;
  return Math.max(0, Math.ceil(total / Math.max(1, perPage)) - pages);
}

/**
 * A listing lacks these: gone if a delete event says so. Others may be outside what the list shows by default: they are
 * asked for alone where that is possible.
 */
async function listAll(run: BatchRun, call: Extract<FetchCall, { kind: 'list all' }>): Promise<void> {
  const { entry } = run;
  const version = await takeVersion(run.settings.database);
  const only = entry.list?.shared === true ? { only: call.ids } : {};
  const { doubt, isCut } = await storeListing(run, entry, version, { parentId: call.parentId, ...only });
  const under = isUnderParent(entry, entry.list?.path ?? null) ? call.parentId : null;
  const missing = run.noted(call.ids);
  const toConclude = entry.show === null ? missing : missing.filter(({ isDeletedLast }) => isDeletedLast);
  await concludeFrom(run, { version, under, doubt, isCut }, toConclude);
}
