import { readFileSync } from 'node:fs';
import path from 'node:path';
import { catalogue } from '@procore-mirror/catalogue';
import { FINDING_CODES, type JudgedMirror } from '@procore-mirror/mirror';
import { expect, test } from 'vitest';
import { createMetricsPage } from './metrics-page.ts';
import { createMirrorMetrics } from './mirror-metrics.ts';
import { createWorkerMetrics, LANES } from './worker-metrics.ts';

const now = '2026-06-30T12:00:00.000Z';
const ago = (minutes: number) => new Date(Date.parse(now) - minutes * 60_000).toISOString();
const report = { outcome: 'done', stored: 3, absent: 1, parked: [], unparked: 0, error: null } as const;

/** Of two companies, with something of everything. */
function judgedMirror(): JudgedMirror {
  const group = (count: number, companyId = '7') => ({
    ...{ companyId, projectId: null, resource: null, count, since: ago(90), first: [] },
  });
  const window = { window: 'hour', limit: 600, isTold: true, calls: 1, callsOfOthers: 0 } as const;
  const facts: JudgedMirror['facts'] = {
    ...{ now, parked: [], hooks: [], unseenHooks: [group(2)], hasHooks: true, olderThanLog: [] },
    ...{
      unreadLogs: [],
      silent: [],
      toComplete: [],
      callsByHour: [],
      waitingNews: [],
      unproved: [],
      standing: [],
      missed: [],
    },
    ...{ receivers: [], gaps: [], workers: [], overwrittenOn: null, fill: null, rounds: [] },
    queue: { waiting: 12, problem: null },
    hooks: ['7', '8'].map((companyId) => ({ ...group(3, companyId), state: 'disabled' as const, finding: null })),
    undelivered: ['7', '8'].map((companyId) => ({ companyId, count: 4, oldestAt: ago(30), askedAt: now })),
    deadLetters: [
      { ...group(5), reason: 'answer_422', isRetried: false, nextTryAt: null },
      { ...group(6), reason: 'answer_400', isRetried: true, nextTryAt: now },
    ],
    failedFills: [{ ...group(1), detail: null }],
    openFills: [{ ...group(8), retried: 0, detail: null, isHeld: true, dueAt: now }],
    budget: {
      ...{ owner: 'company', because: 'answers' },
      windows: [
        { ...window, companyId: '7', left: 300, endsAt: ago(-10) },
        { ...window, companyId: '8', left: 60, endsAt: ago(-20) },
      ],
    },
    pauses: [{ companyId: '8', until: ago(-5) }],
    differences: [group(2), group(9, '8')],
  };
  const finding = { companyId: '7', projectId: null, resource: null, since: null, message: 'm', fix: null };
  return {
    ...{ verdict: 'needs you', healedAt: null, facts },
    findings: ['7', '8'].map((companyId) => ({
      ...{ ...finding, companyId, code: 'hook-disabled', severity: 'error' as const },
    })),
    metrics: {
      pending: [{ lane: 'live', records: 40, oldestAt: ago(10) }],
      ...{ hooks: { wanted: 20, active: 14 } },
      ...{ proofs: { cheapAt: ago(60), listingAt: null }, deliveredAt: ago(1), migration: '0032_x' },
    },
  };
}

function aWorker(judged: JudgedMirror | null, answer: () => Promise<unknown> = async () => null) {
  const resources = catalogue.tables.map(({ resource }) => resource);
  const metrics = createWorkerMetrics({ version: '1.2.3', resources, callsWaiting: () => new Map([['verify', 2]]) });
  const database = { pool: { query: answer } } as unknown as Parameters<typeof createMetricsPage>[0]['database'];
  const page = createMetricsPage({
    ...{ registry: metrics.registry, database, judged: () => judged, answersWithinMs: 20 },
  });
  const series = async () => (await page.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return { metrics, page, series };
}

test('a scrape of all resources, two companies and all lanes stays below 2,000 series, whatever Procore answers', async () => {
  const { metrics, series } = aWorker(judgedMirror());
  for (const { resource } of catalogue.tables) {
    for (const outcome of ['done', 'wait', 'parked'] as const) metrics.fetched(resource, { ...report, outcome });
  }
  for (const lane of LANES) {
    for (let status = 100; status < 1_000; status += 1) metrics.called({ lane, status });
    for (const waited of [true, false]) metrics.settled({ lane, ms: 2_500 }, waited);
  }
  const all = await series();
  expect(all.length).toBeGreaterThan(500);
  expect(all.length).toBeLessThan(2_000);
  const names = all.map((line) => line.slice(0, line.lastIndexOf(' ')));
  expect(new Set(names).size).toBe(names.length);
});

test('however many resources a catalogue adds, a scrape stays below 2,000 series', async () => {
  const resources = Array.from({ length: 1_000 }, (_, index) => `Thing ${index}`);
  const metrics = createWorkerMetrics({ version: '1', resources, callsWaiting: () => new Map() });
  for (const resource of resources) metrics.fetched(resource, report);
  const text = await metrics.registry.metrics();
  expect(text.split('\n').filter((line) => !line.startsWith('#')).length).toBeLessThan(1_700);
  expect(text).toContain('procore_mirror_rows_total{resource="other",change="stored"} 2400');
});

test('each series is there before anything happened', async () => {
  const all = await aWorker(judgedMirror()).series();
  const zeros = [
    'procore_mirror_events_total{outcome="dead"} 0',
    'procore_mirror_calls_total{lane="files",status="429"} 0',
    'procore_mirror_calls_total{lane="live",status="none"} 0',
    'procore_mirror_token_refusals_total{by="login"} 0',
    'procore_mirror_event_to_row_seconds_bucket{le="300",lane="live",waited_for_calls="no"} 0',
    'procore_mirror_batches_total{resource="RFIs",outcome="parked"} 0',
    'procore_mirror_pending_records{lane="repair"} 0',
    'procore_mirror_verdict{verdict="fine"} 0',
    ...FINDING_CODES.filter((code) => code !== 'hook-disabled').map(
      (code) => `procore_mirror_findings{code="${code}",severity="error"} 0`,
    ),
  ];
  expect(all).toEqual(expect.arrayContaining(zeros));
});

test('what is known of the database is told as it is', async () => {
  const all = await aWorker(judgedMirror()).series();
  const told = all.filter((line) => line.startsWith('procore_mirror_'));
  expect(told).toEqual(
    expect.arrayContaining([
      'procore_mirror_verdict{verdict="needs you"} 1',
      'procore_mirror_findings{code="hook-disabled",severity="error"} 2',
      'procore_mirror_pending_records{lane="live"} 40',
      'procore_mirror_oldest_pending_seconds{lane="live"} 600',
      'procore_mirror_budget_remaining_ratio{window="hour"} 0.1',
      'procore_mirror_budget_remaining_ratio{window="spike"} 1',
      'procore_mirror_budget_remaining_ratio{window="pause"} 0',
      `procore_mirror_budget_resets_timestamp_seconds{window="hour"} ${Date.parse(ago(-20)) / 1_000}`,
      'procore_mirror_queue_waiting_deliveries 12',
      'procore_mirror_dead_letters{retried="no"} 5',
      'procore_mirror_dead_letters{retried="yes"} 6',
      'procore_mirror_scopes_parked 0',
      'procore_mirror_hooks{state="disabled"} 6',
      'procore_mirror_hooks{state="wanted"} 20',
      'procore_mirror_hooks{state="unseen"} 2',
      'procore_mirror_undelivered_events 8',
      'procore_mirror_undelivered_oldest_seconds 1800',
      'procore_mirror_last_delivery_seconds 60',
      'procore_mirror_fills{state="open"} 8',
      'procore_mirror_fills{state="failed"} 1',
      'procore_mirror_proof_age_seconds{rung="cheap"} 3600',
      'procore_mirror_proof_age_seconds{rung="listing"} Nan',
      'procore_mirror_proof_differences 11',
      'procore_mirror_schema_info{migration="0032_x"} 1',
      'procore_mirror_calls_waiting{lane="verify"} 2',
      'procore_mirror_database_reachable 1',
      'procore_mirror_tells_of_database 1',
    ]),
  );
});

test('what is well again is told as well', async () => {
  const page = createMirrorMetrics();
  page.tell(judgedMirror());
  page.tell({ ...judgedMirror(), verdict: 'fine', findings: [] });
  const text = await page.registry.metrics();
  expect(text).toContain('procore_mirror_verdict{verdict="needs you"} 0');
  expect(text).toContain('procore_mirror_verdict{verdict="fine"} 1');
  expect(text).toContain('procore_mirror_findings{code="hook-disabled",severity="error"} 0');
});

test.each<[what: string, judged: JudgedMirror | null, answer: () => Promise<unknown>, reachable: number]>([
  ['another worker judges', null, async () => null, 1],
  ['the database refuses', judgedMirror(), () => Promise.reject(new Error('refused')), 0],
  ['the database does not answer', judgedMirror(), () => new Promise(() => {}), 0],
])('where %s a worker tells its own counters and nothing of the database', async (_, judged, answer, reachable) => {
  const { metrics, series } = aWorker(judged, answer);
  metrics.called({ lane: 'live', status: 200 });
  const all = await series();
  expect(all).toContain(`procore_mirror_database_reachable ${reachable}`);
  expect(all).toContain('procore_mirror_tells_of_database 0');
  expect(all).toContain('procore_mirror_calls_total{lane="live",status="200"} 1');
  for (const name of await namesOf(createMirrorMetrics().registry)) {
    expect(all.filter((line) => line.startsWith(name))).toEqual([]);
  }
});

async function namesOf(registry: { getMetricsAsJSON: () => Promise<{ name: string }[]> }): Promise<string[]> {
  return (await registry.getMetricsAsJSON())
    .map(({ name }) => name)
    .filter((name) => name.startsWith('procore_mirror_'));
}

test('docs/operations.md lists each of them, with its labels, and no other', async () => {
  const text = readFileSync(path.join(import.meta.dirname, '../../../docs/operations.md'), 'utf8');
  const rows = [...text.matchAll(/^\| `(procore_mirror_\w+)(?:\{([a-z_,]+)\})?` \| (each|worker|one worker) \|/gm)];
  const documented = rows.map(
    ([, name = '', labels = '', by]) => `${name}{${labels}} by ${by === 'each' ? 'worker' : by}`,
  );
  const { metrics } = aWorker(null);
  const told = [
    ...metrics.registry.getMetricsAsArray().map((metric) => ({ metric, by: 'worker' })),
    ...createMirrorMetrics()
      .registry.getMetricsAsArray()
      .map((metric) => ({ metric, by: 'one worker' })),
  ] as { metric: { name: string; labelNames?: string[] }; by: string }[];
  const ours = told.filter(({ metric }) => metric.name.startsWith('procore_mirror_'));
  expect(documented.toSorted()).toEqual(
    ours.map(({ metric, by }) => `${metric.name}{${(metric.labelNames ?? []).join(',')}} by ${by}`).toSorted(),
  );
});
