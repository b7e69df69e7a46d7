-- Looks up what proofs come to for the tables of which a statement changed any.
create or replace function mirror.keep_latest_proofs() returns trigger language plpgsql security definer set search_path to 'pg_catalog', 'pg_temp' as $$
begin
  case tg_op
    when 'INSERT' then
      perform mirror.look_up_proofs(company_id, project_id, resource)
      from (select distinct company_id, project_id, resource from new_rows order by 1, 2, 3) changed;
    when 'TRUNCATE' then
      delete from mirror.latest_proofs;
    when 'DELETE' then
      perform mirror.look_up_proofs(company_id, project_id, resource)
      from (select distinct company_id, project_id, resource from old_rows order by 1, 2, 3) changed;
    else
      perform mirror.look_up_proofs(company_id, project_id, resource)
      from (
        select company_id, project_id, resource from old_rows union select company_id, project_id, resource from new_rows order by 1, 2, 3
      ) changed;
  end case;
  return null;
end $$;
