-- Grants some of these calls, one for each element of `companies` and `lanes`; `wait_ms`: when to ask again for the others.
-- `calls_under_way`: the caller's calls without an answer, an object of numbers by company.
-- Rows of mirror.budget: 'spike' and 'hour' as learnt from headers, 'unknown' until the first answer came, and 'pause' of a
-- company after a 429. Who comes later (mirror.lane_shares), or had much of a shared window already, leaves a share of each
-- window to others; the share shrinks as the window passes, so that in the end all of it is used.
-- While nothing is known (the row 'unknown', or a window that began anew: 'probe'), calls wait for the answers to few
-- (mirror.first_calls), but not to one that takes longer than two seconds. Nothing known at all: five at a time, one of each
-- company; Procore's smallest limit is 25 in ten seconds. A window that began anew: one, and another after two seconds.
create or replace function mirror.take_calls(
  caller text, calls_under_way jsonb, companies bigint[], lanes mirror.lane[], out granted boolean[],
  out wait_ms double precision
) returns record language plpgsql as $$
declare
  ask record;
  win record;
  waited_for record;
  left_to_it float8;
  kept float8;
  part float8;
  is_probe boolean;
  lanes_of_own integer[];
  other integer;
  left_over float8;
  again_ms float8;
  are_several boolean;
  since timestamptz;
  own float8[];
  leaves float8[];
  leaves_beyond float8[];
  refused text[] := '{}';
begin
  -- One taker at a time, for the length of this statement.
  perform mirror.take_turn('budget');
  insert into mirror.callers as c (holder, under_way, under_way_of)
    select caller, coalesce(sum(value::integer), 0), calls_under_way from jsonb_each_text(calls_under_way)
    on conflict (holder) do update
      set under_way = excluded.under_way, under_way_of = excluded.under_way_of, seen_at = now();
  perform mirror.open_windows(companies);
  insert into mirror.budget_lanes as l (lane, asked_at)
    select s.lane, now() from mirror.lane_shares() s where s.own > 0 and s.lane = any(lanes)
      and not exists (select from mirror.budget_lanes k where k.lane = s.lane and k.asked_at > now() - interval '1 minute')
    on conflict (lane) do update set asked_at = now();
  -- For a lane that nobody used for a day nothing is kept.
  select array_agg(case when s.lane = any(lanes) or l.asked_at > now() - interval '1 day' then s.own else 0 end order by s.lane),
    array_agg(s.leaves order by s.lane), array_agg(s.leaves_beyond order by s.lane)
    into own, leaves, leaves_beyond from mirror.lane_shares() s left join mirror.budget_lanes l using (lane);

  select coalesce(array_agg(i), '{}') into lanes_of_own from generate_subscripts(own, 1) i where own[i] > 0;
  granted := array_fill(false, array[cardinality(companies)]);
  are_several := coalesce((select min(company_id) <> max(company_id) from mirror.batches), false);
  for ask in
    select a.company, a.lane, a.place, a.turn, array_position(enum_range(null::mirror.lane), a.lane) as number,
      concat(a.company, ' ', a.lane) as kind
    from (select *, row_number() over (partition by company, lane order by place) as turn
      from unnest(companies, lanes) with ordinality as asked(company, lane, place)) as a
    left join mirror.budget_use u on u.company_id = a.company and u.window_name = 'spike'
    left join (select company_id, count(*) as calls from mirror.first_calls group by 1) as f on f.company_id = a.company
    order by a.lane, coalesce(f.calls, 0), coalesce(u.used, 0), a.turn, a.place
  loop
    continue when ask.kind = any(refused);
    left_over := null;
    again_ms := 0;
    is_probe := false;
    for win in
      select b.*, extract(epoch from b.reset_at - now())::float8 as left_s,
        extract(epoch from b.reset_at - b.opened_at)::float8 as length_s,
        coalesce((select u.used from mirror.budget_use u
          where u.window_name = b.window_name and u.company_id = ask.company), 0) as used
      from mirror.windows_of(ask.company) b
    loop
      kept := 0;
      if win.window_name = 'pause' then
        left_to_it := case when win.left_s <= 0 then 1 else win.remaining end;
      elsif win.known_by = 'probe' then
        is_probe := true;
        since := clock_timestamp() - interval '2 seconds';
        select count(*) filter (where called_at > since) as young,
          count(*) filter (where called_at > since and company_id = ask.company) as young_of_company,
          count(*) filter (where called_at <= since and company_id = ask.company) as old_of_company
          into waited_for from mirror.first_calls;
        left_to_it := case
          when win.window_name = 'unknown' and win.company_id is null then
            (waited_for.young < 5 and (waited_for.young_of_company = 0 or waited_for.old_of_company > 0))::int
          when win.remaining < 1 or win.window_name = 'unknown' then
            (case when win.company_id is null then waited_for.young else waited_for.young_of_company end = 0)::int
          else win.remaining end;
      else
        -- How much of it is still to come, its last second left out: what is kept until the very end nobody uses.
        part := greatest(0, least(1, (win.left_s - 1) / greatest(win.length_s - 1, 1)));
        kept := win.call_limit * part * greatest(
          case when coalesce(win.lane_calls[ask.number], 0) < win.call_limit * own[ask.number] then leaves[ask.number]
            else leaves_beyond[ask.number] end,
          case when are_several and win.company_id is null and win.used >= win.call_limit * 0.1 then 0.1 else 0 end);
        if ask.lane > 'detail' then
          foreach other in array lanes_of_own loop
            if other <> ask.number then
              kept := kept + least(win.call_limit * own[other] * part,
                greatest(win.call_limit * own[other] - coalesce(win.lane_calls[other], 0), 0));
            end if;
          end loop;
        end if;
        left_to_it := case
          when kept = 0 and win.known_by in ('count', 'assumed') then 1
          else win.remaining - floor(kept) end;
      end if;
      left_over := least(left_over, left_to_it);
      if left_to_it < 1 then
        again_ms := greatest(again_ms, case
          when win.known_by = 'probe' then 50
          when win.remaining < 1 or kept <= 0 then win.left_s * 1000
          -- When what is kept has shrunk to what is left.
          else greatest(25, (win.left_s - 1) * 1000 * (1 - win.remaining / kept)) end);
      end if;
    end loop;
    if left_over >= 1 then
      granted[ask.place] := true;
      if is_probe then insert into mirror.first_calls (company_id, called_at) values (ask.company, clock_timestamp()); end if;
      insert into mirror.budget_use as u (window_name, company_id, used, used_live)
        select case window_name when 'hour' then 'hour' else 'spike' end, ask.company, 1, (ask.lane <= 'detail')::int
        from mirror.windows_of(ask.company) where window_name <> 'pause'
        on conflict (window_name, company_id) do update
          set used = u.used + 1, used_live = u.used_live + excluded.used_live;
      update mirror.budget b set updated_at = now(), calls = b.calls + 1,
        lane_calls[ask.number] = coalesce(b.lane_calls[ask.number], 0) + 1, remaining = case
          when b.known_by = 'probe' and b.window_name = 'unknown' then 1
          when b.known_by = 'probe' then greatest(b.remaining - 1, 0)
          else b.remaining - 1 end
        from mirror.windows_of(ask.company) w
        where b.window_name = w.window_name and b.company_id is not distinct from w.company_id;
      -- This call asks whether the pause is over. If no answer comes, another one does after a minute.
      update mirror.budget b set remaining = 0, known_by = 'probe', opened_at = now(), reset_at = now() + interval '1 minute'
        where b.window_name = 'pause' and (b.company_id is null or b.company_id = ask.company);
    else
      refused := refused || ask.kind;
      wait_ms := least(coalesce(wait_ms, again_ms), again_ms);
    end if;
  end loop;
  if true = any(granted) then
    update mirror.callers c set under_way = c.under_way + cardinality(array_positions(granted, true)), under_way_of = (
        select coalesce(jsonb_object_agg(company, calls), '{}') from (
          select company, sum(calls) as calls from (
            select key as company, value::integer as calls from jsonb_each_text(c.under_way_of)
            union all select companies[place]::text, 1 from unnest(array_positions(granted, true)) as place
              where companies[place] is not null) as each
          group by company) as together)
      where c.holder = caller;
  end if;
  wait_ms := case when wait_ms is null then 0 else greatest(wait_ms, 1) end;
end $$;
