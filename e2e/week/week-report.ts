// What a week cost: calls for each event, resource by resource, and how long rows were behind.
import { catalogue } from '@procore-mirror/catalogue';
import type { Database } from '@procore-mirror/database';

/** As they are made; no hour, resource or status that had none. */
export type WeekCalls = {
  byResource: Map<string, { show: number; list: number }>;
  /** By hours since 1970. */
  byHour: Map<number, number>;
  byStatus: Map<number | null, number>;
};

/** Minutes of the virtual week from news to row. */
type Waits = { p50: number; p95: number; max: number };

type ResourceReport = {
  resource: string;
  /** Each of them leads to a fetch, so there would be as many calls without any folding. */
  events: number;
  deliveries: number;
  records: number;
  shows: number;
  lists: number;
  callsPerEvent: number;
  /** Until the row was right for the first time, be it only as far as a list carries it, and until it was complete. */
  right: Waits | null;
  complete: Waits | null;
};

export type WeekReport = {
  resources: ResourceReport[];
  total: Omit<ResourceReport, 'resource'>;
  /** Calls in each hour of the week, and in those after it that it took. */
  hours: number[];
  byStatus: Record<string, number>;
  /** Rows that are not complete, events that led to no fetch, dead letters: none, when all is well. */
  wrong: { incomplete: number; ignored: number; deadLetters: number };
  /** The clock of everything the database wrote: none outside the week. */
  outsideTheWeek: number;
};

const HOUR_MS = 3_600_000;
const SETTING_UP_MS = 2 * HOUR_MS;

export async function readWeek(
  database: Database,
  { calls, start, end }: { calls: WeekCalls; start: number; end: number },
): Promise<WeekReport> {
  const events = await countEvents(database);
  const waits = await readWaits(database);
  const resources = [...events].map(([resource, counts]) => {
    const { show = 0, list = 0 } = calls.byResource.get(resource) ?? {};
    return {
      resource,
      ...counts,
      shows: show,
      lists: list,
      callsPerEvent: (show + list) / counts.events,
      ...waits.get(resource),
    };
  });
  const of = (name: 'events' | 'deliveries' | 'records' | 'shows' | 'lists'): number =>
    resources.reduce((sum, one) => sum + one[name], 0);
  const nothing = { right: null, complete: null };
  return {
    resources: resources.map((one) => ({ ...nothing, ...one })).toSorted((a, b) => b.events - a.events),
    total: {
      ...{
        events: of('events'),
        deliveries: of('deliveries'),
        records: of('records'),
        shows: of('shows'),
        lists: of('lists'),
      },
      callsPerEvent: (of('shows') + of('lists')) / of('events'),
      ...nothing,
      ...waits.get(null),
    },
    hours: Array.from(
      { length: Math.ceil((end - start) / HOUR_MS) },
      (_, index) => calls.byHour.get(start / HOUR_MS + index) ?? 0,
    ),
    byStatus: Object.fromEntries([...calls.byStatus].map(([status, count]) => [String(status), count])),
    wrong: await countWrong(database),
    outsideTheWeek: await countOutside(database, start - SETTING_UP_MS, end),
  };
}

type Counts = Pick<ResourceReport, 'events' | 'deliveries' | 'records'>;

async function countEvents({ pool }: Database): Promise<Map<string, Counts>> {
  const { rows } = await pool.query<Counts & { resource: string }>(
    `select resource, count(*)::int as events, sum(deliveries)::int as deliveries,
      count(distinct (project_id, record_id))::int as records from mirror.events where outcome = 'pending' group by 1`,
  );
  return new Map(rows.map(({ resource, ...counts }) => [resource, counts]));
}

type Found = { right: Waits | null; complete: Waits | null };

async function readWaits({ pool }: Database): Promise<Map<string | null, Found>> {
  const minutes = (share: string, condition: string) =>
    `${share} within group (order by ms) filter (where ${condition}) / 60000`;
  const three = (
    name: string,
    condition: string,
  ) => `case when count(*) filter (where ${condition}) > 0 then json_build_object(
    'p50', ${minutes('percentile_cont(0.5)', condition)}, 'p95', ${minutes('percentile_cont(0.95)', condition)},
    'max', max(ms) filter (where ${condition}) / 60000) end as ${name}`;
  const { rows } = await pool.query<Found & { resource: string | null }>(
    `select resource, ${three('"right"', 'is_first')}, ${three('complete', 'is_complete')}
      from virtual_clock.waits group by grouping sets ((resource), ())`,
  );
  return new Map(rows.map(({ resource, ...waits }) => [resource, waits]));
}

async function countWrong({ pool }: Database): Promise<WeekReport['wrong']> {
  const incomplete = catalogue.mirrored.map(
    ({ table }) => `select count(*) as count from procore.${table.name} where not _complete and _deleted_at is null`,
  );
  const { rows } = await pool.query<WeekReport['wrong']>(
    `select (select sum(count) from (${incomplete.join(' union all ')}) as tables)::int as incomplete,
      (select count(*)::int from mirror.events where outcome <> 'pending') as ignored,
      (select count(*)::int from mirror.dead_letters) as "deadLetters"`,
  );
  const [row] = rows;
  if (row === undefined) throw new Error('the database counted nothing');
  return row;
}

/** Times that the database took from a clock, in tables and by functions, that are not of the week. */
async function countOutside({ pool }: Database, start: number, end: number): Promise<number> {
  const times = [
    ...catalogue.tables.map(({ name }) => `select _fetched_at as at from procore.${name}`),
    'select served_at from mirror.batches where served_at is not null',
    'select updated_at from mirror.budget',
    'select opened_at from mirror.budget',
    'select seen_at from mirror.callers',
    'select received_at from mirror.events',
    'select now()',
  ];
  const { rows } = await pool.query<{ count: number }>(
    `select count(*)::int as count from (${times.join(' union all ')}) as times
      where at not between to_timestamp($1::float8 / 1000) and to_timestamp($2::float8 / 1000)`,
    [start, end],
  );
  return rows[0]?.count ?? -1;
}

/** The report as lines of a table for people. */
export function weekInWords({ resources, total, hours, byStatus }: WeekReport): string {
  const rows = [...resources, { resource: 'all', ...total }].map((one) => [
    one.resource,
    String(one.events),
    String(one.records),
    String(one.shows),
    String(one.lists),
    one.callsPerEvent.toFixed(3),
    String(one.events),
    ...[one.right, one.complete].flatMap((waits) =>
      waits === null ? ['–', '–', '–'] : [waits.p50, waits.p95, waits.max].map((minutes) => minutes.toFixed(1)),
    ),
  ]);
  const head = ['resource', 'events', 'records', 'shows', 'lists', 'calls/event', 'naive calls'];
  const waits = ['right p50', 'p95', 'max', 'complete p50', 'p95', 'max'];
  const busiest = hours.toSorted((a, b) => b - a).slice(0, 10);
  return [
    table([[...head, ...waits], ...rows]),
    `waits in minutes; ${total.deliveries} deliveries of ${total.events} events`,
    `calls in the ten busiest hours: ${busiest.join(' ')} of 600 allowed; after ${hours.length} hours nothing was pending`,
    `answers: ${Object.entries(byStatus)
      .map(([status, count]) => `${count} × ${status}`)
      .join(', ')}`,
  ].join('\n');
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, index) => Math.max(...rows.map((cells) => cells[index]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, index) => (index === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[index] ?? 0)))
      .join('  ');
  return rows.map(line).join('\n');
}
