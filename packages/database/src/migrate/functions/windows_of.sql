-- The windows, and the pauses, that hold for the calls of a company.
create or replace function mirror.windows_of(company bigint) returns setof mirror.budget language sql stable as $$
  select * from mirror.budget b
  where b.company_id = company or (b.company_id is null and (b.window_name = 'pause' or not exists (
    select from mirror.budget o where o.company_id = company and o.window_name <> 'pause')))
$$;
