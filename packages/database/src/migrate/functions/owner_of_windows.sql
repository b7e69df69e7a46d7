-- The company itself if it has windows of its own, NULL if it shares those of all.
create or replace function mirror.owner_of_windows(company bigint) returns bigint language sql stable as $$
  select min(b.company_id) from mirror.budget b where b.company_id = company and b.window_name <> 'pause'
$$;
