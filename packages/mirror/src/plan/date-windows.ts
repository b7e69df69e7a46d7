// Daily logs and timecards are listed by their day. Which windows of days bring the wanted ones for fewer calls than
// asking for each alone? Pure. A window proves nothing of a record that it does not bring, so a wrong day costs a call
// and never a row.
import type { WantedRecord } from './wanted-record.ts';

export type DateWindow = {
  ids: readonly string[];
  /** The first and the last day, `2026-06-30`. */
  from: string;
  to: string;
};

/** What the choice depends on: the days that our rows are of, and how many records a day and a page hold. */
export type DayFacts = { days: ReadonlyMap<string, string>; recordsPerDay: number; perPage: number };

/** The same, days counted from 1970. Grows as records are added: a batch may have many thousands. */
type Span = { ids: string[]; from: number; to: number };
type Pages = Omit<DayFacts, 'days'>;

const DAY_MS = 24 * 60 * 60 * 1000;
/** A range of about 13 weeks is the most that daily logs take (docs/procore.md: Days). */
const DAYS_PER_WINDOW = 90;
const WINDOWS_BACK = 4;
// A new log is mostly of the day of its event or of the days before. Where the site is tells which day that is: it may
// be a day before or after that of Greenwich.
const DAYS_BEFORE_EVENT = 3;
const DAYS_AFTER_EVENT = 1;

/** Windows that bring several of the records each; those that are better asked for alone are left out. */
export function dateWindows(wanted: readonly WantedRecord[], facts: DayFacts): DateWindow[] {
  const known = wanted.flatMap((record) => daysOf(record, facts.days) ?? []);
  const spans: Span[] = [];
  for (const one of known.toSorted((a, b) => a.from - b.from || a.to - b.to)) {
    const span = spans.at(-1);
    if (span !== undefined && isWorthwhile(span, one, facts)) extend(span, one);
    else spans.push(one);
  }
  return spans
    .filter((span) => countPages(span.ids.length, span, facts) < span.ids.length)
    .map(({ ids, from, to }) => ({ ids, from: textOf(from), to: textOf(to) }));
}

/** Windows that cover the last year and, because some sites are ahead of Greenwich, tomorrow; newest first. */
export function windowsBack(now: Date): Pick<DateWindow, 'from' | 'to'>[] {
  return Array.from({ length: WINDOWS_BACK }, (_, index) => ({
    from: dayOf(now, 2 - (index + 1) * DAYS_PER_WINDOW),
    to: dayOf(now, 1 - index * DAYS_PER_WINDOW),
  }));
}

/** How many pages the window will have, as far as the mirror can tell. */
export function pagesOfWindow({ ids, from, to }: DateWindow, facts: Pages): number {
  return countPages(ids.length, { from: numberOf(from), to: numberOf(to) }, facts);
}

/** The query that asks a list for these days. */
export function datesBetween({ from, to }: Pick<DateWindow, 'from' | 'to'>): [string, string][] {
  return [
    ['start_date', from],
    ['end_date', to],
  ];
}

/** The days that such a query asks for; null: it asks for none. */
export function askedDays(search: readonly (readonly [string, string])[]): Pick<DateWindow, 'from' | 'to'> | null {
  const { start_date: from, end_date: to } = Object.fromEntries(search);
  return from === undefined || to === undefined ? null : { from, to };
}

/** The day of this moment in Greenwich, or one so many days later. */
export function dayOf(moment: Date, later = 0): string {
  return textOf(Math.floor(moment.getTime() / DAY_MS) + later);
}

/** Does the window reach to the record for fewer pages than a window of its own would have? */
function isWorthwhile(span: Span, one: Span, facts: Pages): boolean {
  const longer = { from: Math.min(span.from, one.from), to: Math.max(span.to, one.to) };
  if (longer.to - longer.from >= DAYS_PER_WINDOW) return false;
  const records = span.ids.length;
  return countPages(records + 1, longer, facts) < countPages(records, span, facts) + countPages(1, one, facts);
}

function extend(span: Span, one: Span): void {
  span.ids.push(...one.ids);
  span.from = Math.min(span.from, one.from);
  span.to = Math.max(span.to, one.to);
}

function countPages(
  records: number,
  { from, to }: Pick<Span, 'from' | 'to'>,
  { recordsPerDay, perPage }: Pages,
): number {
  return Math.max(1, Math.ceil(Math.max(records, (to - from + 1) * recordsPerDay) / perPage));
}

/** The days that the record may be of; null when nothing tells. */
function daysOf({ id, occurredAt }: WantedRecord, known: DayFacts['days']): Span | null {
  const day = numberOf(known.get(id) ?? '');
  if (!Number.isNaN(day)) return { ids: [id], from: day, to: day };
  const event = Math.floor(Date.parse(occurredAt ?? '') / DAY_MS);
  return Number.isNaN(event) ? null : { ids: [id], from: event - DAYS_BEFORE_EVENT, to: event + DAYS_AFTER_EVENT };
}

function numberOf(day: string): number {
  return /^\d{4}-\d\d-\d\d$/.test(day) ? Date.parse(day) / DAY_MS : Number.NaN;
}

function textOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}
