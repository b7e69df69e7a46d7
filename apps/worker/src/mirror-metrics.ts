// What `/metrics` tells of the whole database: by the worker that judges, and by no other. Series are there from the start.
import { FINDING_CODES, type JudgedMirror } from '@procore-mirror/mirror';
import { Gauge, Registry } from '@procore-mirror/runtime';
import { combinations, LANES } from './worker-metrics.ts';

type Values = readonly (readonly [labels: Record<string, string>, value: number])[];

type Metric = {
  name: string;
  help: string;
  /** Labels, and all values of each; none where they are not known beforehand. */
  labels?: Readonly<Record<string, readonly string[]>>;
  /** What is said of one series several times is added up; of which nothing is said it is 0. */
  read: (mirror: JudgedMirror) => Values | number;
};

const WINDOWS = ['hour', 'spike', 'pause'] as const;
const HOOK_STATES = ['wanted', 'active', 'missing', 'disabled', 'refused', 'wrong', 'unseen'] as const;
const VERDICTS = ['fine', 'healing', 'needs you'] as const;

const METRICS: readonly Metric[] = [
  {
    name: 'verdict',
    help: '1 for the verdict that the mirror has now, as pnpm mirror status gives it.',
    labels: { verdict: VERDICTS },
    read: ({ verdict }) => [[{ verdict }, 1]],
  },
  {
    name: 'findings',
    help: 'Findings of the judge, by code and severity; docs/runbook.md explains each code.',
    labels: { code: FINDING_CODES, severity: ['error', 'warning', 'info'] },
    read: ({ findings }) => findings.map(({ code, severity }) => [{ code, severity }, 1]),
  },
  {
    name: 'pending_records',
    help: 'Records with news that is not fetched yet, by lane.',
    labels: { lane: LANES },
    read: ({ metrics }) => metrics.pending.map(({ lane, records }) => [{ lane }, records]),
  },
  {
    name: 'oldest_pending_seconds',
    help: 'For how long the record that waits longest has waited, by lane; 0: none does.',
    labels: { lane: LANES },
    read: ({ metrics, facts }) =>
      metrics.pending.map(({ lane, oldestAt }) => [{ lane }, age(facts.now, oldestAt) ?? 0]),
  },
  {
    name: 'budget_remaining_ratio',
    help: 'What is left of the calls of a window, the least of all companies, 0 to 1; pause: 0 while Procore allows a company none.',
    labels: { window: WINDOWS },
    read: (mirror) => WINDOWS.map((window) => [{ window }, leastLeft(mirror, window)?.ratio ?? 1]),
  },
  {
    name: 'budget_resets_timestamp_seconds',
    help: 'When that window, or pause, is over; 0: none runs.',
    labels: { window: WINDOWS },
    read: (mirror) => WINDOWS.map((window) => [{ window }, timestamp(leastLeft(mirror, window)?.endsAt ?? null)]),
  },
  {
    name: 'queue_waiting_deliveries',
    help: 'Deliveries in the queue that are not recorded yet; NaN: the queue cannot be reached.',
    read: ({ facts }) => facts.queue.waiting ?? Number.NaN,
  },
  {
    name: 'dead_letters',
    help: 'Dead letters; retried: no where nothing tries them again by itself.',
    labels: { retried: ['yes', 'no'] },
    read: ({ facts }) =>
      facts.deadLetters.map(({ isRetried, count }) => [{ retried: isRetried ? 'yes' : 'no' }, count]),
  },
  {
    name: 'scopes_parked',
    help: 'Scopes that are parked.',
    read: ({ facts }) => sumOf(facts.parked),
  },
  {
    name: 'hooks',
    help: 'Scopes that are to have a hook (wanted), hooks that are active, and those that are not as they should be.',
    labels: { state: HOOK_STATES },
    read: ({ facts, metrics }) => [
      [{ state: 'wanted' }, metrics.hooks.wanted],
      [{ state: 'active' }, metrics.hooks.active],
      [{ state: 'unseen' }, sumOf(facts.unseenHooks)],
      ...facts.hooks.map(({ state, count }) => [{ state }, count] as const),
    ],
  },
  {
    name: 'undelivered_events',
    help: 'Events that Procore could not deliver, as the busiest hooks of each company told last.',
    read: ({ facts }) => sumOf(facts.undelivered),
  },
  {
    name: 'undelivered_oldest_seconds',
    help: 'Age of the oldest of them; Procore throws it away after 12 hours. 0: there is none.',
    read: ({ facts }) => Math.max(0, ...facts.undelivered.map(({ oldestAt }) => age(facts.now, oldestAt) ?? 0)),
  },
  {
    name: 'last_delivery_seconds',
    help: 'How long ago the last event came by a delivery; NaN: none did yet.',
    read: ({ facts, metrics }) => age(facts.now, metrics.deliveredAt) ?? Number.NaN,
  },
  {
    name: 'fills',
    help: 'Fills of a table in a scope that wait or run (open), or failed.',
    labels: { state: ['open', 'failed'] },
    read: ({ facts }) => [
      [{ state: 'open' }, sumOf(facts.openFills)],
      [{ state: 'failed' }, sumOf(facts.failedFills)],
    ],
  },
  {
    name: 'proof_age_seconds',
    help: 'How long ago the tables whose turn is next were last proved equal, by any rung (cheap) or by whole lists (listing), the longest of all companies; NaN: never.',
    labels: { rung: ['cheap', 'listing'] },
    read: ({ facts, metrics }) => [
      [{ rung: 'cheap' }, age(facts.now, metrics.proofs.cheapAt) ?? Number.NaN],
      [{ rung: 'listing' }, age(facts.now, metrics.proofs.listingAt) ?? Number.NaN],
    ],
  },
  {
    name: 'proof_differences',
    help: "Records that differ from Procore's and that nothing repaired yet.",
    read: ({ facts }) => sumOf(facts.differences),
  },
  {
    name: 'tables_unproved',
    help: 'Tables that no comparison proved equal for more than two rounds.',
    read: ({ facts }) => sumOf(facts.unproved),
  },
  {
    name: 'schema_info',
    help: 'Always 1; its label tells the newest migration of the database.',
    labels: { migration: [] },
    read: ({ metrics }) => [[{ migration: metrics.migration ?? 'none' }, 1]],
  },
];

export type MirrorMetrics = {
  registry: Registry;
  /** Has the registry tell of the mirror as it was judged. */
  tell: (mirror: JudgedMirror) => void;
};

/** Gauges of the whole database. */
export function createMirrorMetrics(): MirrorMetrics {
  const registry = new Registry();
  const gauges = METRICS.map(({ name, help, labels = {}, read }) => {
    const how = { name: `procore_mirror_${name}`, help, labelNames: Object.keys(labels), registers: [registry] };
    return { gauge: new Gauge(how), labels, read };
  });
  return {
    registry,
    tell: (mirror) => {
      for (const { gauge, labels, read } of gauges) {
        const told = read(mirror);
        gauge.reset();
        for (const series of combinations(labels)) gauge.set(series, 0);
        for (const [series, value] of typeof told === 'number' ? [[{}, told] as const] : told) gauge.inc(series, value);
      }
    },
  };
}

/** The window of that kind of which least is left. */
function leastLeft(
  { facts }: JudgedMirror,
  window: (typeof WINDOWS)[number],
): { ratio: number; endsAt: string | null } | null {
  if (window === 'pause') {
    const longest = facts.pauses.toSorted((one, other) => Date.parse(other.until) - Date.parse(one.until))[0];
    return longest === undefined ? null : { ratio: 0, endsAt: longest.until };
  }
  const windows = facts.budget.windows
    .filter((one) => one.window === window && one.limit > 0)
    .map(({ left, limit, endsAt }) => ({ ratio: left / limit, endsAt }));
  return windows.toSorted((one, other) => one.ratio - other.ratio)[0] ?? null;
}

function sumOf(groups: readonly { count: number }[]): number {
  return groups.reduce((sum, { count }) => sum + count, 0);
}

/** Seconds; null: not known. */
function age(now: string, moment: string | null): number | null {
  return moment === null ? null : Math.max(0, (Date.parse(now) - Date.parse(moment)) / 1_000);
}

function timestamp(moment: string | null): number {
  return moment === null ? 0 : Date.parse(moment) / 1_000;
}
