import type { BackfillProgress } from '@procore-mirror/database';
import { type FillEnd, sumsInWords } from '@procore-mirror/mirror';
import { counted, table } from './output.ts';

const MOST_NAMED = 20;

/** What became of it. */
export function backfillInWords(progress: BackfillProgress, end: FillEnd): string {
  const { failed, toComplete, failures } = progress;
  const sums = sumsInWords(progress);
  if (end === 'told to end')
    return `Backfill: ${sums}. The workers go on with it; \`pnpm mirror backfill\` shows how far they are.`;
  if (end === 'gone')
    return `Backfill: ${sums}. Some of what was asked for is there no more: its place was forgotten, or the mirror emptied.`;
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
  end: FillEnd;
  progress: BackfillProgress;
  requests: readonly string[];
  unlisted: readonly string[];
}): unknown {
  const { end, progress, requests, unlisted } = options;
  const { lists, over, failed, records, calls, toComplete, failures } = progress;
  return {
    ...{
      state: { done: 'done', gone: 'gone', 'no worker': 'under way', 'told to end': 'under way' }[end],
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
