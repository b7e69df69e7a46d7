// What `backfill --plan` and `verify --plan` print.
import type { BatchKey } from '@procore-mirror/database';
import { nameOf, type Windows } from '@procore-mirror/mirror';
import { counted, table } from './output.ts';

/** What a resource in a scope costs. */
export type PlannedWork = BatchKey & {
  /** Its tool is off there, or its list did not answer as a list does. */
  isOff: boolean;
  trouble: string | null;
  /** Null: not known. */
  records: number | null;
  isEstimate: boolean;
  calls: number;
  /** Calls of each kind, as the plan names them. */
  kinds: Readonly<Record<string, number>>;
};

/** How long it takes, within which limits. */
export type PlannedTime = {
  /** Null: answers tell of no limit, so nothing but their pace holds it up. */
  windows: Windows | null;
  /** The limits are those that were told, not the smallest that Procore has. */
  isTold: boolean;
  minutes: number;
  shareOfHour: number;
};

export type Plan = PlannedTime & {
  works: readonly PlannedWork[];
  /** The kinds of calls, by the name that programs are told, and the head of their column; null: they have none. */
  kinds: Readonly<Record<string, string | null>>;
  /** What stands for what in numbers that were estimated; how the plan was made, and what it did not do. */
  estimate: string;
  remark: string;
  unlisted: readonly string[];
};

const MOST_NAMED = 10;
const RECORDS_WIDTH = 9;

export function callsOf(works: readonly PlannedWork[]): number {
  return works.reduce((sum, { calls }) => sum + calls, 0);
}

type Line = Pick<PlannedWork, 'resource' | 'calls' | 'isEstimate' | 'kinds'> & {
  records: number;
  off: number;
  refused: number;
};

/** One for each resource, over all scopes. */
function linesOf({ works, kinds }: Pick<Plan, 'works' | 'kinds'>): Line[] {
  return [...Map.groupBy(works, ({ resource }) => resource)].map(([resource, of]) => ({
    ...{ resource, calls: callsOf(of) },
    kinds: sumsOf({ works: of, kinds }),
    records: of.reduce((sum, { records }) => sum + (records ?? 0), 0),
    isEstimate: of.some((one) => one.isEstimate),
    off: of.filter(({ isOff }) => isOff).length,
    refused: of.filter(({ trouble }) => trouble !== null).length,
  }));
}

/** Calls of each kind. */
export function sumsOf({ works, kinds }: Pick<Plan, 'works' | 'kinds'>): Record<string, number> {
  const sum = (kind: string) => works.reduce((total, one) => total + (one.kinds[kind] ?? 0), 0);
  return Object.fromEntries(Object.keys(kinds).map((kind) => [kind, sum(kind)]));
}

export function planAsJson(plan: Plan): Record<string, unknown> {
  const { works, windows } = plan;
  const share = (calls: number) => (windows === null ? 0 : rounded(calls / windows.hour, 4));
  const lines = linesOf(plan).map((line): [string, object] => [
    line.resource,
    {
      ...{ calls: line.calls, records: line.records, ...line.kinds },
      ...{ share_of_hour: share(line.calls), is_estimate: line.isEstimate, off: line.off, refused: line.refused },
    },
  ]);
  return {
    calls: callsOf(works),
    minutes: rounded(plan.minutes, 1),
    share_of_hour: rounded(plan.shareOfHour, 4),
    by_resource: new Map(lines),
    calls_per_hour: windows?.hour ?? null,
    limit_is_known: plan.isTold,
    refused: works.flatMap(({ companyId, projectId, resource, trouble }) =>
      trouble === null ? [] : [{ company_id: companyId, project_id: projectId, resource, trouble }],
    ),
    unlisted: plan.unlisted,
  };
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

/** A table of 80 columns, a line for each resource that costs calls, and what that takes. */
export function planInWords(plan: Plan): string {
  const { works, windows, kinds } = plan;
  const lines = linesOf(plan).toSorted((a, b) => b.calls - a.calls);
  const columns = Object.entries(kinds).flatMap(([kind, head]) => (head === null ? [] : [{ kind, head }]));
  const rows = lines
    .filter((line) => Object.values(line.kinds).some((calls) => calls > 0))
    .map((line) => [
      ...[line.resource, `${line.isEstimate ? '~' : ''}${line.records}`.padStart(RECORDS_WIDTH)],
      ...columns.map(({ kind }) => line.kinds[kind] ?? 0),
      ...[line.calls, windows === null ? '–' : `${((100 * line.calls) / windows.hour).toFixed(1)} %`],
    ]);
  const head = [
    'resource',
    'records'.padStart(RECORDS_WIDTH),
    ...columns.map((column) => column.head),
    'calls',
    'of an hour',
  ];
  const off = lines.filter((line) => line.off > 0).map((line) => `${line.resource} (${line.off})`);
  const refused = works.filter(({ trouble }) => trouble !== null);
  return [
    ...(rows.length === 0 ? [] : [table(head, rows), '']),
    `${counted(callsOf(works), 'call')}, ${timeInWords(plan)}.`,
    ...(rows.some(([, records]) => String(records).includes('~')) ? [`~ estimated: ${plan.estimate}`] : []),
    ...(off.length === 0
      ? []
      : ['', `Their tool is off, so they cost nothing (in so many projects):`, ...wrapped(off)]),
    ...(refused.length === 0 ? [] : ['', 'Not answered as a list is:']),
    ...refused.slice(0, MOST_NAMED).map((one) => `- ${one.resource} in ${nameOf(one)}: ${one.trouble}`),
    ...(refused.length > MOST_NAMED ? [`- ${refused.length - MOST_NAMED} more (--json names them)`] : []),
    ...['', plan.remark],
  ].join('\n');
}

function timeInWords({ windows, minutes, isTold }: Plan): string {
  if (windows === null) return `about ${duration(minutes)} at the pace of answers, which tell of no limit`;
  return `about ${duration(minutes)} at ${windows.hour} calls an hour${isTold ? '' : ', assumed until an answer tells'}`;
}

function duration(minutes: number): string {
  if (minutes < 1) return 'a minute';
  return minutes < 120 ? `${Math.ceil(minutes)} min` : `${(minutes / 60).toFixed(1)} h`;
}

const WIDTH = 80;

/** The names, with commas, in lines that fit. */
function wrapped(names: readonly string[]): string[] {
  const lines: string[] = [];
  for (const [index, name] of names.entries()) {
    const word = index === names.length - 1 ? name : `${name},`;
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < WIDTH) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
