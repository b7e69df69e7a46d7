-- Calls without an answer, of this company or, if it is NULL, of all.
create or replace function mirror.calls_under_way(company bigint) returns integer language sql stable as $$
  select coalesce(sum(case when company is null then c.under_way else coalesce((c.under_way_of->>company::text)::integer, 0) end), 0)::integer
  from mirror.callers c where c.seen_at > now() - interval '1 minute'
$$;
