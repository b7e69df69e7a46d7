// What a worker counts of its own work. Series are there from the start, so that a rate is known from the first event on.
import type { Lane, SettledNews } from '@procore-mirror/database';
import type { BatchReport, Recorded } from '@procore-mirror/mirror';
import { Counter, createRegistry, Gauge, Histogram, type Registry, tellBuild } from '@procore-mirror/runtime';

export type WorkerMetrics = {
  registry: Registry;
  recorded: (recorded: Recorded) => void;
  fetched: (resource: string, report: BatchReport) => void;
  called: (call: { lane: Lane; status: number | null }) => void;
  tokenRefused: (by: 'login' | 'api') => void;
  /** `waited`: for calls, as far as is known. */
  settled: (news: SettledNews, waited: boolean) => void;
};

export const LANES = [
  'live',
  'detail',
  'repair',
  'upkeep',
  'poll',
  'backfill',
  'verify',
  'files',
] as const satisfies Lane[];
/** Lanes that news of events takes. */
const NEWS_LANES = ['live', 'detail', 'repair'] as const satisfies Lane[];
/** Those that Procore is known to answer; any other is told by its class, so that nobody can make thousands of series. */
const STATUSES = ['200', '201', '204', '400', '401', '403', '404', '422', '429', '500', '502', '503', '504'];
const OTHER_STATUSES = ['2xx', '3xx', '4xx', '5xx', 'none'];
/** More resources, which only MIRROR_CATALOGUE can add, are told as `other`: a scrape stays small. */
const MOST_RESOURCES = 200;
const OTHER = 'other';

/** Counters of one worker, which mirrors these resources. */
export function createWorkerMetrics(options: {
  version: string;
  resources: readonly string[];
  /** How many calls of each lane wait for leave now. */
  callsWaiting: () => ReadonlyMap<Lane, number>;
}): WorkerMetrics {
  const registry = createRegistry();
  const registers = [registry];
  const named = new Set(options.resources.slice(0, MOST_RESOURCES));
  const nameOf = (resource: string) => (named.has(resource) ? resource : OTHER);
  const resources = named.size < options.resources.length ? [...named, OTHER] : [...named];
  tellBuild(registry, { app: 'worker', version: options.version });
  const counter = <Label extends string>(name: string, help: string, labels: { [K in Label]: readonly string[] }) => {
    const made = new Counter({ name: `procore_mirror_${name}`, help, labelNames: Object.keys(labels), registers });
    for (const series of combinations<string>(labels)) made.inc(series, 0);
    return made;
  };
  const events = counter('events_total', 'Deliveries recorded, by outcome.', {
    outcome: ['pending', 'known', 'ignored', 'dead'],
  });
  const batches = counter('batches_total', 'Runs over a batch, by outcome.', {
    ...{ resource: resources, outcome: ['done', 'wait', 'parked'] },
  });
  const rows = counter('rows_total', 'Rows stored or marked absent.', {
    ...{ resource: resources, change: ['stored', 'absent'] },
  });
  const calls = counter('calls_total', 'Calls to Procore, by lane and status; none: it got no answer.', {
    ...{ lane: LANES, status: [...STATUSES, ...OTHER_STATUSES] },
  });
  const refusals = counter('token_refusals_total', TOKEN_REFUSALS, { by: ['login', 'api'] });
  const eventToRow = new Histogram({
    name: 'procore_mirror_event_to_row_seconds',
    help: 'From the arrival of an event to its row; waited_for_calls: yes where calls of its company were short meanwhile.',
    labelNames: ['lane', 'waited_for_calls'],
    buckets: [1, 2, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600],
    registers,
  });
  for (const lane of NEWS_LANES)
    for (const waited of ['yes', 'no']) eventToRow.zero({ lane, waited_for_calls: waited });
  new Gauge({
    name: 'procore_mirror_calls_waiting',
    help: 'Calls of this worker that wait for leave now, by lane.',
    labelNames: ['lane'],
    registers,
    collect() {
      const waiting = options.callsWaiting();
      for (const lane of LANES) this.set({ lane }, waiting.get(lane) ?? 0);
    },
  });
  return {
    registry,
    recorded: ({ outcome }) => events.inc({ outcome }),
    fetched: (resource, { outcome, stored, absent }) => {
      batches.inc({ resource: nameOf(resource), outcome });
      rows.inc({ resource: nameOf(resource), change: 'stored' }, stored);
      rows.inc({ resource: nameOf(resource), change: 'absent' }, absent);
    },
    called: ({ lane, status }) => calls.inc({ lane, status: statusOf(status) }),
    tokenRefused: (by) => refusals.inc({ by }),
    settled: ({ lane, ms }, waited) => {
      if (!NEWS_LANES.some((one) => one === lane)) return;
      eventToRow.observe({ lane, waited_for_calls: waited ? 'yes' : 'no' }, ms / 1_000);
    },
  };
}

const TOKEN_REFUSALS =
  'Refused by login: the login server does not accept the credentials; by api: Procore does not accept a token that it gave.';

function statusOf(status: number | null): string {
  if (status === null) return 'none';
  const named = String(status);
  if (STATUSES.includes(named)) return named;
  const ofClass = `${named[0]}xx`;
  return OTHER_STATUSES.includes(ofClass) ? ofClass : 'none';
}

/** Each combination of the values of these labels. */
export function combinations<T>(labels: Readonly<Record<string, readonly T[]>>): Record<string, T>[] {
  return Object.entries(labels).reduce<Record<string, T>[]>(
    (all, [label, values]) => all.flatMap((one) => values.map((value) => ({ ...one, [label]: value }))),
    [{}],
  );
}
