// What is known of Procore's log of deliveries: which hooks have one, when each was looked at, and what says that deliveries were missed.
import { countCallsOfHour } from '../calls/fetches.ts';
import type { Database } from '../connection/open-database.ts';
import type { Queryable } from '../connection/queryable.ts';
import { inTransaction } from '../connection/transaction.ts';

/** Moments are ms since 1970. */
export type KnownLook = {
  status: string;
  /**
   * When the last good look was, of the whole log (`any`) until when all is recorded, and from which moment on it read; null: there was
   * none.
   */
  lookedMs: number | null;
  dayMs: number | null;
  /** The newest event that looks found. */
  newestMs: number | null;
  /** How many pages the last one read. */
  pages: number;
  triedMs: number;
  /** Why the last one failed; then there is none before `nextMs`. */
  finding: string | null;
  nextMs: number | null;
  /** See `mirror.delivery_looks.in_order`. */
  inOrder: number | null;
};

export type LoggedHook = { hookId: string; projectId: string | null; looks: readonly KnownLook[] };

export type OpenRepair = {
  request: string;
  projectId: string | null;
  sinceMs: number | null;
  requestedMs: number;
  missedSinceMs: number | null;
  oldestEventMs: number | null;
};

/** Companies that have a hook of ours and are not left. */
export async function listLoggedCompanies(client: Queryable): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    `select distinct company_id::text as id from mirror.hooks h where hook_id is not null
      and not exists (select from mirror.selection s where s.company_id = h.company_id and s.project_id is null and not s.is_selected)
      order by 1`,
  );
  return rows.map(({ id }) => id);
}

/** The same, and those of which somebody waits for a repair: one whose company leaves ends, too. */
export async function listCompaniesToRepair(client: Queryable): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    'select distinct company_id::text as id from mirror.repairs where finished_at is null',
  );
  return [...new Set([...(await listLoggedCompanies(client)), ...rows.map(({ id }) => id)])];
}

/** The hooks of a company that a look may be at, and what is known of their logs. */
export async function readLoggedHooks(client: Queryable, companyId: string): Promise<LoggedHook[]> {
  const { rows } = await client.query<{ hooks: string }>(
    `select coalesce(jsonb_agg(jsonb_build_object('hookId', hook_id, 'projectId', project_id::text, 'looks', (
        select coalesce(jsonb_agg(jsonb_build_object('status', status, 'lookedMs', ${msOf(`case status when 'any' then covers_until else looked_at end`)}, 'dayMs', ${msOf('day')},
          'newestMs', ${msOf('newest_event_at')}, 'pages', pages, 'triedMs', ${msOf('tried_at')}, 'finding', finding, 'nextMs', ${msOf('next_at')}, 'inOrder', in_order)), '[]')
        from mirror.delivery_looks l where l.company_id = h.company_id and l.hook_id = h.hook_id))), '[]')::text as hooks
      from (select distinct company_id, project_id, hook_id from mirror.hooks h where company_id = $1 and hook_id is not null
        and not exists (select from mirror.selection s where s.company_id = h.company_id
          and s.project_id is not distinct from h.project_id and not s.is_selected)) h`,
    [companyId],
  );
  return JSON.parse(rows[0]?.hooks ?? '[]') as LoggedHook[]; // made by the statement above
}

function msOf(column: string): string {
  return `(extract(epoch from ${column}) * 1000)::float8`;
}

export type ReceiverTimes = {
  /** Receivers that ran: since when without a break, and until when as far as is known. */
  runs: readonly { id: string; sinceMs: number; untilMs: number }[];
  gaps: readonly { id: string; kind: 'down' | 'refused' | 'spooled'; sinceMs: number; untilMs: number }[];
  nowMs: number;
};

/** A receiver that did not say that it stopped runs, as long as a report came within this time. */
const REPORTS_WITHIN = `interval '3 minutes'`;

/** When receivers ran and when they did not do their work, as they reported it. One that runs does so until now. */
export async function readReceiverTimes(client: Queryable): Promise<ReceiverTimes> {
  const { rows } = await client.query<{ times: string }>(
    `select jsonb_build_object('nowMs', ${msOf('now()')},
      'runs', (select coalesce(jsonb_agg(jsonb_build_object('id', id, 'sinceMs', ${msOf('least(started_at, now())')},
        'untilMs', ${msOf(`case when stopped_at is null and recorded_at > now() - ${REPORTS_WITHIN} then now()
          else least(coalesce(stopped_at, reported_at), now()) end`)})), '[]') from mirror.receivers),
      'gaps', (select coalesce(jsonb_agg(jsonb_build_object('id', receiver, 'kind', kind, 'sinceMs', ${msOf('least(since, now())')},
        'untilMs', ${msOf('least(until, now())')})), '[]') from mirror.receiver_gaps))::text as times`,
  );
  return JSON.parse(rows[0]?.times ?? 'null') as ReceiverTimes; // made by the statement above
}

export type SilentScope = { companyId: string; projectId: string | null; usually: number };

/** Who said so much in these hours a week ago usually speaks. */
const SPEAKS = 20;
export const SILENCE_MS = 3 * 3_600_000;
const SILENCE = `interval '${SILENCE_MS} ms'`;

/** Of so many events it does not say any more who is silent among those who spoke: nobody is to count millions. */
const MOST_LOOKED_AT = 50_000;

/** Scopes with a hook that sent nothing for three hours, and twenty events or more in the same hours a week ago. */
export async function listSilentScopes(client: Queryable, companyId: string | null): Promise<SilentScope[]> {
  const { rows } = await client.query<SilentScope>(
    `with usual as (
        select company_id, project_id, count(*)::int as usually from (
          select company_id, project_id from mirror.events
          where received_at > now() - interval '7 days' - ${SILENCE} and received_at <= now() - interval '7 days'
            and ($1::bigint is null or company_id = $1) order by received_at limit ${MOST_LOOKED_AT}) e
        group by 1, 2 having count(*) >= ${SPEAKS}
      ),
      lately as materialized (
        select company_id, project_id from mirror.events
        where received_at > now() - ${SILENCE} and via = 'delivery' order by received_at desc limit ${MOST_LOOKED_AT}
      ),
      spoke as (select distinct company_id, project_id from lately)
      select u.company_id::text as "companyId", u.project_id::text as "projectId", usually from usual u
      where exists (select from mirror.hooks h where h.company_id = u.company_id and h.project_id is not distinct from u.project_id
          and h.hook_id is not null)
        and not exists (select from spoke s where s.company_id = u.company_id and s.project_id is not distinct from u.project_id)
        and (select count(*) from lately) < ${MOST_LOOKED_AT}
      order by usually desc, 1, 2`,
    [companyId],
  );
  return rows;
}

/** How many calls went to the log within the last hour, by all companies that share this one's windows, but for the last `latelyMs`. */
export async function countLogCalls(client: Queryable, companyId: string, latelyMs: number): Promise<number> {
  return countCallsOfHour(client, { companyId, latelyMs, condition: `route like '%/deliveries' and lane = 'upkeep'` });
}

export type LookPlace = { companyId: string; projectId: string | null; hookId: string; status: string };

export type LookNews = {
  /** From which day on it read, `2026-06-30`. */
  day: string;
  pages: number;
  found: number;
  newEvents: number;
  unread: number;
  newestEventAt: Date | null;
  oldestEventAt: Date | null;
  /** How many events stood right after a newer one; null: one stood after an older one. */
  inOrder: number | null;
  /** Null: it read all there was. Else why it did not, in words, and in how many ms the next may be. */
  flaw: { finding: string; nextInMs: number } | null;
  /** How long ago the look began. */
  agoMs: number;
  /** Of the whole log: when it was read, and what of it is not recorded; null: it says nothing of that. */
  covers: {
    /** How long ago that was. */
    agoMs: number;
    /** The earliest event that is not recorded yet, and the latest body that nobody can read. */
    waitingSince: Date | null;
    unreadUntil: Date | null;
  } | null;
};

/** Notes what a look read, also with the repairs that are under way. One that was cut off does not count as a look at that time. */
export async function noteDeliveryLook(database: Database, place: LookPlace, news: LookNews): Promise<void> {
  const { companyId, projectId, hookId, status } = place;
  const { day, pages, found, newEvents, unread, newestEventAt, oldestEventAt, inOrder, flaw, covers, agoMs } = news;
  await inTransaction(database, async (client) => {
    await client.query(
      `insert into mirror.delivery_looks as l (company_id, project_id, hook_id, status, day, looked_at, pages, found, new_events,
          newest_event_at, in_order, finding, next_at, covers_from, covers_until)
        values ($1, $2, $3, $4, case when $11::text is null then $5::date end, case when $11::text is null then now() - $16::float8 * interval '1 ms' end, $6, $7, $8, $9, $10,
          $11, now() + $12::float8 * interval '1 ms',
          case when $11::text is null and $13::float8 is not null then greatest(($5::date + 1)::timestamp at time zone 'UTC', $15::timestamptz) end,
          case when $11::text is null then least(now() - $13::float8 * interval '1 ms', $14::timestamptz) end)
        on conflict (company_id, hook_id, status) do update set project_id = excluded.project_id, day = coalesce(excluded.day, l.day),
          looked_at = coalesce(excluded.looked_at, l.looked_at), tried_at = now(), finding = excluded.finding, next_at = excluded.next_at,
          pages = excluded.pages, found = excluded.found, new_events = excluded.new_events,
          newest_event_at = greatest(excluded.newest_event_at, l.newest_event_at), in_order = l.in_order + excluded.in_order,
          covers_from = case when excluded.covers_until > l.covers_until or l.covers_until is null
            then greatest(excluded.covers_from, l.covers_from) else l.covers_from end,
          covers_until = greatest(excluded.covers_until, l.covers_until)`,
      [
        ...[companyId, projectId, hookId, status, day, pages, found, newEvents, newestEventAt, inOrder],
        ...[flaw?.finding ?? null, flaw?.nextInMs ?? null],
        ...[covers?.agoMs ?? null, covers?.waitingSince ?? null, covers?.unreadUntil ?? null, agoMs],
      ],
    );
    await addToRepairs(client, place, [pages, found, newEvents, unread, oldestEventAt]);
  });
}

/** Notes that a look failed, why, and when the next may be. */
export async function noteFailedLook(
  database: Database,
  place: LookPlace,
  { finding, nextInMs, calls }: { finding: string; nextInMs: number; calls: number },
): Promise<void> {
  const { companyId, projectId, hookId, status } = place;
  await inTransaction(database, async (client) => {
    await client.query(
      `insert into mirror.delivery_looks (company_id, project_id, hook_id, status, finding, next_at)
        values ($1, $2, $3, $4, $5, now() + $6::float8 * interval '1 ms')
        on conflict (company_id, hook_id, status) do update set project_id = excluded.project_id, finding = excluded.finding,
          tried_at = now(), next_at = excluded.next_at`,
      [companyId, projectId, hookId, status, finding, nextInMs],
    );
    await addToRepairs(client, place, [calls, 0, 0, 0, null]);
  });
}

/** Lets the logs of a company that failed within this time be looked at again at once. */
export async function allowLooks(database: Database, companyId: string, withinMs: number): Promise<void> {
  await database.pool.query(
    `update mirror.delivery_looks set next_at = now() where company_id = $1 and finding is not null and next_at > now()
      and tried_at >= now() - ($2::float8 + 60000) * interval '1 ms'`,
    [companyId, withinMs],
  );
}

/** No repair asks for looks at whole logs: workers have them by themselves. */
async function addToRepairs(
  client: Queryable,
  { companyId, projectId, status }: LookPlace,
  sums: readonly (number | Date | null)[],
): Promise<void> {
  if (status === 'any') return;
  await client.query(
    `update mirror.repairs set calls = calls + $3, found = found + $4, new_events = new_events + $5, unread = unread + $6,
        oldest_event_at = least(oldest_event_at, $7)
      where company_id = $1 and finished_at is null and (project_id is null or project_id = $2)`,
    [companyId, projectId, ...sums],
  );
}

/** Forgets looks at hooks that are gone, repairs that were asked for 90 days ago, and gaps that ended 400 days ago. */
export async function forgetOldLooks(database: Database): Promise<void> {
  await database.pool.query(
    `delete from mirror.delivery_looks l where tried_at < now() - interval '7 days'
      and not exists (select from mirror.hooks h where h.company_id = l.company_id and h.hook_id = l.hook_id)`,
  );
  await database.pool.query(`delete from mirror.event_gaps where until < now() - interval '400 days'`);
  await database.pool.query(`delete from mirror.repairs where requested_at < now() - interval '90 days'`);
}

export type UndeliveredState = { askedMs: number; count: number; oldestMs: number | null; alarmHours: number };

/** What the company's busiest hooks said last; null: they were never asked. */
export async function readUndelivered(client: Queryable, companyId: string): Promise<UndeliveredState | null> {
  const { rows } = await client.query<UndeliveredState>(
    `select ${msOf('asked_at')} as "askedMs", count, ${msOf('oldest_at')} as "oldestMs", alarm_hours as "alarmHours"
      from mirror.undelivered where company_id = $1`,
    [companyId],
  );
  return rows[0] ?? null;
}

/** Notes what they say now. */
export async function noteUndelivered(
  database: Database,
  companyId: string,
  { count, oldestAt, alarmHours }: { count: number; oldestAt: Date | null; alarmHours: number },
): Promise<void> {
  await database.pool.query(
    `insert into mirror.undelivered (company_id, asked_at, count, oldest_at, alarm_hours) values ($1, now(), $2, $3, $4)
      on conflict (company_id) do update set asked_at = now(), count = excluded.count, oldest_at = excluded.oldest_at,
        alarm_hours = excluded.alarm_hours`,
    [companyId, count, oldestAt, alarmHours],
  );
}
