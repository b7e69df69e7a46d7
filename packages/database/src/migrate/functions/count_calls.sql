-- Adds the calls that a statement entered in mirror.fetches to their counts; when they are removed those are long forgotten.
create or replace function mirror.count_calls() returns trigger language plpgsql security definer set search_path to 'pg_catalog', 'pg_temp' as $$
begin
  insert into mirror.count_changes (company_id, project_id, resource, kind, part, period, total, failed, last_at)
  select company_id, project_id, resource, 'call', case when lane <= 'detail' then 'news' end,
    date_bin('10 minutes', called_at, '2000-01-01 00:00+00'), count(*),
    count(*) filter (where coalesce(status not between 200 and 299, true)), max(called_at)
  from new_rows group by 1, 2, 3, 5, 6;
  return null;
end $$;
