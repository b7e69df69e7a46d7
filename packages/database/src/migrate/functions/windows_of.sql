-- The windows, and the pauses, that hold for the calls of a company.
create or replace function mirror.windows_of(company bigint) returns setof mirror.budget language sql stable as $$
  select * from mirror.budget b
  where case
    when b.window_name = 'pause' then b.company_id is null or b.company_id = company
    else b.company_id is not distinct from (
      select min(o.company_id) from mirror.budget o where o.company_id = company and o.window_name <> 'pause') end
$$;
