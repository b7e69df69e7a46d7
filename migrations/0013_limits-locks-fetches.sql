CREATE TABLE "mirror"."turns" (
	"of" text PRIMARY KEY NOT NULL
);

-- Waits until no other transaction has this turn, and has it until the end of its own.
create function mirror.take_turn(turn text) returns void language plpgsql as $$
begin
  perform from mirror.turns where of = turn for update;
  if found then return; end if;
  insert into mirror.turns (of) values (turn) on conflict do nothing;
  perform from mirror.turns where of = turn for update;
end $$;
--> statement-breakpoint
-- Leave for some of these calls, one for each element of `companies` and `lanes`; `wait_ms`: when to ask again for the others.
-- Rows of mirror.budget: 'spike' and 'hour' as learnt from headers, 'pause' after a 429 or 503, and 'unknown' until the
-- first answer came. Who comes later (by lane) and who had much already leave a share of each window to others; the share
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
  if not exists (select from mirror.budget where window_name <> 'pause') then
    insert into mirror.budget (window_name, call_limit, remaining, reset_at)
    values ('unknown', 1, 1, now() + interval '10 seconds');
  end if;
  if exists (select from mirror.budget where reset_at <= now()) then
    delete from mirror.budget where window_name = 'pause' and reset_at <= now();
    delete from mirror.callers where seen_at < now() - interval '1 minute';
    update mirror.budget_use u set used = 0, used_live = 0,
      used_live_before = case when b.reset_at > now() - interval '1 hour' then u.used_live else 0 end
    from mirror.budget b where b.window_name = u.window_name and b.reset_at <= now();
    -- A window that is over starts anew. If no answer comes, another call tries after ten seconds.
    update mirror.budget set known_by = 'probe', remaining = 1, opened_at = now(), updated_at = now(),
      reset_at = now() + interval '10 seconds'
    where reset_at <= now();
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
        when b.known_by = 'probe' or b.window_name = 'pause' then b.remaining
        when b.known_by = 'count' and kept.share = 0 then 1
        else b.remaining - floor(b.call_limit * kept.share * least(1,
          extract(epoch from b.reset_at - now()) / greatest(extract(epoch from b.reset_at - b.opened_at), 1))) end
        as left_to_it
      from mirror.budget b
      left join mirror.budget_use u on u.window_name = b.window_name and u.company_id = ask.company
      cross join lateral (select greatest(ask.share,
        case when are_several and coalesce(u.used, 0) >= b.call_limit * 0.1 then 0.1 else 0 end) as share) as kept
    ) as windows;
    if left_over >= 1 then
      granted[ask.place] := true;
      update mirror.budget set remaining = remaining - 1, updated_at = now();
      insert into mirror.budget_use as u (window_name, company_id, used, used_live)
        select window_name, ask.company, 1, (ask.lane <= 'detail')::int from mirror.budget
        where window_name in ('spike', 'hour')
        on conflict (window_name, company_id) do update
          set used = u.used + 1, used_live = u.used_live + excluded.used_live;
    else
      wait_ms := least(coalesce(wait_ms, again_ms), again_ms);
    end if;
  end loop;
  wait_ms := case when wait_ms is null then 0 else greatest(wait_ms, 1) end;
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
  told text;
  known mirror.budget;
  is_later boolean;
  is_new boolean;
  elsewhere integer;
begin
  perform mirror.take_turn('budget');
  if said_limit is null then
    -- Let another call find out. A server that answers without headers does not limit us as far as we know.
    update mirror.budget set remaining = greatest(remaining, 1) where known_by = 'probe' and window_name <> 'pause';
    update mirror.budget set known_by = 'header', call_limit = 1000, remaining = 1000,
      reset_at = now() + interval '10 seconds' where window_name = 'unknown' and answered;
    return;
  end if;
  delete from mirror.budget where window_name = 'unknown';
  -- Which window is it? The one that had this limit before; else a reset within seconds tells.
  select window_name into told from mirror.budget
    where call_limit = said_limit and window_name in ('spike', 'hour') order by window_name desc limit 1;
  told := coalesce(told, case when said_reset_in_ms <= 15000 then 'spike' else 'hour' end);
  select * into known from mirror.budget where window_name = told;
  is_later := coalesce(said_reset_at > known.reset_at + interval '2 seconds', false);
  -- The answer to a call that went out before this window began says nothing of it.
  if known.window_name is not null and sent_at < known.opened_at and not is_later then return; end if;
  is_new := known.window_name is null or known.known_by <> 'header' or said_limit <> known.call_limit or is_later;
  if is_later then
    update mirror.budget_use set used = 0, used_live = 0, used_live_before = used_live where window_name = told;
  end if;
  -- The reset is told in whole seconds. A window that opened with the call that was just answered ends ten seconds later.
  if is_new and said_reset_in_ms between 9000 and 11100 then said_reset_at := now() + interval '10 seconds'; end if;
  -- Calls that are out may not be counted in what the answer says.
  select coalesce(sum(under_way), 0) into elsewhere from mirror.callers
    where seen_at > now() - interval '1 minute';
  insert into mirror.budget as b (window_name, call_limit, remaining, reset_at, opened_at, known_by)
  values (told, said_limit, greatest(said_remaining - elsewhere, 0), said_reset_at, sent_at, 'header')
  on conflict (window_name) do update set
    call_limit = excluded.call_limit,
    remaining = case when is_new then excluded.remaining else least(b.remaining, said_remaining) end,
    reset_at = case
      when is_new or abs(extract(epoch from excluded.reset_at - b.reset_at)) > 1.2 then excluded.reset_at
      else b.reset_at end,
    opened_at = case when is_later then excluded.opened_at else b.opened_at end,
    known_by = 'header',
    updated_at = now();
  -- An answer tells of the window that is nearer to running out, so the other one, if new, has more left.
  update mirror.budget set known_by = 'count', remaining = call_limit - 1, opened_at = sent_at,
    reset_at = sent_at + case window_name when 'spike' then interval '10 seconds' else interval '1 hour' end
  where known_by = 'probe' and window_name in ('spike', 'hour') and window_name <> told;
end $$;
