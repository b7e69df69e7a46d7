-- How much longer news of events waits before it is fetched: not at all while the company's calls for news, in as long a time
-- as the hour window has, are no more than half of what it allows; beyond that the more, and half of the window when they
-- are all. Better than quick at the start of each hour and nothing at its end; and news that waits together needs fewer calls.
create or replace function mirror.pause_for_news(
  company bigint, in_lane mirror.lane
) returns interval language sql stable as $$
  select coalesce(max(least(greatest(used - 0.5, 0), 0.5) * length), 0) * interval '1 second'
  from (
    select (u.used_live + u.used_live_before * extract(epoch from b.reset_at - now()) / l.length)
      / greatest(b.call_limit, 1) as used, l.length
    from mirror.windows_of(company) b join mirror.budget_use u on u.window_name = b.window_name and u.company_id = company
    cross join lateral (select greatest(extract(epoch from b.reset_at - b.opened_at), 1) as length) as l
    where b.window_name = 'hour' and b.known_by <> 'assumed' and b.reset_at > now() and in_lane = 'live'
  ) as hour
$$;
