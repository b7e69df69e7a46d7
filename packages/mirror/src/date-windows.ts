// Daily logs and timecards are listed by their day. Which windows of days bring the wanted ones for fewer calls than
// asking for each alone? Pure. A window proves nothing of a record that it does not bring, so a wrong day costs a call
// and never a row.
import type { WantedRecord } from './plan-fetch.ts';

export type DateWindow = {
  ids: readonly string[];
  /** The first and the last day, `2026-06-30`. */
  from: string;
  to: string;
};

/** What the choice depends on: the days that our rows are of, and how many records a day and a page hold. */
export type DayFacts = { days: ReadonlyMap<string, string>; recordsPerDay: number; perPage: number };

type Days = { id: string; from: number; to: number };

const DAY_MS = 24 * 60 * 60 * 1000;
/** A range of about 13 weeks is the most that daily logs take (SOURCES: REST behaviour). */
export const DAYS_PER_WINDOW = 90;
// A new log is mostly of the day of its event or of the days before. Where the site is tells which day that is: it may
// be a day before or after that of Greenwich.
const DAYS_BEFORE_EVENT = 3;
const DAYS_AFTER_EVENT = 1;

/** Windows that bring several of the records each; those that are better asked for alone are left out. */
export function dateWindows(wanted: readonly WantedRecord[], facts: DayFacts): DateWindow[] {
  const known = wanted.flatMap((record) => daysOf(record, facts.days) ?? []);
  const groups: Days[][] = [];
  for (const one of known.toSorted((a, b) => a.from - b.from || a.to - b.to)) {
    const group = groups.at(-1);
    if (group !== undefined && isWorthwhile(group, one, facts)) group.push(one);
    else groups.push([one]);
  }
  return groups.map(windowOf).filter((window) => pagesOfWindow(window, facts) < window.ids.length);
}

/** How many pages the window will have, as far as the mirror can tell. */
export function pagesOfWindow(
  { ids, from, to }: DateWindow,
  { recordsPerDay, perPage }: Omit<DayFacts, 'days'>,
): number {
  const days = numberOf(to) - numberOf(from) + 1;
  return Math.max(1, Math.ceil(Math.max(ids.length, days * recordsPerDay) / perPage));
}

/** The query that asks a list for these days. */
export function datesBetween({ from, to }: Pick<DateWindow, 'from' | 'to'>): [string, string][] {
  return [
    ['start_date', from],
    ['end_date', to],
  ];
}

/** The day of this moment in Greenwich, or one so many days later. */
export function dayOf(moment: Date, later = 0): string {
  return textOf(Math.floor(moment.getTime() / DAY_MS) + later);
}

/** Does the window reach to the record for fewer pages than a window of its own would have? */
function isWorthwhile(group: readonly Days[], one: Days, facts: DayFacts): boolean {
  const now = windowOf(group);
  const longer = windowOf([...group, one]);
  if (numberOf(longer.to) - numberOf(longer.from) >= DAYS_PER_WINDOW) return false;
  return pagesOfWindow(longer, facts) < pagesOfWindow(now, facts) + pagesOfWindow(windowOf([one]), facts);
}

function windowOf(group: readonly Days[]): DateWindow {
  return {
    ids: group.map(({ id }) => id),
    from: textOf(Math.min(...group.map(({ from }) => from))),
    to: textOf(Math.max(...group.map(({ to }) => to))),
  };
}

/** The days that the record may be of; null when nothing tells. */
function daysOf({ id, occurredAt }: WantedRecord, known: DayFacts['days']): Days | null {
  const day = numberOf(known.get(id) ?? '');
  if (!Number.isNaN(day)) return { id, from: day, to: day };
  const event = Math.floor(Date.parse(occurredAt ?? '') / DAY_MS);
  return Number.isNaN(event) ? null : { id, from: event - DAYS_BEFORE_EVENT, to: event + DAYS_AFTER_EVENT };
}

function numberOf(day: string): number {
  return /^\d{4}-\d\d-\d\d$/.test(day) ? Date.parse(day) / DAY_MS : Number.NaN;
}

function textOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}
