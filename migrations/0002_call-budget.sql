-- Rows of mirror.budget: 'spike' and 'hour' as learnt from headers, 'pause' after a 429 or 503, and 'unknown' until the
-- first answer came. In a window that no answer has confirmed yet, one call goes out; its answer tells how many may follow.
create or replace function mirror.take_leave(caller text, calls_under_way integer, calls integer, keep_share float8,
  out granted integer, out wait_ms float8)
language plpgsql as $$
declare
  least_left float8;
  blocked_until timestamptz;
begin
  -- One taker at a time, for the length of this statement.
  perform pg_advisory_xact_lock(hashtextextended('mirror.budget', 0));
  insert into mirror.callers as c (holder, under_way) values (caller, calls_under_way)
    on conflict (holder) do update set under_way = excluded.under_way, seen_at = now();
  if not exists (select from mirror.budget where window_name <> 'pause') then
    insert into mirror.budget (window_name, call_limit, remaining, reset_at)
    values ('unknown', 1, 1, now() + interval '10 seconds');
  end if;
  if exists (select from mirror.budget where reset_at <= now()) then
    delete from mirror.budget where window_name = 'pause' and reset_at <= now();
    delete from mirror.callers where seen_at < now() - interval '1 minute';
    -- A window that is over starts anew. If no answer comes, another call tries after ten seconds.
    update mirror.budget set is_confirmed = false, remaining = 1, opened_at = now(), updated_at = now(),
      reset_at = now() + interval '10 seconds'
    where reset_at <= now();
  end if;

  select min(case when is_confirmed then remaining - floor(call_limit * keep_share) else remaining end),
      max(case when is_confirmed then reset_at else least(reset_at, now() + interval '50 milliseconds') end)
        filter (where case when is_confirmed then remaining - floor(call_limit * keep_share) else remaining end < 1)
    into least_left, blocked_until from mirror.budget;
  granted := greatest(least(calls, least_left), 0);
  wait_ms := 0;
  if granted > 0 then
    update mirror.budget set remaining = remaining - granted, updated_at = now();
  else
    wait_ms := greatest(extract(epoch from blocked_until - now()) * 1000, 1);
  end if;
end $$;
--> statement-breakpoint
-- `age_ms`: how long ago the call went out. said_limit NULL: the answer had no rate-limit headers; `answered` false: no
-- answer came at all.
create or replace function mirror.learn_limits(age_ms float8, answered boolean, said_limit integer,
  said_remaining integer, said_reset_in_ms float8)
returns void language plpgsql as $$
declare
  sent_at timestamptz := now() - age_ms * interval '1 ms';
  said_reset_at timestamptz := now() + said_reset_in_ms * interval '1 ms';
  elsewhere integer;
  told text;
begin
  perform pg_advisory_xact_lock(hashtextextended('mirror.budget', 0));
  if said_limit is null then
    -- Let another call find out. A server that answers without headers does not limit us as far as we know.
    update mirror.budget set remaining = greatest(remaining, 1) where not is_confirmed and window_name <> 'pause';
    update mirror.budget set is_confirmed = true, call_limit = 1000, remaining = 1000, reset_at = now() + interval '10 seconds'
      where window_name = 'unknown' and answered;
    return;
  end if;
  delete from mirror.budget where window_name = 'unknown';
  -- Which window is it? The one that had this limit before; else a reset within seconds tells.
  select window_name into told from mirror.budget
    where call_limit = said_limit and window_name in ('spike', 'hour') order by window_name desc limit 1;
  told := coalesce(told, case when said_reset_in_ms <= 15000 then 'spike' else 'hour' end);
  -- Calls that are out may not be counted in what the answer says.
  select coalesce(sum(under_way), 0) into elsewhere from mirror.callers
    where seen_at > now() - interval '1 minute';
  insert into mirror.budget as b (window_name, call_limit, remaining, reset_at, opened_at, is_confirmed)
  values (told, said_limit, greatest(said_remaining - elsewhere, 0), said_reset_at, sent_at, true)
  on conflict (window_name) do update set
    call_limit = excluded.call_limit,
    remaining = case
      when not b.is_confirmed or excluded.call_limit <> b.call_limit
        or excluded.reset_at > b.reset_at + interval '2 seconds' then excluded.remaining
      else least(b.remaining, said_remaining) end,
    reset_at = excluded.reset_at,
    is_confirmed = true,
    updated_at = now()
  where sent_at >= b.opened_at or excluded.reset_at > b.reset_at + interval '2 seconds';
end $$;
