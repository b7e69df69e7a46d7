-- Rows of mirror.budget: 'spike' and 'hour' as learnt from headers, 'pause' after a 429 or 503, and 'unknown' until the
-- first answer came: then calls go out one at a time.
create or replace function mirror.take_leave(caller text, calls_under_way integer, calls integer, keep_share float8,
  out granted integer, out wait_ms float8)
language plpgsql as $$
declare
  everywhere integer;
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
    select coalesce(sum(under_way), 0) into everywhere from mirror.callers;
    -- A window that is over starts anew; what is under way may be counted in the new one. Its true end is not known
    -- before the next answer.
    update mirror.budget set previous_reset_at = reset_at, remaining = greatest(call_limit - everywhere, 1),
      reset_at = now() + case window_name when 'hour' then interval '1 hour' else interval '10 seconds' end, updated_at = now()
    where reset_at <= now();
  end if;

  select min(remaining - floor(call_limit * keep_share)),
      max(reset_at) filter (where remaining - floor(call_limit * keep_share) < 1)
    into least_left, blocked_until from mirror.budget;
  granted := greatest(least(calls, least_left), 0);
  wait_ms := 0;
  if granted > 0 then
    update mirror.budget set remaining = remaining - granted, updated_at = now();
  else
    wait_ms := greatest(extract(epoch from blocked_until - now()) * 1000, 1);
  end if;
end $$;

-- said_limit NULL: the answer had no rate-limit headers.
--> statement-breakpoint
create or replace function mirror.learn_limits(calls_under_way integer, said_limit integer, said_remaining integer,
  said_reset_in_ms float8)
returns void language plpgsql as $$
declare
  said_reset_at timestamptz := now() + said_reset_in_ms * interval '1 ms';
  told text;
begin
  perform pg_advisory_xact_lock(hashtextextended('mirror.budget', 0));
  if said_limit is null then
    update mirror.budget set call_limit = 1000, remaining = 1000, reset_at = now() + interval '10 seconds'
      where window_name = 'unknown' and call_limit = 1;
    return;
  end if;
  delete from mirror.budget where window_name = 'unknown';
  -- Which window is it? The one that had this limit before; else a reset within seconds tells.
  select window_name into told from mirror.budget
    where call_limit = said_limit and window_name in ('spike', 'hour') order by window_name desc limit 1;
  told := coalesce(told, case when said_reset_in_ms <= 15000 then 'spike' else 'hour' end);
  insert into mirror.budget as b (window_name, call_limit, remaining, reset_at)
  values (told, said_limit, greatest(said_remaining - calls_under_way, 0), said_reset_at)
  on conflict (window_name) do update set
    call_limit = excluded.call_limit,
    remaining = case
      when excluded.call_limit <> b.call_limit or excluded.reset_at > b.reset_at + interval '2 seconds' then excluded.remaining
      else least(b.remaining, said_remaining) end,
    reset_at = excluded.reset_at,
    updated_at = now()
  where b.previous_reset_at is null or excluded.reset_at > b.previous_reset_at + interval '1500 ms';
end $$;
