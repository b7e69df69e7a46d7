import type { Queryable } from '../connection/queryable.ts';
import { type BatchKey, isOfBatch, keyValues } from '../schedule/batch.ts';
import type { MirroredTable } from '../schema/mirrored-table.ts';
import { quoteName, tableName } from '../schema/quote.ts';
import { fittingIds, inScope, isFittingId, LIVE, scopeProject, type TableScope } from './look-up.ts';

/**
 * The projects in which a record of this id is mirrored or pending, for records that repeat across projects. Both in one
 * look, because a fetch that is under way turns the one into the other.
 */
export async function findProjects(
  client: Queryable,
  { table, companyId, id }: { table: MirroredTable; companyId: string; id: string },
): Promise<string[]> {
  if (fittingIds(table, [id]).length === 0) return [];
  const { rows } = await client.query<{ project_id: string }>(
    `select project_id from ${tableName(table)} where company_id = $1 and id = $2 and _deleted_at is null
      union select project_id from mirror.pending
        where company_id = $1 and resource = $3 and record_id = $4 and project_id is not null`,
    [companyId, id, table.resource, id],
  );
  return rows.map((row) => row.project_id);
}

/**
 * The parents whose rows mention one of the ids anywhere as `id`, last fetched first: all, or those fetched within the last
 * `withinMs`. A hint: records of other resources may have the same ids.
 */
export async function findMentions(
  client: Queryable,
  { table, companyId, projectId, withinMs }: TableScope & { withinMs: number | null },
  ids: readonly string[],
): Promise<string[]> {
  // No record nests so deep, and without an end the search could run out of stack, whichever row it is in.
  const anywhere = 'lax $.**{0 to 64}.id';
  const { rows } = await client.query<{ id: string }>(
    `select t.id::text as id from ${tableName(table)} t
      where ${inScope(table)} and ($4::float8 is null or _fetched_at > now() - $4::float8 * interval '1 ms') and exists (
        select from jsonb_path_query(_data, '${anywhere}') found where found #>> '{}' = any($3))
      order by _fetched_at desc limit 100`,
    [companyId, scopeProject(table, projectId), ids, withinMs],
  );
  return rows.map((row) => row.id);
}

/** A parent that came back or moved. */
type ReturnedParent = { id: string; absentSince: string | null };

/**
 * Children of these parents that are marked absent, or whose row is in another project than the parents are now, or that
 * wait for a fetch: a look for them may be under way where the parents were. Not those deleted long before their parent.
 */
export async function findLeftBehind(
  client: Queryable,
  { table, companyId, projectId }: TableScope,
  parents: readonly ReturnedParent[],
): Promise<{ id: string; parentId: string }[]> {
  if (table.parentKey === null) return [];
  const parent = quoteName(table.parentKey);
  const returned = parents.filter(({ id }) => isFittingId(table, id));
  const isElsewhere = table.scope === 'project' ? 'project_id <> $2::bigint' : '$2::bigint is not null';
  const isPending = `company_id = $1::bigint and project_id is not distinct from $2::bigint and resource = $4`;
  const { rows } = await client.query<{ id: string; parentId: string }>(
    `select id::text as id, ${parent}::text as "parentId" from ${tableName(table)} t
      join unnest($3::${table.idType}[], $6::timestamptz[]) as r(id_of_parent, absent_since) on t.${parent} = id_of_parent
      where company_id = $1::bigint
        and (_deleted_at > coalesce(absent_since, now()) - interval '1 day' or _hidden_at is not null or ${isElsewhere} or exists (
          select from mirror.pending p where ${isPending} and p.record_id = t.id::text))
      union
      select record_id, parent_id from mirror.pending where ${isPending} and parent_id = any($5::text[])`,
    [
      companyId,
      scopeProject(table, projectId),
      returned.map(({ id }) => id),
      table.resource,
      parents.map(({ id }) => id),
      returned.map(({ absentSince }) => absentSince),
    ],
  );
  return rows;
}

/** Those of the ids that have no row in this place which says that they are there. */
export async function findNotHere(
  client: Queryable,
  { table, companyId, projectId }: TableScope,
  ids: readonly string[],
): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    `select id::text as id from ${tableName(table)} where ${inScope(table)} and id = any($3::${table.idType}[]) and ${LIVE}`,
    [companyId, scopeProject(table, projectId), fittingIds(table, ids)],
  );
  const here = new Set(rows.map((row) => row.id));
  return fittingIds(table, ids).filter((id) => !here.has(id));
}

/** Children of these parents whose rows are in another project than this one, where the parents are. */
export async function findStrayed(
  client: Queryable,
  { table, companyId, projectId }: TableScope,
  parentIds: readonly string[],
): Promise<{ id: string; parentId: string }[]> {
  if (table.parentKey === null || table.scope === 'company' || projectId === null || parentIds.length === 0) return [];
  const parent = quoteName(table.parentKey);
  const { rows } = await client.query<{ id: string; parentId: string }>(
    `select id::text as id, ${parent}::text as "parentId" from ${tableName(table)}
      where company_id = $1::bigint and ${parent} = any($3::${table.idType}[]) and project_id <> $2::bigint`,
    [companyId, projectId, fittingIds(table, parentIds)],
  );
  return rows;
}

const ORPHANS_AT_ONCE = 100;

/** Records hidden within a day, those hidden last first: they may be where a parent went. */
export async function findLatelyHidden(
  client: Queryable,
  { table, companyId, projectId }: TableScope,
): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    `select t.id::text as id from ${tableName(table)} t where ${inScope(table)} and _deleted_at is null
      and _hidden_at > now() - interval '1 day' order by _hidden_at desc limit ${ORPHANS_AT_ONCE}`,
    [companyId, scopeProject(table, projectId)],
  );
  return rows.map((row) => row.id);
}

/**
 * Records that are deleted, or are to be looked for after a delete event, whose delete event is of the minute of this parent's, and of
 * which it is not known that they belonged to it: never seen and of no known parent, or of another parent and changed within the day
 * before, so that they may have moved.
 */
export async function findOrphansDeletedWith(
  client: Queryable,
  { table, companyId, projectId }: TableScope,
  parent: { resource: string; id: string },
): Promise<string[]> {
  if (table.parentKey === null) return [];
  const deleteOf = (alias: string, resource: string, id: string) =>
    `${alias}.company_id = $1::bigint and ${alias}.resource = ${resource} and ${alias}.record_id = ${id} and ${alias}.kind like 'delete%'`;
  const parentId = `${quoteName(table.parentKey)}::text`;
  const toBeDeleted = await findDeletesPending(client, { table, companyId, projectId });
  const hadNews = `exists (select from mirror.events e where e.company_id = $1::bigint and e.resource = $3
    and e.record_id = t.id::text and e.kind not like 'delete%'
    and e.occurred_at between c.occurred_at - interval '1 day' and c.occurred_at)`;
  const { rows } = await client.query<{ id: string }>(
    `select t.id::text as id from ${tableName(table)} t where ${inScope(table)} and (_deleted_at is not null or t.id = any($6::${table.idType}[]))
        and ${parentId} is distinct from $5 and exists (
          select from mirror.events c join mirror.events p on ${deleteOf('p', '$4', '$5')}
          where ${deleteOf('c', '$3', 't.id::text')} and abs(extract(epoch from c.occurred_at - p.occurred_at)) < 60
            and (${parentId} is null and _data is null or ${parentId} is not null and ${hadNews}))
      order by t._fetched_at desc limit ${ORPHANS_AT_ONCE}`,
    [
      ...[companyId, scopeProject(table, projectId), table.resource, parent.resource, parent.id],
      fittingIds(table, toBeDeleted),
    ],
  );
  return rows.map((row) => row.id);
}

async function findDeletesPending(client: Queryable, { table, companyId, projectId }: TableScope): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    `select record_id as id from mirror.pending
      where ${isOfBatch({ companyId, projectId, resource: table.resource })} and delete_seen`,
    keyValues({ companyId, projectId: scopeProject(table, projectId), resource: table.resource }),
  );
  return rows.map((row) => row.id);
}

/** Where else fetches of the last days did not find these records any more, because they were seen somewhere else. */
export async function findFormerPlaces(
  client: Queryable,
  key: BatchKey,
  ids: readonly string[],
): Promise<{ id: string; projectId: string | null; parentId: string | null }[]> {
  const { rows } = await client.query<{ id: string; projectId: string | null; parentId: string | null }>(
    `select distinct on (record_id, project_id) record_id as id, project_id::text as "projectId", parent_id as "parentId"
      from mirror.absences where company_id = $1 and project_id <> $2::bigint and resource = $3 and record_id = any($4)
      order by record_id, project_id, version desc`,
    [key.companyId, key.projectId, key.resource, ids],
  );
  return rows;
}

/** Those of the records that a fetch of the last days did not find under this parent, where they are now. */
export async function findReturned(
  client: Queryable,
  key: BatchKey,
  records: readonly { id: string; parentId: string | null }[],
): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    `select m.record_id as id from unnest($4::text[], $5::text[]) as f(id, parent_id)
      join mirror.absences m on m.company_id = $1 and m.project_id is not distinct from $2::bigint and m.resource = $3
        and m.record_id = f.id and m.parent_id is not distinct from f.parent_id`,
    [key.companyId, key.projectId, key.resource, records.map(({ id }) => id), records.map(({ parentId }) => parentId)],
  );
  return rows.map((row) => row.id);
}

/** Records that moved from this project to another in the last days, and where they are. */
export async function findMovedAway(
  client: Queryable,
  { table, companyId, projectId }: TableScope,
): Promise<{ id: string; projectId: string }[]> {
  if (table.scope === 'company' || table.idRepeatsAcrossProjects) return [];
  const { rows } = await client.query<{ id: string; projectId: string }>(
    `select distinct t.id::text as id, t.project_id::text as "projectId"
      from mirror.absences m join ${tableName(table)} t on t.company_id = m.company_id and t.id::text = m.record_id
      where m.company_id = $1 and m.resource = $2 and m.project_id = $3::bigint and t.project_id <> m.project_id
        and t._deleted_at is null and t._hidden_at is null limit 100`,
    [companyId, table.resource, projectId],
  );
  return rows;
}
