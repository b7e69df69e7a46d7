// Records hidden by an absence that no delete event explains are looked at again: after ten minutes, an hour and a day.
import type { Database } from '../connection/open-database.ts';

/** A hidden record that is due for another look. */
export type DueLook = { resource: string; companyId: string; projectId: string | null; id: string };

/**
 * Takes due looks out of the schedule, the longest-waiting first, and puts the next look of each in it. Later looks of the
 * same resource and project come along within half their time: for children of no known parent one walk serves all. Two
 * processes never take the same.
 */
export async function takeDueLooks(database: Database, limit: number): Promise<DueLook[]> {
  const { rows } = await database.pool.query<DueLook>(
    `with due as (
        select ctid, company_id, resource, project_id from mirror.absences
          where look_at <= now() order by look_at limit $1 for update skip locked
      ),
      along as (
        select a.ctid from mirror.absences a where exists (select from due d
            where a.company_id = d.company_id and a.resource = d.resource and a.project_id is not distinct from d.project_id)
          and look_at > now()
          and look_at <= now() + case looks when 1 then interval '30 minutes' when 2 then interval '12 hours' end
        limit $1 for update skip locked
      )
      update mirror.absences a set looks = a.looks + 1,
        look_at = case a.looks when 0 then now() + interval '1 hour' when 1 then now() + interval '1 day' end
      where a.ctid = any(array(select ctid from due union all select ctid from along))
      returning a.resource, a.company_id::text as "companyId", a.project_id::text as "projectId", a.record_id as id`,
    [limit],
  );
  return rows;
}

/** Removes what no fetch that is still under way could contradict, and nobody is to look at again. */
export async function forgetOldAbsences(database: Database): Promise<void> {
  await database.pool.query(
    `delete from mirror.absences where look_at is null and noted_at < now() - interval '7 days'`,
  );
}
