// Backfills are asked for by whoever wants them, and done by the workers: rows of `mirror.backfills`, a row for each resource of a
// scope. Who asks for what is under way gets that, and begins nothing anew.
import { randomUUID } from 'node:crypto';
import type { Database } from '../connection/open-database.ts';
import type { Queryable, Transaction } from '../connection/queryable.ts';
import { afterConflicts, inTransaction } from '../connection/transaction.ts';
import type { BatchKey } from './batch.ts';

/** `position`: in which order they are taken. */
export type WantedBackfill = BatchKey & { position: number };

/** What a row is like that has yet to begin. */
const BEGUN_ANEW = `state = 'waiting', requested_at = now(), started_at = now(), finished_at = null, rows = 0, total = null, calls = 0, buried = 0,
  complete_before = case when exists (select from mirror.pending p where p.company_id = b.company_id
      and p.project_id is not distinct from b.project_id and p.resource = b.resource and p.to_fill)
      or exists (select from mirror.dead_letters d where d.kind = 'record' and d.company_id = b.company_id
        and d.project_id is not distinct from b.project_id and d.resource = b.resource and d.to_fill)
    then b.complete_before else b.complete_since end,
  detail = null, place = null, parents = null, attempts = 0, due_at = now(), lease_holder = null, lease_until = null`;
const IS_OVER = `(b.state not in ('waiting', 'running') or b.request is null)`;

/**
 * Has the workers fill these. One that waits or is under way stays as it is, and so does one that is done and belongs to a request that
 * is not; others begin (anew) under the name `request`. Returns the names under which all of them are to be found: the requests.
 */
export async function requestBackfills(
  database: Database,
  { request, wanted }: { request: string; wanted: readonly WantedBackfill[] },
): Promise<string[]> {
  return inTransaction(database, async (client) => {
    // One asks at a time: what another began meanwhile is open, and no snapshot from before shows it.
    await client.query(`select mirror.take_turn('backfills')`);
    const { rows } = await client.query<{ request: string }>(
      `with wanted as (
        select * from unnest($2::bigint[], $3::bigint[], $4::text[], $5::integer[])
          as w (company_id, project_id, resource, position)
      ),
      open as materialized (
        select distinct b.request from mirror.backfills b join wanted w on b.company_id = w.company_id
          and b.project_id is not distinct from w.project_id and b.resource = w.resource
        where b.state in ('waiting', 'running') and b.request is not null
      ),
      begun as (
        insert into mirror.backfills as b (company_id, project_id, resource, state, request, position)
          select company_id, project_id, resource, 'waiting', $1, position from wanted
          order by company_id, project_id, resource
          on conflict (company_id, project_id, resource) do update
            set ${BEGUN_ANEW}, request = excluded.request, position = excluded.position
            where ${IS_OVER} and not exists (select from open where open.request = b.request)
          returning b.request
      )
      select distinct request from begun union select request from open`,
      [
        request,
        wanted.map(({ companyId }) => companyId),
        wanted.map(({ projectId }) => projectId),
        wanted.map(({ resource }) => resource),
        wanted.map(({ position }) => position),
      ],
    );
    return rows.map((row) => row.request);
  });
}

export type EarlierFills = {
  /** Of these that are under way, and since when (ISO 8601). */
  open: number;
  openSince: string | null;
  /** Of these that were filled, and when the last of them was. */
  done: number;
  doneAt: string | null;
};

/** What was asked for of these before. */
export async function readEarlierFills(client: Queryable, wanted: readonly BatchKey[]): Promise<EarlierFills> {
  const { rows } = await client.query<EarlierFills>(
    `select (count(*) filter (where is_open))::int as open, min(b.requested_at) filter (where is_open) as "openSince",
        (count(*) filter (where state = 'done'))::int as done, max(b.finished_at) filter (where state = 'done') as "doneAt"
      from unnest($1::bigint[], $2::bigint[], $3::text[]) as w (company_id, project_id, resource)
      join (select *, state in ('waiting', 'running') and request is not null as is_open from mirror.backfills) b
        on b.company_id = w.company_id and coalesce(b.project_id, 0) = coalesce(w.project_id, 0) and b.resource = w.resource`,
    [
      wanted.map(({ companyId }) => companyId),
      wanted.map(({ projectId }) => projectId),
      wanted.map(({ resource }) => resource),
    ],
  );
  return rows[0] ?? { open: 0, openSince: null, done: 0, doneAt: null };
}

/**
 * Has the workers fill projects that were selected later than their company and that nobody asked to fill since. Returns how many
 * backfills begin.
 */
export async function requestNewProjects(
  database: Database,
  { request, resources }: { request: string; resources: readonly { resource: string; position: number }[] },
): Promise<number> {
  const { rowCount } = await afterConflicts(database, () =>
    database.pool.query(
      `insert into mirror.backfills as b (company_id, project_id, resource, state, request, position)
        select p.company_id, p.project_id, r.resource, 'waiting', $1, r.position
        from mirror.selection p
        join mirror.selection c on c.company_id = p.company_id and c.project_id is null and c.is_selected
        cross join unnest($2::text[], $3::integer[]) as r (resource, position)
        where p.project_id is not null and p.is_selected and p.selected_at > c.selected_at
          and not exists (select from mirror.backfills f where f.company_id = p.company_id and f.project_id = p.project_id
            and f.resource = r.resource and f.requested_at >= p.selected_at)
        order by 1, 2, 3
        on conflict (company_id, project_id, resource) do update
          set ${BEGUN_ANEW}, request = excluded.request, position = excluded.position where ${IS_OVER}`,
      [request, resources.map(({ resource }) => resource), resources.map(({ position }) => position)],
    ),
  );
  return rowCount ?? 0;
}

/** Has the workers fill the company's own lists again, those that were filled before. */
export async function refillCompany(client: Transaction, companyId: string): Promise<void> {
  await client.query(`select mirror.take_turn('backfills')`);
  await client.query(
    `update mirror.backfills b set ${BEGUN_ANEW}, request = $2
      where company_id = $1 and project_id is null and ${IS_OVER}`,
    [companyId, randomUUID()],
  );
}
