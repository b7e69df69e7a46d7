-- `caller`: who made the call; `company`: whose it was. `age_ms`: how long ago it went out. `succeeded`: it was answered 2xx. said_limit NULL: the answer
-- had no rate-limit headers, or there was none; said_reset_in_ms NULL: they do not tell when the window ends.
create or replace function mirror.learn_limits(
  caller text, company bigint, age_ms double precision, succeeded boolean, said_limit bigint, said_remaining bigint,
  said_reset_in_ms double precision
) returns void language plpgsql as $$
declare
  sent_at timestamptz := now() - age_ms * interval '1 ms';
  said_reset_at timestamptz := now() + said_reset_in_ms * interval '1 ms';
  whose bigint;
  told text;
  known mirror.budget;
  is_later boolean;
  is_new boolean;
  is_of_other_route boolean;
  elsewhere integer;
begin
  perform mirror.take_turn('budget');
  update mirror.callers c set under_way = greatest(c.under_way - 1, 0), under_way_of = case
      when (c.under_way_of->>company::text)::integer > 1
        then jsonb_set(c.under_way_of, array[company::text], to_jsonb((c.under_way_of->>company::text)::integer - 1))
      else c.under_way_of - company::text end
    where c.holder = caller and company is not null;
  -- Nobody waits for this call any more. (The age is rounded.)
  delete from mirror.first_calls where ctid = (select f.ctid from mirror.first_calls f
    where f.called_at <= sent_at + interval '5 ms' order by f.company_id = company desc, f.called_at desc limit 1);
  -- The call that asked whether a pause is over.
  if succeeded then
    delete from mirror.budget b where b.window_name = 'pause' and (b.company_id is null or b.company_id = company)
      and b.known_by = 'probe' and sent_at >= b.opened_at;
  else
    update mirror.budget b set remaining = 1 where b.window_name = 'pause' and (b.company_id is null or b.company_id = company)
      and b.known_by = 'probe' and sent_at >= b.opened_at;
  end if;
  whose := mirror.owner_of_windows(company);
  if said_limit is null then
    -- Let another call find out. A server that succeeds without headers does not limit us as far as we know.
    update mirror.budget b set remaining = greatest(remaining, 1)
      where b.known_by = 'probe' and b.window_name <> 'pause' and b.company_id is not distinct from whose;
    if succeeded then
      update mirror.budget b set known_by = 'header', call_limit = 1000, remaining = 1000,
        reset_at = now() + interval '10 seconds'
        where b.window_name = 'unknown' and b.company_id is not distinct from whose;
      if found then
        delete from mirror.budget b where b.known_by = 'assumed' and b.company_id is not distinct from whose;
      end if;
      delete from mirror.first_calls where whose is null or company_id = whose;
    end if;
    return;
  end if;
  said_limit := least(said_limit, 2147483647);
  said_remaining := least(said_remaining, 2147483647);
  -- Which window is it? The one that had this limit before; else a reset within seconds tells.
  select b.window_name into told from mirror.budget b
    where b.call_limit = said_limit and b.window_name in ('spike', 'hour') and b.known_by <> 'assumed'
      and b.company_id is not distinct from whose
    order by b.window_name desc limit 1;
  told := coalesce(told, case when coalesce(said_reset_in_ms, 0) <= 15000 then 'spike' else 'hour' end);
  if succeeded and company is not null then
    perform mirror.compare_limits(company, told, sent_at, said_limit, said_remaining, said_reset_at);
    whose := mirror.owner_of_windows(company);
  end if;
  delete from mirror.budget b where b.window_name = 'unknown' and b.company_id is not distinct from whose;
  select * into known from mirror.budget b where b.window_name = told and b.company_id is not distinct from whose;
  said_reset_at := coalesce(said_reset_at, case when known.known_by <> 'probe' and known.reset_at > now() then known.reset_at end,
    now() + interval '10 seconds');
  is_later := coalesce(known.known_by <> 'assumed' and said_reset_at > known.reset_at + interval '2 seconds', false);
  -- The answer to a call that went out before this window began says nothing of it.
  if known.window_name is not null and sent_at < known.opened_at and not is_later then return; end if;
  -- Where routes have limits of their own, the lowest counts for all until the window is over.
  is_of_other_route := coalesce(known.known_by = 'header' and not is_later and said_limit <> known.call_limit, false);
  is_new := known.window_name is null or known.known_by <> 'header' or is_later;
  if is_later then
    update mirror.budget_use u set used = 0, used_live = 0, used_live_before = used_live
      where u.window_name = told and case when whose is not null then u.company_id = whose
        else u.company_id not in (
          select o.company_id from mirror.budget o where o.company_id is not null and o.window_name <> 'pause') end;
  end if;
  -- The reset is told in whole seconds. A window that opened with the call that was just answered ends ten seconds later.
  if is_new and said_reset_in_ms between 9000 and 11100 then said_reset_at := now() + interval '10 seconds'; end if;
  -- Calls that are out may not be counted in what the answer says.
  elsewhere := greatest(mirror.calls_under_way(whose),
    (select count(*) from mirror.first_calls f where whose is null or f.company_id = whose));
  delete from mirror.first_calls where whose is null or company_id = whose;
  insert into mirror.budget as b (window_name, company_id, call_limit, remaining, reset_at, opened_at, known_by, calls, calls_of_others)
  values (told, whose, said_limit, greatest(said_remaining - elsewhere, 0), said_reset_at, sent_at, 'header', elsewhere + 1,
    greatest(said_limit - said_remaining - elsewhere - 1, 0))
  on conflict (window_name, company_id) do update set
    call_limit = case when is_of_other_route then least(b.call_limit, excluded.call_limit) else excluded.call_limit end,
    remaining = case
      when is_new then excluded.remaining
      when is_of_other_route then least(b.remaining, excluded.remaining)
      else least(b.remaining, said_remaining) end,
    reset_at = case
      when is_new or abs(extract(epoch from excluded.reset_at - b.reset_at)) > 1.2 then excluded.reset_at
      else b.reset_at end,
    opened_at = case when is_later then excluded.opened_at else b.opened_at end,
    calls = case when is_later then excluded.calls else b.calls end,
    lane_calls = case when is_later then '{}' else b.lane_calls end,
    calls_of_others = case
      when is_later then excluded.calls_of_others
      when is_of_other_route then b.calls_of_others
      else greatest(b.calls_of_others, said_limit - said_remaining - b.calls) end,
    known_by = 'header',
    updated_at = now();
  -- An answer tells of the window that is nearer to running out, so the other one, if new, has more left.
  update mirror.budget b set known_by = 'count', remaining = b.call_limit - 1, opened_at = sent_at,
    reset_at = sent_at + case b.window_name when 'spike' then interval '10 seconds' else interval '1 hour' end
  where b.known_by = 'probe' and b.window_name in ('spike', 'hour') and b.window_name <> told
    and b.company_id is not distinct from whose;
  if told = 'spike' then
    insert into mirror.budget (window_name, company_id, call_limit, remaining, reset_at, known_by)
      select 'hour', whose, 600, 599, now() + interval '1 hour', 'assumed'
      where not exists (select from mirror.budget b where b.window_name = 'hour' and b.company_id is not distinct from whose);
    -- An hour that had less left would have been told of: it allows more than was assumed.
    update mirror.budget b set call_limit = larger.calls, remaining = larger.calls - (b.call_limit - b.remaining)
    from (select greatest(o.call_limit::float8 * 2, said_limit::float8 * 24, said_remaining::float8 + o.call_limit - o.remaining)
        as calls from mirror.budget o
      where o.window_name = 'hour' and o.known_by = 'assumed' and o.company_id is not distinct from whose
        and said_remaining > o.remaining + elsewhere) as unbounded,
      lateral (select least(unbounded.calls, 2147483647)::integer as calls) as larger
    where b.window_name = 'hour' and b.company_id is not distinct from whose;
  end if;
end $$;
