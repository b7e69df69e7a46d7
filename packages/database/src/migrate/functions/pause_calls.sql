-- No call of the company for `pause_ms`, or of anybody if it is NULL or the windows are known to be those of all. Calls that were
-- under way when the pause began say no more than the first; only when the one that asked whether it is over is refused, a guess
-- (not `is_told`) is doubled.
create or replace function mirror.pause_calls(
  company bigint, age_ms double precision, pause_ms double precision, is_told boolean
) returns void language plpgsql as $$
declare
  sent_at timestamptz := now() - age_ms * interval '1 ms';
  known mirror.budget;
  is_again boolean;
  until timestamptz;
begin
  perform mirror.take_turn('budget');
  -- Its own windows had calls left, and others made some: so they are not its own.
  if (select owner = 'company' from mirror.budget_owner)
    and (select bool_and(b.remaining >= 1 and b.reset_at > now() and b.opened_at <= sent_at) and bool_or(b.known_by = 'header')
      from mirror.budget b where b.company_id = company and b.window_name in ('spike', 'hour'))
    and exists (select from mirror.budget_use u join mirror.budget b using (window_name, company_id)
      where u.company_id <> company and u.used > 0 and b.reset_at > now())
  then
    perform mirror.settle_owner('all', 'refusal');
  end if;
  if (select owner = 'all' from mirror.budget_owner) then company := null; end if;
  select * into known from mirror.budget b where b.window_name = 'pause' and b.company_id is not distinct from company;
  is_again := coalesce(known.known_by = 'probe' and sent_at >= known.opened_at, false);
  until := now() + interval '1 ms' * case
    when is_told or not is_again then pause_ms
    else least(pause_ms * 2 ^ least(known.refusals, 30), 3600000) end;
  insert into mirror.budget as b (window_name, company_id, call_limit, remaining, reset_at, known_by, refusals)
  values ('pause', company, 0, 0, until, 'refusal', 1)
  on conflict (window_name, company_id) do update set
    remaining = 0,
    reset_at = case when b.known_by = 'probe' then until else greatest(b.reset_at, until) end,
    known_by = 'refusal',
    refusals = b.refusals + is_again::int,
    updated_at = now();
end $$;
