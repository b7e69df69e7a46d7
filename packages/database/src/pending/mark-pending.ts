import type { Queryable } from '../connection/queryable.ts';
import type { Lane, NotedRecord } from '../schedule/batch.ts';

/** A record to fetch because of an event, its own or a relative's. */
export type News = {
  companyId: string;
  projectId: string | null;
  resource: string;
  recordId: string;
  parentId: string | null;
  isDelete: boolean;
  /** The event tells of a relative of this record: its own `updated_at` may well be older than the event. */
  isRelative: boolean;
  /** In a backfill 0 goes before 1; 0 when left out. */
  worth?: 0 | 1 | undefined;
};

/** How soon news is fetched. */
export type Pace = {
  /** Pause between an event and its fetch, ms. */
  delayMs: number;
  /** A record that is edited without pause is fetched at least this often, ms. */
  maxWaitMs: number;
};

export type MarkOptions = {
  news: readonly News[];
  /** A record that is pending in an earlier lane stays there. */
  lane: Lane;
  pace: Pace;
  /** The event that told of them; none when left out. */
  event?: Pick<NotedRecord, 'eventId' | 'occurredAt'>;
  /** When what they are told of happened, or earlier; null: nobody knows of anything that did. */
  happenedAt?: string | null;
};

/**
 * Marks records pending without recording an event, as backfill and relatives do. Returns the records with their
 * generations.
 */
export async function markPending(
  client: Queryable,
  { news, lane, pace, event, happenedAt = null }: MarkOptions,
): Promise<Pick<NotedRecord, 'id' | 'generation'>[]> {
  if (news.length === 0) return [];
  const { rows } = await client.query<Pick<NotedRecord, 'id' | 'generation'>>({
    name: 'mark-pending',
    text: `with news as (select *, $9::text as event_id, $10::timestamptz as occurred_at, $10::timestamptz as deleted_at,
        $14::timestamptz as happened_at from ${newsTable(1)}),
      ${markNews('$11', '$12', '$13::mirror.lane')} select record_id as id, generation::text from marked`,
    values: [...newsColumns(news), event?.eventId, event?.occurredAt, pace.delayMs, pace.maxWaitMs, lane, happenedAt],
  });
  return rows;
}

export function newsColumns(news: readonly News[]): unknown[][] {
  return [
    news.map((one) => one.companyId),
    news.map((one) => one.projectId),
    news.map((one) => one.resource),
    news.map((one) => one.recordId),
    news.map((one) => one.parentId),
    news.map((one) => one.isDelete),
    news.map((one) => one.isRelative),
    news.map((one) => one.worth ?? 0),
  ];
}

export function newsTable(first: number): string {
  const parameter = (offset: number) => `$${first + offset}`;
  return `unnest(${parameter(0)}::bigint[], ${parameter(1)}::bigint[], ${parameter(2)}::text[], ${parameter(3)}::text[],
    ${parameter(4)}::text[], ${parameter(5)}::boolean[], ${parameter(6)}::boolean[], ${parameter(7)}::smallint[])
    as n(company_id, project_id, resource, record_id, parent_id, is_delete, is_relative, worth)`;
}

// Rows are locked in one order everywhere, so that two recorders of the same records do not block each other for ever.
// The batch is always written, even when it is due already: the lock makes the worker that is just about to call the
// batch idle wait for this news.
export function markNews(delayMs: string, maxWaitMs: string, lane: string): string {
  return `
  marked as (
    insert into mirror.pending as p (company_id, project_id, resource, record_id, parent_id, delete_seen, lane, worth,
      event_id, occurred_at, delete_occurred_at, happened_at, to_fill, ready_at)
    select company_id, project_id, resource, record_id, parent_id, is_delete, ${lane}, worth, event_id,
      case when not is_relative then occurred_at end, case when is_delete then deleted_at end,
      happened_at, ${lane} = 'backfill', now() + ${delayMs}::float8 * interval '1 ms'
    from news order by company_id, project_id, resource, record_id
    on conflict (company_id, project_id, resource, record_id) do update set
      generation = excluded.generation,
      parent_id = coalesce(excluded.parent_id, p.parent_id),
      delete_seen = p.delete_seen or excluded.delete_seen,
      lane = least(p.lane, excluded.lane),
      worth = least(p.worth, excluded.worth),
      event_id = coalesce(excluded.event_id, p.event_id),
      occurred_at = greatest(p.occurred_at, excluded.occurred_at),
      delete_occurred_at = greatest(p.delete_occurred_at, excluded.delete_occurred_at),
      happened_at = least(p.happened_at, excluded.happened_at),
      to_fill = p.to_fill or excluded.to_fill,
      last_seen_at = now(),
      attempts = 0,
      own_failures = 0,
      reread = false,
      ready_at = greatest(p.not_before,
        least(excluded.ready_at, p.first_seen_at + ${maxWaitMs}::float8 * interval '1 ms'))
    returning company_id, project_id, resource, record_id, generation, lane, worth, ready_at
  ),
  due as (
    insert into mirror.batches as b (company_id, project_id, resource, lane, worth, due_at, first_due_at)
    select company_id, project_id, resource, lane, min(worth), min(ready_at) + mirror.pause_for_news(company_id, lane),
      min(ready_at) + mirror.pause_for_news(company_id, lane) from marked
    group by company_id, project_id, resource, lane order by company_id, project_id, resource, lane
    on conflict (company_id, project_id, resource, lane) do update set
      worth = case when b.due_at < excluded.due_at then least(b.worth, excluded.worth) else excluded.worth end,
      due_at = case when b.due_at < excluded.due_at
        then greatest(b.due_at, least(excluded.due_at, b.first_due_at + ${delayMs}::float8 * interval '2 ms'))
        else excluded.due_at end,
      first_due_at = case when b.due_at < excluded.due_at then b.first_due_at else excluded.due_at end
  )`;
}
