// How far backfills are, told in the same words everywhere. Pure.
import type { BackfillProgress, BatchKey, Shortage } from '@procore-mirror/database';
import { shortageInWords } from './shortage-in-words.ts';
import { paceInWords } from './time-of-fill.ts';

const BAR_COLUMNS = 20;

/** In a line; `columns`: of the terminal, null where there is none. */
export function progressInWords(
  progress: BackfillProgress,
  shortage: Shortage | null,
  { columns, now }: { columns: number | null; now: Date },
): string {
  const { lists, over, records, calls, callsToGo, toComplete, retries } = progress;
  const pace = shortage === null ? paceInWords(progress) : null;
  const share = over / Math.max(1, lists);
  const bar = columns === null ? '' : `${barOf(share)} `;
  return [
    ...(lists === 0 ? [] : [`${bar}${Math.floor(100 * share)}%`]),
    ...(shortage === null ? [] : [shortageInWords(shortage, callsToGo + toComplete, now)]),
    ...(lists === 0
      ? [`all lists are read, and ${counted(toComplete, 'record')} that they carry in part to be completed`]
      : [`${over} of ${counted(lists, 'list')}`, `${withCommas(records)} records`, counted(calls, 'call')]),
    ...(pace === null ? [] : [pace]),
    ...(retries.length === 0 ? [] : [`${retries.length} tried again`]),
    ...(progress.now === null || shortage !== null ? [] : [nameOf(progress.now)]),
  ].join(' · ');
}

/** What came. */
export function sumsInWords({ lists, over, records, calls }: BackfillProgress): string {
  return `${withCommas(records)} records of ${over} of ${counted(lists, 'list')} in ${counted(calls, 'call')}`;
}

/** `1 record`, `2 records`. */
export function counted(count: number, one: string, several = `${one}s`): string {
  return `${count} ${count === 1 ? one : several}`;
}

function barOf(share: number): string {
  const full = Math.floor(share * BAR_COLUMNS);
  return `${'█'.repeat(full)}${'░'.repeat(BAR_COLUMNS - full)}`;
}

function nameOf({ resource, companyId, projectId }: BatchKey): string {
  return `${resource}, ${projectId === null ? `company ${companyId}` : `project ${projectId}`}`;
}

function withCommas(count: number): string {
  return count.toLocaleString('en-US');
}
