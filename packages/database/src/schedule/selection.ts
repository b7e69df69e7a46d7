// What is to be mirrored: companies, and the projects that Procore shows of them.
import type { Database } from '../connection/open-database.ts';
import type { Queryable } from '../connection/queryable.ts';
import { inTransaction } from '../connection/transaction.ts';
import { refillCompany } from './backfill-requests.ts';

/** A project as it is from now on. */
export type ProjectChoice = {
  projectId: string;
  /** Null: not told now. */
  name: string | null;
  isActive: boolean;
  isSelected: boolean;
  /** Did Procore show it? */
  isSeen: boolean;
};

/** The projects of the company that were shown at any time, and which of them are selected. */
export async function readProjects(
  client: Queryable,
  companyId: string,
): Promise<Pick<ProjectChoice, 'projectId' | 'isSelected'>[]> {
  const { rows } = await client.query<Pick<ProjectChoice, 'projectId' | 'isSelected'>>(
    `select project_id::text as "projectId", is_selected as "isSelected" from mirror.selection
      where company_id = $1 and project_id is not null order by project_id`,
    [companyId],
  );
  return rows;
}

/**
 * Notes what a list of the company's projects showed, which was begun `ageMs` ago: what was announced before is known now. Projects
 * of the company's first list are selected since that; those that come later, or come back, since now. Where the company itself comes
 * back, its own lists are filled again.
 */
export async function noteProjects(
  database: Database,
  { companyId, projects, ageMs }: { companyId: string; projects: readonly ProjectChoice[]; ageMs: number },
): Promise<void> {
  const column = <K extends keyof ProjectChoice>(key: K) => projects.map((project) => project[key]);
  await inTransaction(database, async (client) => {
    // The company first: who notes at the same time waits here.
    const { rows } = await client.query<{ since: string; cameBack: boolean }>(NOTE_COMPANY, [companyId, ageMs]);
    await client.query(NOTE_PROJECTS, [
      companyId,
      rows[0]?.since,
      column('projectId'),
      column('name'),
      column('isActive'),
      column('isSelected'),
      column('isSeen'),
    ]);
    await endFillsOfLeft(client);
    if (rows[0]?.cameBack === true) await refillCompany(client, companyId);
  });
}

const NOTE_COMPANY = `
with before as (select seen_at, is_selected from mirror.selection where company_id = $1 and project_id is null),
noted as (
  insert into mirror.selection as s (company_id, project_id, is_selected, seen_at) values ($1, null, true, now())
  on conflict (company_id, project_id) do update set is_selected = true, left_at = null, seen_at = now(),
    selected_at = case when s.seen_at is null then now() else s.selected_at end,
    announced_at = case when s.announced_at > now() - $2::float8 * interval '1 ms' then s.announced_at end
  returning s.selected_at)
select case when (select seen_at from before) is null then selected_at else now() end as since,
  coalesce((select not is_selected from before), false) as "cameBack" from noted`;

const NOTE_PROJECTS = `
insert into mirror.selection as s (company_id, project_id, name, is_active, is_selected, selected_at, seen_at, left_at)
select $1::bigint, p.id, p.name, p.is_active, p.is_selected, $2::timestamptz, case when p.is_seen then now() end,
  case when not p.is_selected then now() end
from unnest($3::bigint[], $4::text[], $5::boolean[], $6::boolean[], $7::boolean[])
  as p(id, name, is_active, is_selected, is_seen) order by p.id
on conflict (company_id, project_id) do update set name = coalesce(excluded.name, s.name), is_active = excluded.is_active,
  is_selected = excluded.is_selected, seen_at = coalesce(excluded.seen_at, s.seen_at),
  selected_at = case when excluded.is_selected and not s.is_selected then now() else s.selected_at end,
  left_at = case when not excluded.is_selected then coalesce(s.left_at, now()) end`;

/** How long ago the company or project left the selection, ms; null: it did not, or nothing is known of it. */
export async function readLeftAge(
  client: Queryable,
  { companyId, projectId }: { companyId: string; projectId: string | null },
): Promise<number | null> {
  const { rows } = await client.query<{ ms: number | null }>(
    `select (extract(epoch from now() - left_at) * 1000)::float8 as ms from mirror.selection
      where company_id = $1 and project_id is not distinct from $2::bigint and not is_selected`,
    [companyId, projectId],
  );
  return rows[0]?.ms ?? null;
}

/**
 * Notes which companies this worker mirrors. Where `leaveAfterMs` is given, those that a worker mirrored, and none for so long, are not
 * selected any more, nor are their projects; of those that only commands know it takes a day.
 */
export async function noteCompanies(
  database: Database,
  { holder, companyIds, leaveAfterMs }: { holder: string; companyIds: readonly string[]; leaveAfterMs: number | null },
): Promise<void> {
  await inTransaction(database, async (client) => {
    await client.query(
      `insert into mirror.workers (holder, company_ids) values ($1, $2::bigint[])
        on conflict (holder) do update set company_ids = excluded.company_ids, seen_at = now(), stopped_at = null`,
      [holder, companyIds],
    );
    if (leaveAfterMs === null) return;
    await client.query(
      `with known as (
          select company_id, coalesce((select max(w.seen_at) from mirror.workers w where s.company_id = any(w.company_ids)),
            s.seen_at + interval '1 day') as named_at
          from mirror.selection s where is_selected and project_id is null and company_id <> all($1::bigint[])
        )
        update mirror.selection s set is_selected = false, left_at = now() from known
        where is_selected and s.company_id = known.company_id and named_at <= now() - $2::float8 * interval '1 ms'`,
      [companyIds, leaveAfterMs],
    );
    await endFillsOfLeft(client);
  });
}

/** Is the company, or the project in it, to be mirrored? */
export async function isPlaceSelected(
  client: Queryable,
  { companyId, projectId }: { companyId: string; projectId: string | null },
): Promise<boolean> {
  const { rowCount } = await client.query(
    'select from mirror.selection where company_id = $1 and project_id is not distinct from $2::bigint and is_selected',
    [companyId, projectId],
  );
  return rowCount === 1;
}

/** What is being filled of a company or project that left since it was asked for is filled no more: whoever has it in hand loses it. */
async function endFillsOfLeft(client: Queryable): Promise<void> {
  const { rowCount } = await client.query(`select from ${FILLS_OF_LEFT} limit 1`);
  if (rowCount === 0) return;
  // Those who ask for fills write the same rows.
  await client.query(`select mirror.take_turn('backfills')`);
  await client.query(
    `update mirror.backfills f set state = 'failed', detail = 'it is not selected any more', finished_at = now(), place = null,
      parents = null, lease_holder = null, lease_until = null
      where (company_id, coalesce(project_id, 0), resource) in (
        select b.company_id, coalesce(b.project_id, 0), b.resource from ${FILLS_OF_LEFT})`,
  );
}

const FILLS_OF_LEFT = `mirror.backfills b join mirror.selection s on s.company_id = b.company_id
  and (s.project_id is null or s.project_id = b.project_id) and not s.is_selected and s.left_at >= b.requested_at
  and b.state in ('waiting', 'running') and b.request is not null`;

/** An event told of the company's projects: they are to be listed soon. Of a company that was never listed nothing is noted. */
export async function announceProjects(database: Database, companyId: string): Promise<void> {
  await database.pool.query(
    'update mirror.selection set announced_at = clock_timestamp() where company_id = $1 and project_id is null',
    [companyId],
  );
}
