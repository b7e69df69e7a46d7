import type { BackfillProgress, BatchKey, Shortage } from '@procore-mirror/database';
import { shortageInWords } from '@procore-mirror/mirror';
import { counted, table } from './output.ts';

/** How it ended to watch it. */
export type WatchEnd = 'done' | 'no worker' | 'told to end';

const MOST_NAMED = 20;
const BAR_COLUMNS = 20;

/** How far it is, in a line; `columns`: of the terminal, null where there is none. */
export function progressInWords(
  progress: BackfillProgress,
  shortage: Shortage | null,
  { columns, now }: { columns: number | null; now: Date },
): string {
  const { lists, over, records, calls, callsToGo, retries } = progress;
  const share = lists === 0 ? 1 : over / lists;
  const bar = columns === null ? '' : `${barOf(share)} `;
  return [
    `${bar}${Math.floor(100 * share)}%`,
    ...(shortage === null ? [] : [shortageInWords(shortage, callsToGo, now)]),
    `${over} of ${counted(lists, 'list')}`,
    `${withCommas(records)} records`,
    counted(calls, 'call'),
    ...(retries.length === 0 ? [] : [`${retries.length} tried again`]),
    ...(progress.now === null || shortage !== null ? [] : [nameOf(progress.now)]),
  ].join(' · ');
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

/** What became of it. */
export function backfillInWords(progress: BackfillProgress, end: WatchEnd): string {
  const { lists, over, failed, records, calls, toComplete, failures } = progress;
  const sums = `${withCommas(records)} records of ${over} of ${counted(lists, 'list')} in ${counted(calls, 'call')}`;
  if (end === 'told to end')
    return `Backfill: ${sums}. The workers go on with it; \`pnpm mirror backfill\` shows how far they are.`;
  const detail =
    toComplete === 0 ? '' : `; the workers complete ${counted(toComplete, 'record')} that lists carry in part`;
  if (failed === 0) return `Backfill: ${sums}${detail}`;
  const named = failures
    .slice(0, MOST_NAMED)
    .map((fill) => [fill.companyId, fill.projectId, fill.resource, fill.reason]);
  const more = failed > MOST_NAMED ? `\n(${failed - MOST_NAMED} more: --json, or select * from mirror.backfills)` : '';
  return `${table(['company', 'project', 'not filled', 'because'], named)}${more}\nBackfill: ${sums}, ${failed} not filled${detail}`;
}

/** The same for programs. */
export function backfillAsJson(options: {
  end: WatchEnd;
  progress: BackfillProgress;
  requests: readonly string[];
  unlisted: readonly string[];
}): unknown {
  const { end, progress, requests, unlisted } = options;
  const { lists, over, failed, records, calls, toComplete, failures } = progress;
  return {
    ...{
      state: end === 'done' ? 'done' : 'under way',
      requests,
      lists,
      over,
      failed,
      records,
      calls,
      to_complete: toComplete,
    },
    failures: failures.map(({ companyId, projectId, resource, reason }) => ({
      ...{ company_id: companyId, project_id: projectId, resource, reason },
    })),
    unlisted,
  };
}
