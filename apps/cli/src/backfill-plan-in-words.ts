// What `backfill --plan` prints.
import { nameOf, type PlannedBackfill, type PlannedBackfills, type Windows } from '@procore-mirror/mirror';
import { counted, table } from './output.ts';

/** What is planned, within which limits, and what could not be asked. */
export type Plan = PlannedBackfills & {
  /** Null: answers tell of no limit, so nothing but their pace holds it up. */
  windows: Windows | null;
  /** The limits are those that were told, not the smallest that Procore has. */
  isTold: boolean;
  minutes: number;
  shareOfHour: number;
  unlisted: readonly string[];
};

const MOST_NAMED = 10;
const RECORDS_WIDTH = 9;

/** Of lists and shows. */
export function callsOf(backfills: readonly PlannedBackfill[]): number {
  return backfills.reduce((sum, { listCalls, shows }) => sum + listCalls + shows, 0);
}

type Line = {
  resource: string;
  calls: number;
  listCalls: number;
  shows: number;
  records: number;
  isEstimate: boolean;
  off: number;
  refused: number;
};

/** One for each resource, over all scopes. */
function linesOf(backfills: readonly PlannedBackfill[]): Line[] {
  const sum = (of: readonly PlannedBackfill[], pick: (one: PlannedBackfill) => number) =>
    of.reduce((total, one) => total + pick(one), 0);
  return [...Map.groupBy(backfills, ({ resource }) => resource)].map(([resource, of]) => ({
    ...{ resource, calls: callsOf(of) },
    listCalls: sum(of, (one) => one.listCalls),
    shows: sum(of, (one) => one.shows),
    records: sum(of, (one) => one.records ?? 0),
    isEstimate: of.some((one) => one.isEstimate),
    off: of.filter(({ state }) => state === 'off').length,
    refused: of.filter(({ state }) => state === 'refused').length,
  }));
}

export function planAsJson(plan: Plan): unknown {
  const { backfills, windows } = plan;
  const share = (calls: number) => (windows === null ? 0 : rounded(calls / windows.hour, 4));
  const lines = linesOf(backfills).map((line): [string, object] => [
    line.resource,
    {
      ...{ calls: line.calls, records: line.records, list_calls: line.listCalls, shows: line.shows },
      ...{ share_of_hour: share(line.calls), is_estimate: line.isEstimate, off: line.off, refused: line.refused },
    },
  ]);
  return {
    calls: callsOf(backfills),
    minutes: rounded(plan.minutes, 1),
    share_of_hour: rounded(plan.shareOfHour, 4),
    by_resource: new Map(lines),
    calls_to_plan: plan.calls,
    calls_per_hour: windows?.hour ?? null,
    limit_is_known: plan.isTold,
    refused: backfills.flatMap(({ companyId, projectId, resource, trouble }) =>
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
  const { backfills, windows } = plan;
  const lines = linesOf(backfills).toSorted((a, b) => b.calls - a.calls);
  const rows = lines
    .filter(({ calls }) => calls > 0)
    .map((line) => [
      ...[
        line.resource,
        `${line.isEstimate ? '~' : ''}${line.records}`.padStart(RECORDS_WIDTH),
        line.listCalls,
        line.shows,
        line.calls,
      ],
      windows === null ? '–' : `${((100 * line.calls) / windows.hour).toFixed(1)} %`,
    ]);
  const off = lines.filter((line) => line.off > 0).map((line) => `${line.resource} (${line.off})`);
  const refused = backfills.filter(({ trouble }) => trouble !== null);
  return [
    ...(rows.length === 0
      ? []
      : [table(['resource', 'records'.padStart(RECORDS_WIDTH), 'lists', 'shows', 'calls', 'of an hour'], rows), '']),
    `${counted(callsOf(backfills), 'call')}, ${timeInWords(plan)}.`,
    ...(rows.some(([, records]) => String(records).includes('~'))
      ? ['~ estimated: one parent, or the newest 90 days, stand for the others.']
      : []),
    ...(off.length === 0
      ? []
      : ['', `Their tool is off, so they cost nothing (in so many projects):`, ...wrapped(off)]),
    ...(refused.length === 0 ? [] : ['', 'Not answered as a list is:']),
    ...refused.slice(0, MOST_NAMED).map((one) => `- ${one.resource} in ${nameOf(one)}: ${one.trouble}`),
    ...(refused.length > MOST_NAMED ? [`- ${refused.length - MOST_NAMED} more (--json names them)`] : []),
    '',
    `Nothing was stored. To find out took ${counted(plan.calls, 'call')}.`,
  ].join('\n');
}

function timeInWords({ windows, minutes, isTold }: Plan): string {
  if (windows === null) return `about ${duration(minutes)} at the pace of these answers, which tell of no limit`;
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
