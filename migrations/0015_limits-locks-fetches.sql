CREATE TABLE "mirror"."fetches" (
	"version" bigint,
	"called_at" timestamp with time zone NOT NULL,
	"company_id" bigint NOT NULL,
	"project_id" bigint,
	"resource" text,
	"lane" "mirror"."lane",
	"route" text NOT NULL,
	"status" integer,
	"ms" integer NOT NULL,
	"bytes" bigint,
	"records" integer
);
--> statement-breakpoint
CREATE TABLE "mirror"."turns" (
	"of" text PRIMARY KEY NOT NULL
);
--> statement-breakpoint
delete from mirror.budget where window_name = 'pause';
--> statement-breakpoint
ALTER TABLE "mirror"."budget" DROP CONSTRAINT "budget_pkey";--> statement-breakpoint
ALTER TABLE "mirror"."budget" ADD COLUMN "company_id" bigint;--> statement-breakpoint
ALTER TABLE "mirror"."budget" ADD COLUMN "refusals" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX "fetches_called_at" ON "mirror"."fetches" USING btree ("called_at");--> statement-breakpoint
CREATE INDEX "fetches_version" ON "mirror"."fetches" USING btree ("version") WHERE version is not null;--> statement-breakpoint
ALTER TABLE "mirror"."budget" ADD CONSTRAINT "budget_window" UNIQUE NULLS NOT DISTINCT("window_name","company_id");
--> statement-breakpoint
DROP TABLE "mirror"."calls" CASCADE;--> statement-breakpoint
CREATE VIEW "mirror"."calls" AS (
select company_id, project_id, resource, date_bin('10 minutes', called_at, '2000-01-01 00:00+00') as period_start,
  count(*)::integer as count, (count(*) filter (where lane <= 'detail'))::integer as for_events,
  (count(*) filter (where coalesce(status not between 200 and 299, true)))::integer as failed,
  (array_agg(status order by called_at desc))[1] as last_status, max(called_at) as last_called_at
from mirror.fetches where called_at > now() - interval '48 hours' group by 1, 2, 3, 4);
--> statement-breakpoint
-- Waits until no other transaction has this turn, and has it until the end of its own.
create function mirror.take_turn(turn text) returns void language plpgsql as $$
begin
  perform from mirror.turns where of = turn for update;
  if found then return; end if;
  insert into mirror.turns (of) values (turn) on conflict do nothing;
  perform from mirror.turns where of = turn for update;
end $$;
--> statement-breakpoint
-- The windows, and the pauses, that hold for the calls of a company.
create function mirror.windows_of(company bigint) returns setof mirror.budget language sql stable as $$
  select * from mirror.budget b
  where case
    when b.window_name = 'pause' then b.company_id is null or b.company_id = company
    else b.company_id is not distinct from (
      select min(o.company_id) from mirror.budget o where o.company_id = company and o.window_name <> 'pause') end
$$;
--> statement-breakpoint
-- Leave for some of these calls, one for each element of `companies` and `lanes`; `wait_ms`: when to ask again for the others.
-- Rows of mirror.budget: 'spike' and 'hour' as learnt from headers, 'unknown' until the first answer came, and 'pause' of a
-- company after a 429. Who comes later (by lane) and who had much already leave a share of each window to others; the share
-- shrinks as the window passes, so that in the end all of it is used.
create or replace function mirror.take_leave(caller text, calls_under_way integer, companies bigint[], lanes mirror.lane[],
  out granted boolean[], out wait_ms float8)
language plpgsql as $$
declare
  ask record;
  left_over float8;
  again_ms float8;
  are_several boolean;
begin
  -- One taker at a time, for the length of this statement.
  perform mirror.take_turn('budget');
  insert into mirror.callers as c (holder, under_way) values (caller, calls_under_way)
    on conflict (holder) do update set under_way = excluded.under_way, seen_at = now();
  if not exists (select from mirror.budget where company_id is null and window_name <> 'pause') then
    insert into mirror.budget (window_name, call_limit, remaining, reset_at)
    values ('unknown', 1, 1, now() + interval '10 seconds');
  end if;
  if exists (select from mirror.budget where reset_at <= now() and window_name <> 'pause') then
    -- Of a company that made no call in the hour since.
    delete from mirror.budget where window_name = 'pause' and reset_at <= now() - interval '1 hour';
    delete from mirror.callers where seen_at < now() - interval '1 minute';
    update mirror.budget_use u set used = 0, used_live = 0,
      used_live_before = case when b.reset_at > now() - interval '1 hour' then u.used_live else 0 end
    from mirror.budget b where b.window_name = u.window_name and b.reset_at <= now() and exists (
      select from mirror.windows_of(u.company_id) w
      where w.window_name = b.window_name and w.company_id is not distinct from b.company_id);
    -- A window that is over starts anew. If no answer comes, another call tries after ten seconds.
    update mirror.budget set known_by = 'probe', remaining = 1, opened_at = now(), updated_at = now(),
      reset_at = now() + interval '10 seconds'
    where reset_at <= now() and window_name <> 'pause';
  end if;

  granted := array_fill(false, array[cardinality(companies)]);
  are_several := coalesce((select min(company_id) <> max(company_id) from mirror.batches), false);
  for ask in
    select a.company, a.lane, a.place,
      case a.lane when 'live' then 0 when 'detail' then 0.1 when 'repair' then 0.2 when 'backfill' then 0.3 else 0.5 end
        as share
    from unnest(companies, lanes) with ordinality as a(company, lane, place)
    left join mirror.budget_use u on u.company_id = a.company and u.window_name = 'spike'
    order by a.lane, coalesce(u.used, 0), a.place
  loop
    select min(left_to_it), max(case
        when left_to_it >= 1 then 0
        when known_by = 'probe' then 50
        when remaining < 1 then extract(epoch from reset_at - now()) * 1000
        else 500 end)
    into left_over, again_ms
    from (
      select b.*, case
        when b.window_name = 'pause' and b.reset_at <= now() then 1
        when b.known_by = 'probe' or b.window_name = 'pause' then b.remaining
        when b.known_by = 'count' and kept.share = 0 then 1
        else b.remaining - floor(b.call_limit * kept.share * least(1,
          extract(epoch from b.reset_at - now()) / greatest(extract(epoch from b.reset_at - b.opened_at), 1))) end
        as left_to_it
      from mirror.windows_of(ask.company) b
      left join mirror.budget_use u on u.window_name = b.window_name and u.company_id = ask.company
      cross join lateral (select greatest(ask.share,
        case when are_several and coalesce(u.used, 0) >= b.call_limit * 0.1 then 0.1 else 0 end) as share) as kept
    ) as windows;
    if left_over >= 1 then
      granted[ask.place] := true;
      insert into mirror.budget_use as u (window_name, company_id, used, used_live)
        select window_name, ask.company, 1, (ask.lane <= 'detail')::int from mirror.windows_of(ask.company)
        where window_name in ('spike', 'hour')
        on conflict (window_name, company_id) do update
          set used = u.used + 1, used_live = u.used_live + excluded.used_live;
      update mirror.budget b set remaining = b.remaining - 1, updated_at = now()
        from mirror.windows_of(ask.company) w
        where b.window_name = w.window_name and b.company_id is not distinct from w.company_id;
      -- This call asks whether the pause is over. If no answer comes, another one does after a minute.
      update mirror.budget b set remaining = 0, known_by = 'probe', opened_at = now(), reset_at = now() + interval '1 minute'
        where b.window_name = 'pause' and (b.company_id is null or b.company_id = ask.company);
    else
      wait_ms := least(coalesce(wait_ms, again_ms), again_ms);
    end if;
  end loop;
  wait_ms := case when wait_ms is null then 0 else greatest(wait_ms, 1) end;
end $$;
--> statement-breakpoint
drop function mirror.learn_limits(float8, boolean, integer, integer, float8);
--> statement-breakpoint
-- `company`: whose call it was. `age_ms`: how long ago it went out. `succeeded`: it was answered 2xx. said_limit NULL: the answer
-- had no rate-limit headers, or there was none; said_reset_in_ms NULL: they do not tell when the window ends.
create function mirror.learn_limits(company bigint, age_ms float8, succeeded boolean, said_limit bigint,
  said_remaining bigint, said_reset_in_ms float8)
returns void language plpgsql as $$
declare
  sent_at timestamptz := now() - age_ms * interval '1 ms';
  said_reset_at timestamptz := now() + said_reset_in_ms * interval '1 ms';
  whose bigint;
  told text;
  known mirror.budget;
  is_later boolean;
  is_new boolean;
  elsewhere integer;
begin
  perform mirror.take_turn('budget');
  -- The call that asked whether a pause is over.
  if succeeded then
    delete from mirror.budget b where b.window_name = 'pause' and (b.company_id is null or b.company_id = company)
      and b.known_by = 'probe' and sent_at >= b.opened_at;
  else
    update mirror.budget b set remaining = 1 where b.window_name = 'pause' and (b.company_id is null or b.company_id = company)
      and b.known_by = 'probe' and sent_at >= b.opened_at;
  end if;
  select min(b.company_id) into whose from mirror.budget b where b.company_id = company and b.window_name <> 'pause';
  if said_limit is null then
    -- Let another call find out. A server that succeeds without headers does not limit us as far as we know.
    update mirror.budget b set remaining = greatest(remaining, 1)
      where b.known_by = 'probe' and b.window_name <> 'pause' and b.company_id is not distinct from whose;
    update mirror.budget b set known_by = 'header', call_limit = 1000, remaining = 1000,
      reset_at = now() + interval '10 seconds'
      where b.window_name = 'unknown' and b.company_id is not distinct from whose and succeeded;
    return;
  end if;
  said_limit := least(said_limit, 2147483647);
  said_remaining := least(said_remaining, 2147483647);
  delete from mirror.budget b where b.window_name = 'unknown' and b.company_id is not distinct from whose;
  -- Which window is it? The one that had this limit before; else a reset within seconds tells.
  select b.window_name into told from mirror.budget b
    where b.call_limit = said_limit and b.window_name in ('spike', 'hour') and b.company_id is not distinct from whose
    order by b.window_name desc limit 1;
  told := coalesce(told, case when coalesce(said_reset_in_ms, 0) <= 15000 then 'spike' else 'hour' end);
  select * into known from mirror.budget b where b.window_name = told and b.company_id is not distinct from whose;
  said_reset_at := coalesce(said_reset_at, case when known.known_by <> 'probe' and known.reset_at > now() then known.reset_at end,
    now() + interval '10 seconds');
  is_later := coalesce(said_reset_at > known.reset_at + interval '2 seconds', false);
  -- The answer to a call that went out before this window began says nothing of it.
  if known.window_name is not null and sent_at < known.opened_at and not is_later then return; end if;
  is_new := known.window_name is null or known.known_by <> 'header' or said_limit <> known.call_limit or is_later;
  if is_later then
    update mirror.budget_use u set used = 0, used_live = 0, used_live_before = used_live
      where u.window_name = told and exists (
        select from mirror.windows_of(u.company_id) w
        where w.window_name = told and w.company_id is not distinct from whose);
  end if;
  -- The reset is told in whole seconds. A window that opened with the call that was just answered ends ten seconds later.
  if is_new and said_reset_in_ms between 9000 and 11100 then said_reset_at := now() + interval '10 seconds'; end if;
  -- Calls that are out may not be counted in what the answer says.
  select coalesce(sum(under_way), 0) into elsewhere from mirror.callers
    where seen_at > now() - interval '1 minute';
  insert into mirror.budget as b (window_name, company_id, call_limit, remaining, reset_at, opened_at, known_by)
  values (told, whose, said_limit, greatest(said_remaining - elsewhere, 0), said_reset_at, sent_at, 'header')
  on conflict (window_name, company_id) do update set
    call_limit = excluded.call_limit,
    remaining = case when is_new then excluded.remaining else least(b.remaining, said_remaining) end,
    reset_at = case
      when is_new or abs(extract(epoch from excluded.reset_at - b.reset_at)) > 1.2 then excluded.reset_at
      else b.reset_at end,
    opened_at = case when is_later then excluded.opened_at else b.opened_at end,
    known_by = 'header',
    updated_at = now();
  -- An answer tells of the window that is nearer to running out, so the other one, if new, has more left.
  update mirror.budget b set known_by = 'count', remaining = b.call_limit - 1, opened_at = sent_at,
    reset_at = sent_at + case b.window_name when 'spike' then interval '10 seconds' else interval '1 hour' end
  where b.known_by = 'probe' and b.window_name in ('spike', 'hour') and b.window_name <> told
    and b.company_id is not distinct from whose;
end $$;
--> statement-breakpoint
-- No call of the company for `pause_ms`, or of anybody if it is NULL. Calls that were under way when the pause began say no
-- more than the first; only when the one that asked whether it is over is refused, a guess (not `is_told`) is doubled.
create function mirror.pause_calls(company bigint, age_ms float8, pause_ms float8, is_told boolean)
returns void language plpgsql as $$
declare
  known mirror.budget;
  is_again boolean;
  until timestamptz;
begin
  perform mirror.take_turn('budget');
  select * into known from mirror.budget b where b.window_name = 'pause' and b.company_id is not distinct from company;
  is_again := coalesce(known.known_by = 'probe' and now() - age_ms * interval '1 ms' >= known.opened_at, false);
  until := now() + interval '1 ms' * case
    when is_told or not is_again then pause_ms
    else least(pause_ms * 2 ^ least(known.refusals, 30), 3600000) end;
  insert into mirror.budget as b (window_name, company_id, call_limit, remaining, reset_at, known_by, refusals)
  values ('pause', company, 0, 0, until, 'refusal', 1)
  on conflict (window_name, company_id) do update set
    remaining = 0,
    reset_at = case when b.known_by = 'probe' then until else greatest(b.reset_at, until) end,
    known_by = 'refusal',
    refusals = b.refusals + is_again::int,
    updated_at = now();
end $$;
--> statement-breakpoint
create or replace function mirror.rest_of_news(company bigint, in_lane mirror.lane) returns interval language sql stable as $$
  select coalesce(max(least(greatest(used - 0.5, 0), 0.5) * length), 0) * interval '1 second'
  from (
    select (u.used_live + u.used_live_before * extract(epoch from b.reset_at - now()) / l.length)
      / greatest(b.call_limit, 1) as used, l.length
    from mirror.windows_of(company) b join mirror.budget_use u on u.window_name = b.window_name and u.company_id = company
    cross join lateral (select greatest(extract(epoch from b.reset_at - b.opened_at), 1) as length) as l
    where b.window_name = 'hour' and b.reset_at > now() and in_lane = 'live'
  ) as hour
$$;
