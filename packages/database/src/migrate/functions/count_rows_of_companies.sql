-- Of a mirrored table of companies: notes by how much a statement changed the counts of its lists. Whoever may change the table need not know of
-- the counts.
create or replace function mirror.count_rows_of_companies() returns trigger language plpgsql security definer set search_path to 'pg_catalog', 'pg_temp' as $$
begin
  case tg_op
    when 'INSERT' then
      insert into mirror.count_changes (company_id, project_id, resource, kind, total, live, parts, last_at)
      select company_id, null::bigint, tg_argv[0], 'row', count(*), count(*) filter (where _deleted_at is null and _hidden_at is null),
        count(*) filter (where _deleted_at is null and _hidden_at is null and not _complete), max(_fetched_at)
      from new_rows group by 1, 2;
    when 'DELETE' then
      insert into mirror.count_changes (company_id, project_id, resource, kind, total, live, parts)
      select company_id, null::bigint, tg_argv[0], 'row', -count(*), -count(*) filter (where _deleted_at is null and _hidden_at is null),
        -count(*) filter (where _deleted_at is null and _hidden_at is null and not _complete)
      from old_rows group by 1, 2;
    else
      -- Each `on conflict do update` comes here, mostly for nothing.
      perform from new_rows limit 1;
      if not found then return null; end if;
      insert into mirror.count_changes (company_id, project_id, resource, kind, total, live, parts, last_at)
      select company_id, project_id, tg_argv[0], 'row', sum(sign), coalesce(sum(sign) filter (where is_live), 0),
        coalesce(sum(sign) filter (where is_live and not _complete), 0),
        max(_fetched_at) filter (where sign > 0)
      from (
        select company_id, null::bigint as project_id, _deleted_at is null and _hidden_at is null as is_live, _complete, _fetched_at, 1 as sign from new_rows
        union all
        select company_id, null, _deleted_at is null and _hidden_at is null, _complete, _fetched_at, -1 from old_rows
      ) changed group by 1, 2;
  end case;
  return null;
end $$;
