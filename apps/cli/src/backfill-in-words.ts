import type { BackfillProgress } from '@procore-mirror/database';
import { sumsInWords, type WorkEnd } from '@procore-mirror/mirror';
import { counted, table } from './output.ts';

const MOST_NAMED = 20;

/** What became of it. */
export function backfillInWords(progress: BackfillProgress, end: WorkEnd): string {
  const { failed, toComplete, failures, buried, remarks } = progress;
  const sums = sumsInWords(progress);
  if (end === 'told to end')
    return `Backfill: ${sums}. The workers go on with it; \`pnpm mirror backfill\` shows how far they are.`;
  if (end === 'gone')
    return `Backfill: ${sums}. Some of what was asked for is there no more: its place was forgotten, or the mirror emptied.`;
  const gone = buried === 0 ? '' : `; ${counted(buried, 'row')} that Procore lists no more are marked deleted`;
  const toCome =
    toComplete === 0 ? '' : `; the workers complete ${counted(toComplete, 'record')} that lists carry in part`;
  const detail = `${gone}${toCome}`;
  const noted = remarks
    .slice(0, MOST_NAMED)
    .map((fill) => [fill.companyId, fill.projectId, fill.resource, fill.reason]);
  const said = noted.length === 0 ? '' : `${table(['company', 'project', 'resource', 'mind'], noted)}\n`;
  if (failed === 0) return `${said}Backfill: ${sums}${detail}`;
  const named = failures
    .slice(0, MOST_NAMED)
    .map((fill) => [fill.companyId, fill.projectId, fill.resource, fill.reason]);
  const more = failed > MOST_NAMED ? `\n(${failed - MOST_NAMED} more: --json, or select * from mirror.backfills)` : '';
  return `${said}${table(['company', 'project', 'not filled', 'because'], named)}${more}\nBackfill: ${sums}, ${failed} not filled${detail}`;
}

/** The same for programs. */
export function backfillAsJson(options: {
  end: WorkEnd;
  progress: BackfillProgress;
  requests: readonly string[];
  unlisted: readonly string[];
}): unknown {
  const { end, progress, requests, unlisted } = options;
  const { lists, over, failed, records, calls, toComplete, failures, buried, remarks } = progress;
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
      buried,
    },
    failures: failures.map(asJson),
    remarks: remarks.map(asJson),
    unlisted,
  };
}

function asJson({ companyId, projectId, resource, reason }: BackfillProgress['failures'][number]): unknown {
  return { company_id: companyId, project_id: projectId, resource, reason };
}
