-- Finds out whose a limit is, from what an answer of one company says beside the last ones of others about the same window.
--   One window of all: its Remaining falls with each call, so a later call hears less than an earlier one of any company did,
--     and what was used beyond the company's own calls is as much as the others made. Two such answers in a row settle it.
--   Windows of their own: a later call of another company hears as much or more; two hear the same. Two answers in a row, too.
-- In doubt, which is at first and when one answer speaks against windows of their own, all are held to the windows together.
-- Once it is one window of all, it stays so (docs/decisions/021-whose-limit-it-is.md).
create or replace function mirror.compare_limits(
  company bigint, told text, sent_at timestamp with time zone, the_limit bigint, calls_left bigint,
  ends_at timestamp with time zone
) returns void language plpgsql as $$
declare
  known mirror.budget_owner;
  is_own boolean;
  of_own bigint;
  of_own_at_most bigint;
  of_others bigint;
  vote integer := 0;
begin
  select * into known from mirror.budget_owner;
  if known.owner = 'all' then return; end if;
  if ends_at > now() then
    -- Resets are told in whole seconds: in the last second it may be the next window already.
    select bool_or((u.said_at <= sent_at and u.said_remaining[cardinality(u.said_remaining)] <= calls_left
          and u.said_reset_at > now() + interval '1.5 seconds')
        or (calls_left = any(u.said_remaining) and abs(extract(epoch from u.said_reset_at - ends_at)) < 1.2)),
      -- Calls in the same window, or that are out and may be.
      sum(u.used) filter (where abs(extract(epoch from u.said_reset_at - ends_at)) < 1.2 or (
        coalesce(u.said_reset_at, '-infinity') <= now()
        and u.company_id::text in (select jsonb_object_keys(c.under_way_of) from mirror.callers c)))
      into is_own, of_others
      from mirror.budget_use u
      where u.window_name = told and u.company_id <> company and coalesce(u.said_limit, the_limit) = the_limit and calls_left > 0;
    -- Of calls that are out, those of the window before may be counted in this one, and others may not be counted yet.
    select coalesce(max(u.used), 0), greatest(max(u.used), max(b.calls), 0) + mirror.calls_under_way(company)
      into of_own, of_own_at_most
      from mirror.budget_use u left join mirror.budget b on b.window_name = told and b.company_id = company
      where u.window_name = told and u.company_id = company;
    vote := case
      when is_own then -1
      when the_limit - calls_left - of_own_at_most between 1 and of_others
        and the_limit - calls_left - of_own >= of_others - mirror.calls_under_way(null) then 1
      else 0 end;
  end if;
  insert into mirror.budget_use as u (window_name, company_id, used, said_limit, said_remaining, said_reset_at, said_at)
    values (told, company, 0, the_limit, array[calls_left], ends_at, now())
    on conflict (window_name, company_id) do update set said_limit = excluded.said_limit,
      said_remaining = case
        when abs(extract(epoch from u.said_reset_at - ends_at)) < 1.2 and u.said_limit = the_limit
          then u.said_remaining[cardinality(u.said_remaining) - 98:] || excluded.said_remaining
        else excluded.said_remaining end,
      said_reset_at = excluded.said_reset_at, said_at = excluded.said_at;
  if vote = 0 or (vote < 0 and known.owner = 'company' and known.answers <= 0) then return; end if;
  insert into mirror.budget_owner as o (answers) values (vote)
    on conflict (one) do update set answers = case when sign(o.answers) = -vote then vote else o.answers + vote end
    returning * into known;
  if abs(known.answers) >= 2 then
    perform mirror.settle_owner(case when vote > 0 then 'all' else 'company' end, 'answers');
  elsif known.owner = 'company' and vote > 0 then
    perform mirror.settle_owner(null, null); -- in doubt no call too many
  end if;
end $$;
