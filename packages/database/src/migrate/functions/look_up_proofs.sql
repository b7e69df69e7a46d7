-- Keeps what the proofs of a table come to. Who changes proofs of the same table meanwhile waits.
create or replace function mirror.look_up_proofs(of_company bigint, of_project bigint, of_resource text) returns void language plpgsql as $$
begin
  insert into mirror.latest_proofs (company_id, project_id, resource) values (of_company, of_project, of_resource)
  on conflict (company_id, project_id, resource) do update set resource = excluded.resource;
  insert into mirror.latest_proofs (company_id, project_id, resource, by_listing_at, by_bin_at, by_window_at, by_count_at, listed_since,
    differs_since, sampled_since, before_at, before_since)
  select of_company, of_project, of_resource,
    max(proved_at) filter (where outcome = 'equal' and rung = 'listing'), max(proved_at) filter (where outcome = 'equal' and rung = 'bin'),
    max(proved_at) filter (where outcome = 'equal' and rung = 'window'), max(proved_at) filter (where outcome = 'equal' and rung = 'count'),
    max(as_of) filter (where outcome = 'equal' and rung = 'listing'), max(as_of) filter (where outcome = 'differs' and rung <> 'sample'),
    max(as_of) filter (where outcome = 'differs' and rung = 'sample'),
    max(proved_at) filter (where outcome = 'equal' and rung = 'listing' and proved_at < last_at),
    max(as_of) filter (where outcome = 'equal' and rung = 'listing' and proved_at < last_at)
  from (
    select p.*, max(proved_at) filter (where outcome = 'equal' and rung = 'listing') over () as last_at from (
      select p.* from mirror.proofs p where p.company_id = of_company and p.project_id = of_project and p.resource = of_resource
      union all
      select p.* from mirror.proofs p
      where of_project is null and p.company_id = of_company and p.project_id is null and p.resource = of_resource
    ) p
  ) p
  on conflict (company_id, project_id, resource) do update set by_listing_at = excluded.by_listing_at, by_bin_at = excluded.by_bin_at,
    by_window_at = excluded.by_window_at, by_count_at = excluded.by_count_at, listed_since = excluded.listed_since,
    differs_since = excluded.differs_since, sampled_since = excluded.sampled_since,
    before_at = excluded.before_at, before_since = excluded.before_since;
end $$;
