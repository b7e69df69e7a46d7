-- Windows are from now on those of all (also NULL: nobody knows), or each company's own. What is known of them goes along as far as it holds.
create or replace function mirror.settle_owner(new_owner text, why text) returns void language plpgsql as $$
begin
  insert into mirror.budget_owner as o (owner, because, settled_at) values (new_owner, why, case when new_owner is not null then now() end)
    on conflict (one) do update set owner = new_owner, because = why, settled_at = excluded.settled_at;
  if new_owner = 'company' then
    -- Windows go on, less the company's own calls, and those that were out when they began.
    insert into mirror.budget (window_name, company_id, call_limit, remaining, opened_at, reset_at, known_by, calls)
      select b.window_name, u.company_id, b.call_limit, greatest(b.call_limit - u.used - was_out.calls, 0), b.opened_at, b.reset_at,
        case when b.window_name = 'spike' then 'header' when b.known_by = 'assumed' then 'assumed' else 'count' end,
        u.used + was_out.calls
      from mirror.budget b join mirror.budget_use u on u.window_name = b.window_name
      cross join lateral (select greatest(b.calls - sum(o.used), 0)::integer as calls
        from mirror.budget_use o where o.window_name = b.window_name) as was_out
      where b.window_name in ('spike', 'hour') and b.company_id is null and b.reset_at > now() and b.known_by <> 'probe'
      on conflict do nothing;
    insert into mirror.budget (window_name, company_id, call_limit, remaining, reset_at, known_by)
      select distinct 'unknown', u.company_id, 1, 1, now() + interval '10 seconds', 'probe' from mirror.budget_use u
      where not exists (select from mirror.budget b where b.company_id = u.company_id and b.window_name = 'spike')
      on conflict do nothing;
    delete from mirror.budget where company_id is null and window_name <> 'pause';
  else
    insert into mirror.budget as b (window_name, call_limit, remaining, opened_at, reset_at, known_by, calls)
      select window_name, min(call_limit),
        case when bool_or(known_by = 'header')
          then greatest(min(remaining) filter (where known_by = 'header') - mirror.calls_under_way(null), 0)
          else min(call_limit) - sum(call_limit - remaining) end,
        min(opened_at), max(reset_at), case when bool_or(known_by = 'header') then 'header' else min(known_by) end, sum(calls)
      from mirror.budget
      where company_id is not null and window_name in ('spike', 'hour') and reset_at > now() and known_by <> 'probe'
      group by window_name
      on conflict do nothing;
    delete from mirror.budget where company_id is not null and window_name <> 'pause';
    insert into mirror.budget (window_name, call_limit, remaining, reset_at)
      select 'unknown', 1, 1, now() + interval '10 seconds'
      where not exists (select from mirror.budget where window_name = 'spike' and company_id is null)
      on conflict do nothing;
  end if;
end $$;
