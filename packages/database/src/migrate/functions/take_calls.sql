-- Grants some of these calls, one for each element of `companies` and `lanes`; `wait_ms`: when to ask again for the others.
-- Rows of mirror.budget: 'spike' and 'hour' as learnt from headers, 'unknown' until the first answer came, and 'pause' of a
-- company after a 429. Who comes later (by lane) and who had much already leave a share of each window to others; the share
-- shrinks as the window passes, so that in the end all of it is used.
-- While nothing is known (the row 'unknown', or a window that began anew: 'probe'), calls wait for the answers to few
-- (mirror.first_calls), but not to one that takes longer than two seconds. Nothing known at all: five at a time, one of each
-- company; Procore's smallest limit is 25 in ten seconds. A window that began anew: one, and another after two seconds.
create or replace function mirror.take_calls(
  caller text, calls_under_way integer, companies bigint[], lanes mirror.lane[], out granted boolean[],
  out wait_ms double precision
) returns record language plpgsql as $$
declare
  ask record;
  left_over float8;
  again_ms float8;
  are_several boolean;
  since timestamptz;
begin
  -- One taker at a time, for the length of this statement.
  perform mirror.take_turn('budget');
  insert into mirror.callers as c (holder, under_way) values (caller, calls_under_way)
    on conflict (holder) do update set under_way = excluded.under_way, seen_at = now();
  if not exists (select from mirror.budget where company_id is null and window_name <> 'pause') then
    insert into mirror.budget (window_name, call_limit, remaining, reset_at)
    values ('unknown', 1, 1, now() + interval '10 seconds');
    delete from mirror.first_calls where true;
  end if;
  if exists (select from mirror.budget where reset_at <= now() and window_name <> 'pause') then
    -- Of a company that made no call in the hour since.
    delete from mirror.budget where window_name = 'pause' and reset_at <= now() - interval '1 hour';
    delete from mirror.callers where seen_at < now() - interval '1 minute';
    delete from mirror.first_calls where called_at < now() - interval '1 minute';
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
    select a.company, a.lane, a.place, a.turn,
      case a.lane when 'live' then 0 when 'detail' then 0.1 when 'repair' then 0.2 when 'backfill' then 0.3 else 0.5 end
        as share
    from (select *, row_number() over (partition by company, lane order by place) as turn
      from unnest(companies, lanes) with ordinality as asked(company, lane, place)) as a
    left join mirror.budget_use u on u.company_id = a.company and u.window_name = 'spike'
    left join (select company_id, count(*) as calls from mirror.first_calls group by 1) as f on f.company_id = a.company
    order by a.lane, coalesce(f.calls, 0), coalesce(u.used, 0), a.turn, a.place
  loop
    since := clock_timestamp() - interval '2 seconds';
    select min(left_to_it), max(case
        when left_to_it >= 1 then 0
        when known_by = 'probe' then 50
        when remaining < 1 then extract(epoch from reset_at - now()) * 1000
        else 500 end)
    into left_over, again_ms
    from (
      select b.*, case
        when b.window_name = 'pause' and b.reset_at <= now() then 1
        when b.window_name = 'unknown' and b.known_by = 'probe' then
          (young.calls < 5 and (young.of_company = 0 or old.of_company > 0))::int
        when b.known_by = 'probe' and b.window_name <> 'pause' and b.remaining < 1 then
          (case when b.company_id is null then young.calls else young.of_company end = 0)::int
        when b.known_by = 'probe' or b.window_name = 'pause' then b.remaining
        when b.known_by = 'count' and kept.share = 0 then 1
        else b.remaining - floor(b.call_limit * kept.share * least(1,
          extract(epoch from b.reset_at - now()) / greatest(extract(epoch from b.reset_at - b.opened_at), 1))) end
        as left_to_it
      from mirror.windows_of(ask.company) b
      left join mirror.budget_use u on u.window_name = b.window_name and u.company_id = ask.company
      cross join lateral (select greatest(ask.share,
        case when are_several and coalesce(u.used, 0) >= b.call_limit * 0.1 then 0.1 else 0 end) as share) as kept
      cross join lateral (select count(*) as calls, count(*) filter (where company_id = ask.company) as of_company
        from mirror.first_calls where called_at > since) as young
      cross join lateral (select count(*) as of_company
        from mirror.first_calls where company_id = ask.company and called_at <= since) as old
    ) as windows;
    if left_over >= 1 then
      granted[ask.place] := true;
      insert into mirror.first_calls (company_id, called_at) select ask.company, clock_timestamp()
        where exists (select from mirror.windows_of(ask.company) where known_by = 'probe' and window_name <> 'pause');
      insert into mirror.budget_use as u (window_name, company_id, used, used_live)
        select window_name, ask.company, 1, (ask.lane <= 'detail')::int from mirror.windows_of(ask.company)
        where window_name in ('spike', 'hour')
        on conflict (window_name, company_id) do update
          set used = u.used + 1, used_live = u.used_live + excluded.used_live;
      update mirror.budget b set updated_at = now(), remaining = case
          when b.known_by = 'probe' and b.window_name = 'unknown' then 1
          when b.known_by = 'probe' then greatest(b.remaining - 1, 0)
          else b.remaining - 1 end
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
