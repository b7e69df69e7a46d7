// The part of the status that tells of Procore's limits.

type BudgetWindow = {
  /** Whose it is; null: of all companies that have none of their own. */
  companyId: string | null;
  window: 'hour' | 'spike';
  limit: number;
  left: number;
  /** When there are `limit` calls again; null: a new window begins with the next call. */
  endsAt: string | null;
  /** False: no answer told the limit yet, and a careful one is assumed. */
  isTold: boolean;
  /** Our calls in it, and those that Procore counted beside them, at least. */
  calls: number;
  callsOfOthers: number;
};

export type BudgetStatus = {
  /** Whose Procore's limits are, and what showed it; null: not known yet, so all companies are held to them together. */
  owner: 'all' | 'company' | null;
  because: 'answers' | 'refusal' | null;
  /** Empty while nothing is known, and where Procore told of no limit. */
  windows: readonly BudgetWindow[];
};

/** SQL expression of a BudgetStatus; `ofPart`: a condition on rows of mirror.budget. */
export const budgetStatus = (ofPart: string): string => `jsonb_build_object(
  'owner', (select owner from mirror.budget_owner),
  'because', (select because from mirror.budget_owner),
  'windows', (
    select coalesce(jsonb_agg(jsonb_build_object('companyId', company_id::text, 'window', window_name, 'limit', call_limit,
      'left', case when reset_at <= now() then call_limit else least(greatest(remaining, 0), call_limit) end,
      'endsAt', case when reset_at > now() then reset_at end, 'isTold', known_by <> 'assumed',
      'calls', case when reset_at > now() then calls else 0 end,
      'callsOfOthers', case when reset_at > now() then calls_of_others else 0 end)
      order by company_id nulls first, window_name), '[]')
    from mirror.budget where window_name in ('hour', 'spike') and ${ofPart}))`;
