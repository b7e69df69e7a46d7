-- Makes windows for these companies where there are none, their own or those of all, and begins those anew that are over.
create or replace function mirror.open_windows(companies bigint[]) returns void language plpgsql as $$
declare
  is_own boolean := coalesce((select owner = 'company' from mirror.budget_owner), false);
  -- What the limit of an hour is until an answer tells: the lowest that is known, else what Procore's page has.
  careful integer;
begin
  if exists (select from unnest(case when is_own then companies else array[null::bigint] end) as wanted(id)
    where not exists (select from mirror.budget b
      where coalesce(b.company_id, -1) = coalesce(wanted.id, -1) and b.window_name <> 'pause'))
  then
    select coalesce(min(call_limit) filter (where known_by <> 'assumed'), 600) into careful
      from mirror.budget where window_name = 'hour';
    insert into mirror.budget (window_name, company_id, call_limit, remaining, reset_at, known_by)
    select w.name, o.id, w.calls, w.calls, now() + w.length, w.known_by
    from (select distinct id from unnest(case when is_own then companies else array[null::bigint] end) as u(id)) as o
    cross join (values ('unknown', 1, interval '10 seconds', 'probe'), ('hour', careful, interval '1 hour', 'assumed'))
      as w(name, calls, length, known_by)
    where not exists (select from mirror.budget b
      where coalesce(b.company_id, -1) = coalesce(o.id, -1) and b.window_name <> 'pause');
    if not is_own then delete from mirror.first_calls where true; end if;
  end if;
  if exists (select from mirror.budget where reset_at <= now() and window_name <> 'pause'
    and (company_id is null or company_id = any(companies)))
  then
    -- Of a company that made no call in the hour since.
    delete from mirror.budget where window_name = 'pause' and reset_at <= now() - interval '1 hour';
    delete from mirror.callers where seen_at < now() - interval '1 minute';
    delete from mirror.first_calls where called_at < now() - interval '1 minute';
    update mirror.budget_use u set used = 0, used_live = 0,
      used_live_before = case when b.reset_at > now() - interval '1 hour' then u.used_live else 0 end
    from mirror.budget b where case b.window_name when 'unknown' then 'spike' else b.window_name end = u.window_name
      and b.reset_at <= now() and case
      when b.company_id is not null then b.company_id = u.company_id and u.company_id = any(companies)
      else u.company_id not in (
        select o.company_id from mirror.budget o where o.company_id is not null and o.window_name <> 'pause') end;
    -- A window that is over starts anew. If no answer comes, another call tries after ten seconds. Calls that are out may be
    -- counted in it.
    update mirror.budget b set known_by = case when b.known_by = 'assumed' then 'assumed' else 'probe' end,
      remaining = case when b.known_by = 'assumed' then b.call_limit else 1 end, opened_at = now(), updated_at = now(),
      reset_at = now() + case when b.known_by = 'assumed' then interval '1 hour' else interval '10 seconds' end,
      calls = mirror.calls_under_way(b.company_id), calls_of_others = 0, lane_calls = '{}'
    where b.reset_at <= now() and b.window_name <> 'pause' and (b.company_id is null or b.company_id = any(companies));
  end if;
end $$;
