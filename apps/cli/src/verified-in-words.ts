import type { ComparedResource, ComparisonProgress, FoundDifference } from '@procore-mirror/database';
import type { WorkEnd } from '@procore-mirror/mirror';
import { counted, table } from './output.ts';

export type Verified = {
  end: WorkEnd;
  progress: ComparisonProgress;
  compared: readonly ComparedResource[];
  differences: readonly FoundDifference[];
  /** Resources of which no list proves that a record is gone. */
  notProvable: readonly string[];
  /** Companies whose projects could not be listed. */
  unlisted: readonly string[];
  repairs: boolean;
  isSample: boolean;
};

const MOST_NAMED = 20;

/** Is all that was compared equal, and was all compared that was to be? */
export function whetherEqual(verified: Verified): boolean {
  const { end, compared, unlisted } = verified;
  return end === 'done' && unlisted.length === 0 && !isOfNothing(verified) && compared.every(isEqual);
}

function isEqual({ outcome }: ComparedResource): boolean {
  return outcome === 'equal';
}

/** Was there nothing to compare, though no resource was named that no list proves? Then nothing is known to be equal. */
function isOfNothing({ progress, notProvable }: Verified): boolean {
  return progress.lists === 0 && notProvable.length === 0;
}

/** A line for each resource; equal ones in one. */
export function verifiedInWords(verified: Verified): string {
  const { end, progress, compared, differences, notProvable, repairs } = verified;
  const odd = compared.filter((one) => !isEqual(one));
  const lines = odd.map((one) => [one.companyId, one.projectId, one.resource, wordsOf(one)]);
  const named = differences
    .slice(0, MOST_NAMED)
    .map(({ resource, id, kind, fields }) => [resource, id, kind, fields?.join(', ') ?? '']);
  const more = differences.length - named.length;
  const equal = compared.filter(({ outcome }) => outcome === 'equal').length;
  const state = {
    done: repairs && differences.length > 0 ? '; the workers repair it' : '',
    gone: '; some of it was asked for anew by somebody else, or is there no more',
    'no worker': '',
    'told to end': '; the workers go on, and the same command shows how far they are',
  }[end];
  const proved = verified.isSample
    ? sampleInWords(sampleOf(verified))
    : `${counted(equal, 'table')} of ${compared.length} proved equal, ${counted(differences.length, 'difference')}`;
  const sums = `Verify: ${proved}, ${counted(progress.calls, 'call')}${state}`;
  return [
    ...(lines.length === 0 ? [] : [table(['company', 'project', 'resource', 'outcome'], lines)]),
    ...(named.length === 0 ? [] : [table(['resource', 'record', 'is', 'fields'], named)]),
    ...(more > 0 ? [`(${more} more: --json, or select * from mirror.differences)`] : []),
    ...(isOfNothing(verified) ? ['There was nothing to compare, so nothing is proved.'] : []),
    ...(notProvable.length === 0 ? [] : [`No list proves deletions of: ${notProvable.join(', ')}`]),
    sums,
  ].join('\n');
}

function wordsOf({ outcome, missing, changed, extra, detail, ours, theirs }: ComparedResource): string {
  if (outcome === 'not proved') return ['not proved', ...(detail === null ? [] : [detail])].join(': ');
  const counts = [`${missing} missing`, `${changed} changed`, `${extra} extra`];
  const found = missing + changed + extra > 0 ? counts.join(', ') : `Procore counts ${theirs}, the mirror ${ours}`;
  return [found, ...(detail === null ? [] : [detail])].join('; ');
}

type Sample = {
  compared: number;
  differ: number;
  /** The part of all rows that is wrong at most, with 95 %; null where something differs, or nothing was compared. */
  wrongAtMost: number | null;
};

/** Where none of n records differs, fewer than 3/n of all do, with 95 %. */
function sampleOf({ compared, differences }: Verified): Sample {
  const size = compared.reduce((sum, { ours }) => sum + (ours ?? 0), 0);
  const differ = differences.length;
  return { compared: size, differ, wrongAtMost: differ > 0 || size === 0 ? null : Math.min(1, 3 / size) };
}

function sampleInWords({ compared, differ, wrongAtMost }: Sample): string {
  const counts = `${counted(compared, 'record')} compared, ${differ} differ${differ === 1 ? 's' : ''}`;
  if (wrongAtMost === null) return counts;
  return `${counts}; fewer than 3/${compared} (${(100 * wrongAtMost).toPrecision(2)} %) are wrong with 95 %`;
}

/** The same for programs. */
export function verifiedAsJson(verified: Verified): unknown {
  const { end, progress, compared, differences, notProvable, unlisted } = verified;
  return {
    ...{ equal: whetherEqual(verified), state: end === 'done' || end === 'gone' ? end : 'under way' },
    differences: differences.map(({ companyId, projectId, resource, id, kind, fields }) => ({
      ...{ resource, company_id: companyId, project_id: projectId, id, kind },
      ...(fields !== null && { fields }),
    })),
    proofs: compared.map(({ companyId, projectId, provedAt, asOf, ...proof }) => ({
      ...{ company_id: companyId, project_id: projectId, ...proof, proved_at: provedAt, as_of: asOf },
    })),
    ...(verified.isSample && { sample: sampleAsJson(sampleOf(verified)) }),
    ...{ not_provable: notProvable, calls: progress.calls, unlisted },
  };
}

function sampleAsJson({ compared, differ, wrongAtMost }: Sample): unknown {
  return { compared, differ, wrong_at_most: wrongAtMost };
}
