// What workers look after by themselves, for the status: how much of it there is.
import type { Queryable } from '../connection/queryable.ts';
import { readHookCalls } from '../schedule/hook-looks.ts';

export type UpkeepStatus = {
  companyId: string;
  hooks: number;
  /** What a look at the whole log of each of them takes: its pages when it was last looked at. */
  logCalls: number;
  /** Projects with tables that were filled, and these tables, the company's own included. */
  projects: number;
  tables: number;
  /** What the last comparisons by the cheap rungs took, on average; null: there was none. */
  callsPerTable: number | null;
  hourLimit: number | null;
  /** Answers told of it; else it is assumed. */
  isLimitTold: boolean;
};

/** Of each company that is selected, or of one. */
export async function readUpkeep(client: Queryable, companyId: string | null): Promise<UpkeepStatus[]> {
  const { rows } = await client.query<Omit<UpkeepStatus, 'hourLimit' | 'isLimitTold'>>(
    `select s.company_id::text as "companyId",
        (select count(distinct hook_id)::int from mirror.hooks h where h.company_id = s.company_id) as hooks,
        (select coalesce(sum(greatest(pages, 1)), 0)::int from (select distinct company_id, hook_id from mirror.hooks) h
          left join mirror.delivery_looks l on l.company_id = h.company_id and l.hook_id = h.hook_id and l.status = 'any'
          where h.company_id = s.company_id and h.hook_id is not null) as "logCalls",
        f.projects, f.tables, (select avg(calls)::float8 from mirror.comparisons c
          where c.company_id = s.company_id and state = 'done' and rung in ('count', 'window', 'bin')) as "callsPerTable"
      from mirror.selection s cross join lateral (
        select count(project_id)::int as projects, coalesce(sum(tables), 0)::int as tables from (
          select project_id, count(*) as tables from mirror.backfills b
          where b.company_id = s.company_id and b.state = 'done' group by project_id) p) f
      where s.project_id is null and s.is_selected and ($1::bigint is null or s.company_id = $1) order by s.company_id`,
    [companyId],
  );
  return Promise.all(
    rows.map(async (row) => {
      const { hourLimit, isTold } = await readHookCalls(client, row.companyId, 0);
      return { ...row, hourLimit, isLimitTold: isTold };
    }),
  );
}
