-- `company`: whose call it was. `age_ms`: how long ago it went out. `succeeded`: it was answered 2xx. said_limit NULL: the answer
-- had no rate-limit headers, or there was none; said_reset_in_ms NULL: they do not tell when the window ends.
create or replace function mirror.learn_limits(
  company bigint, age_ms double precision, succeeded boolean, said_limit bigint, said_remaining bigint,
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
  elsewhere integer;
begin
  perform mirror.take_turn('budget');
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
  select min(b.company_id) into whose from mirror.budget b where b.company_id = company and b.window_name <> 'pause';
  if said_limit is null then
    -- Let another call find out. A server that succeeds without headers does not limit us as far as we know.
    update mirror.budget b set remaining = greatest(remaining, 1)
      where b.known_by = 'probe' and b.window_name <> 'pause' and b.company_id is not distinct from whose;
    update mirror.budget b set known_by = 'header', call_limit = 1000, remaining = 1000,
      reset_at = now() + interval '10 seconds'
      where b.window_name = 'unknown' and b.company_id is not distinct from whose and succeeded;
    if succeeded then delete from mirror.first_calls where whose is null or company_id = whose; end if;
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
  -- Callers told of them when they asked for calls again, if they did.
  elsewhere := greatest(elsewhere, (select count(*) from mirror.first_calls));
  delete from mirror.first_calls where whose is null or company_id = whose;
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
