-- Notes by how much a statement changed the counts of pending records.
create or replace function mirror.count_pending() returns trigger language plpgsql security definer set search_path to 'pg_catalog', 'pg_temp' as $$
begin
  case tg_op
    when 'INSERT' then
      insert into mirror.count_changes (company_id, project_id, resource, kind, part, total, parts, failed)
      select company_id, project_id, resource, 'pending', lane::text, count(*), count(*) filter (where to_fill), count(*) filter (where attempts > 0)
      from new_rows group by 1, 2, 3, 5;
    when 'DELETE' then
      insert into mirror.count_changes (company_id, project_id, resource, kind, part, total, parts, failed)
      select company_id, project_id, resource, 'pending', lane::text, -count(*), -count(*) filter (where to_fill), -count(*) filter (where attempts > 0)
      from old_rows group by 1, 2, 3, 5;
    else
      insert into mirror.count_changes (company_id, project_id, resource, kind, part, total, parts, failed)
      select company_id, project_id, resource, 'pending', lane::text, sum(sign), sum(sign * to_fill::integer), sum(sign * (attempts > 0)::integer)
      from (
        select company_id, project_id, resource, lane, to_fill, attempts, 1 as sign from new_rows
        union all
        select company_id, project_id, resource, lane, to_fill, attempts, -1 from old_rows
      ) changed group by 1, 2, 3, 5
      having sum(sign) <> 0 or sum(sign * to_fill::integer) <> 0 or sum(sign * (attempts > 0)::integer) <> 0;
  end case;
  return null;
end $$;
