-- Notes by how much a statement changed the counts of pending records, and which moments it touched.
create or replace function mirror.count_pending() returns trigger language plpgsql security definer set search_path to 'pg_catalog', 'pg_temp' as $$
begin
  case tg_op
    when 'INSERT' then
      insert into mirror.count_changes (company_id, project_id, resource, kind, part, total, parts, failed, touched_seen_at, touched_happened_at)
      select company_id, project_id, resource, 'pending', lane::text, count(*), count(*) filter (where to_fill), count(*) filter (where attempts > 0),
        min(first_seen_at), min(happened_at)
      from new_rows group by 1, 2, 3, 5;
    when 'DELETE' then
      insert into mirror.count_changes (company_id, project_id, resource, kind, part, total, parts, failed, touched_seen_at, touched_happened_at)
      select company_id, project_id, resource, 'pending', lane::text, -count(*), -count(*) filter (where to_fill), -count(*) filter (where attempts > 0),
        min(first_seen_at), min(happened_at)
      from old_rows group by 1, 2, 3, 5;
    else
      -- Each `on conflict do update` comes here, mostly for nothing.
      perform from new_rows limit 1;
      if not found then return null; end if;
      insert into mirror.count_changes (company_id, project_id, resource, kind, part, total, parts, failed, touched_seen_at, touched_happened_at)
      select company_id, project_id, resource, 'pending', lane::text, sum(sign), coalesce(sum(sign) filter (where to_fill), 0), coalesce(sum(sign) filter (where is_failed), 0),
        min(first_seen_at), min(happened_at)
      from (
        select company_id, project_id, resource, lane, to_fill, is_failed, first_seen_at, happened_at, sum(sign) as sign
        from (
          select company_id, project_id, resource, lane, to_fill, attempts > 0 as is_failed, first_seen_at, happened_at, 1 as sign from new_rows
          union all
          select company_id, project_id, resource, lane, to_fill, attempts > 0, first_seen_at, happened_at, -1 from old_rows
        ) r group by 1, 2, 3, 4, 5, 6, 7, 8 having sum(sign) <> 0
      ) changed group by 1, 2, 3, 5;
  end case;
  return null;
end $$;
