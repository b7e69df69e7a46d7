// Fields that Procore sends and no column holds, and columns whose field does not come any more.
import type { Database } from '../connection/open-database.ts';
import type { Queryable } from '../connection/queryable.ts';
import type { MirroredTable } from '../schema/mirrored-table.ts';
import { tableName } from '../schema/quote.ts';

export type RecordKey = { companyId: string; id: string };

export type SeenField = { field: string; records: number; jsonType: string; recordId: string };

/** What fields these records have as they stand in the mirror, and how many of them were found there. */
export async function sampleFields(
  client: Queryable,
  table: MirroredTable,
  records: readonly RecordKey[],
): Promise<{ records: number; fields: SeenField[] }> {
  const { rows } = await client.query<SeenField & { sampled: number }>(
    `with sampled as (
        select id::text as id, _data from ${tableName(table)}
        join unnest($1::bigint[], $2::${table.idType}[]) as s(company_id, id) using (company_id, id)
        where jsonb_typeof(_data) = 'object'
      )
      select key as field, count(*)::int as records, max(id) as "recordId",
        coalesce(max(jsonb_typeof(value)) filter (where value <> 'null'), 'null') as "jsonType",
        (select count(*)::int from sampled) as sampled
      from sampled cross join lateral jsonb_each(_data) group by key order by key`,
    [records.map(({ companyId }) => companyId), records.map(({ id }) => id)],
  );
  return {
    records: rows[0]?.sampled ?? 0,
    fields: rows.map(({ sampled, ...field }) => field),
  };
}

export type Drift = {
  field: string;
  /** `unknown`: it came and no column holds it. `vanished`: it has a column and did not come. */
  kind: 'unknown' | 'vanished';
  /** `null` when nothing else was seen; null for what vanished. */
  jsonType: string | null;
  exampleRecordId: string;
  /** Sampled records that had it, or had it not. */
  count: number;
};

/** Adds to what is known of the resource's drift. Returns what was not known before; keeps a few hundred fields at most. */
export async function noteDrift(database: Database, resource: string, drifts: readonly Drift[]): Promise<Drift[]> {
  if (drifts.length === 0) return [];
  const { rows } = await database.pool.query<{ field: string; kind: string; is_new: boolean }>(NOTE_DRIFT, [
    resource,
    drifts.map(({ field }) => field),
    drifts.map(({ kind }) => kind),
    drifts.map(({ jsonType }) => jsonType),
    drifts.map(({ count }) => count),
    drifts.map(({ exampleRecordId }) => exampleRecordId),
  ]);
  const isNew = (drift: Drift) =>
    rows.some((row) => row.is_new && row.field === drift.field && row.kind === drift.kind);
  return drifts.filter(isNew);
}

// A body may hold any number of keys of any length.
const NOTE_DRIFT = `
insert into mirror.schema_drift as d (resource, field, kind, json_type, count, example_record_id)
select $1, field, kind, json_type, count, record_id
from unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[]) as n(field, kind, json_type, count, record_id)
where length(field) <= 200 and (
  (select count(*) from mirror.schema_drift k where k.resource = $1) < 200
  or exists (select from mirror.schema_drift k where (k.resource, k.field, k.kind) = ($1, n.field, n.kind)))
order by field, kind limit 200
on conflict (resource, field, kind) do update set count = d.count + excluded.count, last_seen_at = now(),
  json_type = case when d.json_type = 'null' then excluded.json_type else d.json_type end,
  example_record_id = excluded.example_record_id
returning field, kind, xmax = 0 as is_new`;

/** Forgets unknown fields that have a column by now, and vanished ones that have none any more. */
export async function forgetSettledDrift(client: Queryable, tables: readonly MirroredTable[]): Promise<void> {
  const columns = tables.flatMap(({ resource, columns }) => columns.map(({ name }) => [resource, name] as const));
  await client.query(
    `delete from mirror.schema_drift d where (d.kind = 'unknown') = exists (
        select from unnest($1::text[], $2::text[]) as c(resource, field)
        where c.resource = d.resource and c.field = d.field)`,
    [columns.map(([resource]) => resource), columns.map(([, name]) => name)],
  );
}
