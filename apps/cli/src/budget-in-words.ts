import type { MirrorStatus } from '@procore-mirror/database';

type Budget = MirrorStatus['budget'];

const MOST_LINES = 20;

const owners = {
  all: 'one limit for all companies together',
  company: 'each company has limits of its own',
} as const;

/** Procore's limits, a line each: what is left, until when, and what others used of them. Empty while nothing is known. */
export function budgetInWords({ owner, because, windows }: Budget): string {
  if (windows.length === 0) return '';
  const lines = windows.slice(0, MOST_LINES).map((one) => `${one.companyId ?? 'all'}: ${windowInWords(one)}`);
  const more = windows.length - MOST_LINES;
  if (more > 0) lines.push(`(${more} more: --json, or select * from mirror.budget)`);
  const whose =
    owner === null
      ? 'whose limits they are is not known yet'
      : `${owners[owner]}, as a ${because === 'refusal' ? 'refused call' : 'look at the answers'} showed`;
  return [`Calls that Procore allows (${whose})`, ...lines].join('\n');
}

/** The hour that has the fewest calls left, as a line; empty while none is known. */
export function hourInWords({ windows }: Budget): string {
  const hours = windows.filter(({ window }) => window === 'hour').toSorted((one, other) => one.left - other.left);
  const [first] = hours;
  if (first === undefined) return '';
  const of = first.companyId === null ? '' : ` of company ${first.companyId}`;
  return `${windowInWords(first)}${of}${hours.length > 1 ? ` (${hours.length - 1} more: --all)` : ''}`;
}

function windowInWords({ window, limit, left, endsAt, isTold, callsOfOthers }: Budget['windows'][number]): string {
  const [these, those] = window === 'hour' ? ['this hour', 'an hour'] : ['these ten seconds', 'ten seconds'];
  const known = isTold ? ', as Procore told' : '; assumed: Procore told of no such limit yet';
  if (endsAt === null) return `${limit} in ${those}, from the next call on${known}`;
  const others = callsOfOthers === 0 ? '' : `; others used ${callsOfOthers} calls of ${these}`;
  return `${left} of ${limit} left in ${these}, next at ${new Date(endsAt).toISOString().slice(11, 16)} UTC${others}${known}`;
}
