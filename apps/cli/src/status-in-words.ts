import type {
  BackfillProgress,
  Behind,
  DeliveryStatus,
  Freshness,
  MirrorStatus,
  Shortage,
} from '@procore-mirror/database';
import { type Judgement, type Losses, progressInWords } from '@procore-mirror/mirror';
import { budgetInWords, hourInWords } from './budget-in-words.ts';
import { deliveriesInWords } from './deliveries-in-words.ts';
import { findingsInWords, verdictInWords } from './findings-in-words.ts';
import { lossesInShort, lossesInWords } from './losses-in-words.ts';
import { ago, table } from './output.ts';
import { roundsInWords, type Upkeep, upkeepInWords } from './upkeep-in-words.ts';

/** `waiting`: deliveries that are not recorded yet; null when the queue could not be asked, for this `problem`. */
export type QueueStatus = { waiting: number | null; problem: string | null };

export type Status = Judgement &
  MirrorStatus & {
    queue: QueueStatus;
    /** The day on which the sandbox was overwritten; null when the mirror was emptied since, or mirrors none that is. */
    overwrittenOn: string | null;
    /** Null: none is under way. `shortage`: it waits for calls. */
    backfill: (BackfillProgress & { shortage: Shortage | null }) | null;
    deliveries: DeliveryStatus;
    /** Of each company. */
    upkeep: readonly Upkeep[];
    /** Since the moment that was asked for, else of the last twelve hours. */
    losses: Losses;
  };

// One screen has room for so much.
const MOST_FINDINGS = 8;
const MOST_FIELDS = 30;
const MOST_CALLING = 10;

/** On one screen: the verdict, what is wrong, what is behind, and sums; `all`: all there is to tell. */
export function statusInWords(status: Status, all: boolean, now: Date): string {
  const { losses } = status;
  const asked = losses.complete === null ? '' : lossesInWords(losses, now);
  const sections = [verdictInWords(status, now), asked, ...(all ? everything(status, now) : oneScreen(status, now))];
  return sections.filter((text) => text !== '').join('\n\n');
}

function oneScreen(status: Status, now: Date): string[] {
  return [findingsInWords(status.findings, now, MOST_FINDINGS), behindTable(status.behind, now), sums(status, now)];
}

function everything(status: Status, now: Date): string[] {
  return [
    findingsInWords(status.findings, now),
    freshnessTable(status.freshness, now),
    overview(status, now),
    section('Tables that took most calls in the last hour', mostCallsTable(status.freshness)),
    deliveriesInWords(status.deliveries, now),
    budgetInWords(status.budget),
    upkeepInWords(status.upkeep),
    section('Parked scopes (left alone until their next probe)', parkedTable(status, now)),
    section('Dead letters (see `mirror dead-letters list`)', deadLettersTable(status, now)),
    section('Events that led to no fetch', ignoredTable(status, now)),
    section('Lists that are not as usual (a Total above what comes counts what we may not see)', listsTable(status)),
    section('Values that did not fit their column (whole in _data)', unfitTable(status, now)),
    section('Fields without a column (whole in _data), and columns whose field stays away', driftTable(status, now)),
  ];
}

function section(title: string, body: string): string {
  return body === '' ? '' : `${title}\n${body}`;
}

const freshnessHead = [
  'rows',
  'pending',
  'completeness',
  'oldest pending',
  'last event',
  'last fetch',
  'calls/hour',
  'calls/event',
];

function freshnessCells(row: Freshness, now: Date): string[] {
  return [
    row.rows,
    row.pending,
    row.completeness,
    ...[row.oldestPendingAt, row.lastEventAt, row.lastFetchAt].map((moment) => ago(moment, now)),
    row.callsLastHour,
    row.callsPerEvent ?? '',
  ];
}

function freshnessTable(rows: readonly Freshness[], now: Date): string {
  if (rows.length === 0) return 'The mirror holds nothing yet.';
  return table(
    ['company', 'project', 'resource', ...freshnessHead],
    rows.map((row) => [row.companyId, row.projectId, row.resource, ...freshnessCells(row, now)]),
  );
}

/** Tables that lack something, projects taken together, those first that lack most. */
function behindTable({ first, count }: Status['behind'], now: Date): string {
  if (count === 0) return '';
  const shown = table(
    ['behind', 'company', 'projects', 'pending', 'oldest pending', 'completeness'],
    first.map((one) => [
      ...[one.resource, one.companyId, one.projects || '', one.pending],
      ...[ago(one.oldestPendingAt, now), completenessOf(one)],
    ]),
  );
  const more = count - first.length;
  return more > 0 ? `${shown}\n(${more} more: --all)` : shown;
}

/** Of several projects: what is not complete, and in how many. */
function completenessOf({ completeness }: Behind): string {
  const kinds = Object.entries(completeness);
  const [first] = kinds;
  if (kinds.length === 1 && first !== undefined) return first[0];
  return kinds
    .filter(([kind]) => kind !== 'complete')
    .map(([kind, count]) => `${kind} ${count}`)
    .join(', ');
}

function sums(status: Status, now: Date): string {
  const [limit, rounds] = [hourInWords(status.budget), roundsInWords(status.upkeep)];
  return overview(status, now, [
    ...(limit === '' ? [] : [['limit', limit] as const]),
    ...(rounds === '' ? [] : [['rounds', rounds] as const]),
  ]);
}

function overview(status: Status, now: Date, further: readonly (readonly [string, string])[] = []): string {
  const { events, pending, calls, backfill, queue, totals, losses } = status;
  const since = (moment: string | null, before: string) => (moment === null ? '' : `${before} ${ago(moment, now)} ago`);
  return table(
    ['', ''],
    [
      ['rows', totals.rows],
      ['events', `${events.total}${since(events.lastReceivedAt, ', last')}`],
      [
        'pending',
        `${pending.total}${since(pending.oldestSeenAt, ', oldest')}${pending.failing === '0' ? '' : `, failing ${pending.failing}`}`,
      ],
      [
        'calls',
        `${calls.lastHour} in the last hour${calls.lastHourFailed === '0' ? '' : `, failed ${calls.lastHourFailed}`}${calls.pausedUntil === null ? '' : `; none before ${calls.pausedUntil}, says Procore`}`,
      ],
      ...(backfill === null
        ? []
        : [['backfill', progressInWords(backfill, backfill.shortage, { columns: null, now })]]),
      ['queue', queue.problem ?? `${queue.waiting} waiting`],
      ...(losses.complete === null ? [[`last ${ago(losses.since, now)}`, lossesInShort(losses)]] : []),
      ...further,
    ],
  ).trimStart();
}

/** Those first that took most. */
function mostCallsTable(rows: readonly Freshness[]): string {
  const calling = rows
    .filter(({ callsLastHour }) => callsLastHour !== '0')
    .toSorted((one, other) => Number(other.callsLastHour) - Number(one.callsLastHour));
  if (calling.length === 0) return '';
  const shown = table(
    ['calls/hour', 'calls/event', 'company', 'project', 'resource'],
    calling
      .slice(0, MOST_CALLING)
      .map((row) => [row.callsLastHour, row.callsPerEvent ?? '', row.companyId, row.projectId, row.resource]),
  );
  const more = calling.length - MOST_CALLING;
  return more > 0 ? `${shown}\n(${more} more in the table above)` : shown;
}

function parkedTable({ parked }: Status, now: Date): string {
  if (parked.length === 0) return '';
  return table(
    ['company', 'project', 'resource', 'reason', 'parked', 'probes', 'next probe', 'detail'],
    parked.map((scope) => [
      scope.companyId ?? 'all',
      scope.projectId ?? 'all',
      scope.resource ?? 'all',
      scope.reason,
      `${ago(scope.parkedAt, now)} ago`,
      scope.probes,
      scope.probeAt,
      scope.detail,
    ]),
  );
}

function deadLettersTable({ deadLetters }: Status, now: Date): string {
  if (deadLetters.length === 0) return '';
  return table(
    ['reason', 'count', 'last seen', 'next try'],
    deadLetters.map((letters) => [
      letters.reason,
      letters.count,
      `${ago(letters.lastSeenAt, now)} ago`,
      letters.nextTryAt ?? 'by replay only',
    ]),
  );
}

function ignoredTable({ ignored }: Status, now: Date): string {
  if (ignored.length === 0) return '';
  return table(
    ['resource', 'reason', 'events', 'last'],
    ignored.map((row) => [row.resource, row.reason, row.events, `${ago(row.lastReceivedAt, now)} ago`]),
  );
}

function unfitTable({ unfitValues }: Status, now: Date): string {
  if (unfitValues.length === 0) return '';
  return table(
    ['resource', 'column', 'count', 'last record', 'last'],
    unfitValues.map((row) => [
      row.resource,
      row.column,
      row.count,
      row.lastRecordId,
      `${ago(row.lastSeenAt, now)} ago`,
    ]),
  );
}

function listsTable({ lists }: Status): string {
  if (lists.length === 0) return '';
  const shown = table(
    ['company', 'project', 'resource', 'records to a page', 'more tried', 'Total above by', 'in lists'],
    lists
      .slice(0, MOST_FIELDS)
      .map((list) => [
        ...[list.companyId, list.projectId, list.resource, list.pageSize, list.largerPageAt],
        ...[list.totalAbove, list.withTotalAbove || ''],
      ]),
  );
  const more = lists.length - MOST_FIELDS;
  return more > 0 ? `${shown}\n(${more} more: --json, or select * from mirror.lists)` : shown;
}

function driftTable({ schemaDrift }: Status, now: Date): string {
  if (schemaDrift.length === 0) return '';
  const shown = table(
    ['resource', 'field', 'kind', 'type', 'records', 'example', 'first seen', 'last'],
    schemaDrift
      .slice(0, MOST_FIELDS)
      .map((drift) => [
        ...[drift.resource, drift.field, drift.kind, drift.jsonType, drift.count, drift.exampleRecordId],
        ...[drift.firstSeenAt, drift.lastSeenAt].map((moment) => `${ago(moment, now)} ago`),
      ]),
  );
  const more = schemaDrift.length - MOST_FIELDS;
  return more > 0 ? `${shown}\n(${more} more: --json, or select * from mirror.schema_drift)` : shown;
}
