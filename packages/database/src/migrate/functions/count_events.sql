-- Notes by how much a statement changed the counts of events. They are never changed, but for how often they were delivered.
create or replace function mirror.count_events() returns trigger language plpgsql security definer set search_path to 'pg_catalog', 'pg_temp' as $$
begin
  if tg_op = 'INSERT' then
    insert into mirror.count_changes (company_id, project_id, resource, kind, part, period, total, last_at)
    select company_id, project_id, resource, 'event', case when outcome = 'ignored' then coalesce(reason, '') end,
      date_bin('10 minutes', received_at, '2000-01-01 00:00+00'), count(*), max(received_at)
    from new_rows group by 1, 2, 3, 5, 6;
  else
    insert into mirror.count_changes (company_id, project_id, resource, kind, part, period, total)
    select company_id, project_id, resource, 'event', case when outcome = 'ignored' then coalesce(reason, '') end,
      date_bin('10 minutes', received_at, '2000-01-01 00:00+00'), -count(*)
    from old_rows group by 1, 2, 3, 5, 6;
  end if;
  return null;
end $$;
