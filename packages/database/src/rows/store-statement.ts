import { keyColumns, type MirroredColumn, type MirroredTable } from '../schema/mirrored-table.ts';
import { quoteLiteral, quoteName, tableName } from '../schema/quote.ts';
import { fitId, fitText } from './fit-text.ts';
import { isMissedThere, isSamePlace, placeOf } from './place.ts';

export type AnswerShape = {
  wrapper: 'none' | 'data';
  embedded: string | null;
  /** The records lack fields: what a row has beyond them stays, and the row says that it is not complete. */
  isPart: boolean;
  /** They may hold what changes by itself (`mayHoldVaryingParts`). */
  mayVary: boolean;
  /** Store records whose row is in the place of the answer, and new ones; or those whose row is in another place. */
  where: 'here' | 'elsewhere';
};

/**
 * One statement that stores all records of an answer and returns them. Parameters: 1 the JSON text, 2 company id,
 * 3 project id (null in tables of company resources), 4 version, 5 the ids to store or null for all, 6 the parent's id or null,
 * 7 the parts of dates and times.
 */
export function storeStatement(table: MirroredTable, shape: AnswerShape): string {
  const keys = table.scope === 'project' ? ['company_id', 'project_id'] : ['company_id'];
  const parent = table.parentKey === null ? [] : [quoteName(table.parentKey)];
  const typed = table.columns.map(({ name }) => quoteName(name));
  const columns = [...parent, ...typed];
  const taken = table.columns.map((column) => `${take(column)} as ${quoteName(column.name)}`);
  const fitted = table.columns.map(
    (column) => `${fitText(quoteName(column.name), column.type)} as ${quoteName(column.name)}`,
  );
  const replaced = [...typed, '_data', '_complete', '_fetched_at', '_version', '_hash'];
  // What a row had before a mere part came is not looked through here.
  const hash = shape.isPart || shape.mayVary ? 'mirror.record_hash(record)' : 'mirror.content_hash(record::text)';
  const isChange = `(t._deleted_at is not null or t._hidden_at is not null or ${shape.where === 'elsewhere'}
      or ${currentHash('t')} is distinct from excluded._hash)`;
  if (table.scope === 'project' && !table.idRepeatsAcrossProjects) replaced.push('project_id');
  return `
with ${chosenRecords(table, shape)},
fitted as (
  select ${['_id', ...parent.map((name) => `_parent_id as ${name}`), ...fitted, '_data', '_hash'].join(',\n    ')}
  -- With an offset each value is taken out once, however often its column is named above.
  from (select ${['id as _id', 'parent_id as _parent_id', 'record as _data', `${hash} as _hash`, ...taken].join(', ')}
    from chosen where $7::text[] is not null offset 0) as taken
),
stored as (
  insert into ${tableName(table)} as t
    (${[...keys, 'id', ...columns, '_data', '_complete', '_fetched_at', '_version', '_hash', '_changed_at', '_changed_version', '_event_id'].join(', ')})
  select ${['$2::bigint', '$3::bigint'].slice(0, keys.length).join(', ')},
    ${['_id', ...columns, '_data'].map((name) => `f.${name}`).join(', ')}, ${!shape.isPart}, now(), $4::bigint,
    f._hash, now(), $4::bigint,
    (select p.event_id from mirror.pending p where ${isPendingOf(table, 'f._id::text')})
  from fitted f
  order by f._id
  on conflict (${keyColumns(table).join(', ')}) do update set
    ${[
      ...replaced.map((name) => `${name} = excluded.${name}`),
      ...[...parent, '_event_id'].map((name) => `${name} = coalesce(excluded.${name}, t.${name})`),
    ].join(', ')}, _deleted_at = null, _hidden_at = null,
    _changed_at = case when ${isChange} then excluded._changed_at else t._changed_at end,
    _changed_version = case when ${isChange} then excluded._changed_version else t._changed_version end
  where ${shape.where === 'here' ? isNewerHere(table) : isNewerElsewhere(table)}
  returning t.id${parent.map((name) => `, t.${name} as parent_id`).join('')}, ${placeBefore(table, shape)} as place_before,
    ${wasBefore(table, 'coalesce(before._deleted_at, before._hidden_at)')} as absent_since, t.xmax = 0 as is_new,
    ${unfitColumns(table)} as unfit
),
unfit as (
  select column_name, count(*) as count, max(s.id::text) as record_id
  from stored s cross join lateral unnest(s.unfit) as u(column_name) group by column_name
),
counted as (
  insert into mirror.unfit_values as v (resource, column_name, count, last_record_id)
  select ${quoteLiteral(table.resource)}, column_name, count, record_id from unfit order by column_name
  on conflict (resource, column_name) do update set count = v.count + excluded.count,
    last_record_id = excluded.last_record_id, last_seen_at = now()
)
select c.id::text as id, c.record ->> 'updated_at' as "updatedAt", s.id is not null as stored,
  case when s.id is not null then ${!shape.isPart} else ${isKnownWhole(table, shape)} and not ${isMissedElsewhere(table, shape)} end as "isWhole",
  s.id is null and ${isMissedElsewhere(table, shape)} as "toReadAgain",
  coalesce(s.is_new, false) as "isNew", s.absent_since as "absentSince", s.place_before as "movedFrom",
  ${parent.length === 0 ? 'c.parent_id' : 'coalesce(s.parent_id, c.parent_id)'}::text as "parentId",
  (select coalesce(sum(count), 0)::int from unfit) as unfit
from chosen c left join stored s using (id)`;
}

/** SQL condition: the answer is newer than the row, which is in the same place. */
function isNewerHere(table: MirroredTable): string {
  const isHere = isSamePlace(table, placeOf(table, 't'), placeOf(table, 'excluded'));
  return `t._version < excluded._version and ${isHere}`;
}

/**
 * One statement that compares all records of an answer with their rows and writes nothing: those that differ, unless news of them waits or
 * their row is not older than a number. Parameters as above, 4 being that number. `idsOnly`: the records hold nothing but an id.
 */
export function compareStatement(table: MirroredTable, shape: AnswerShape & { idsOnly: boolean }): string {
  const { isPart, mayVary, idsOnly } = shape;
  const keys = keyColumns(table).map((column) =>
    column === 'id' ? 't.id = c.id' : `t.${column} = ${column === 'company_id' ? '$2' : '$3'}::bigint`,
  );
  const record = isPart ? 'mirror.merge_known(t._data, c.record, 64)' : 'c.record';
  const hash = isPart || mayVary ? `mirror.record_hash(${record})` : `mirror.content_hash(${record}::text)`;
  const field = (of: string) => `mirror.record_hash(jsonb_build_object(k.key, ${of} -> k.key))`;
  const isHere = isSamePlace(table, placeOf(table, 't'), { project: '$3::bigint', parent: 'c.parent_id' });
  const place = [
    ...(table.scope === 'project' && !table.idRepeatsAcrossProjects
      ? [['project_id', 't.project_id = $3::bigint']]
      : []),
    ...(table.parentKey === null
      ? []
      : [[table.parentKey, `(t.${quoteName(table.parentKey)} = c.parent_id) is not false`]]),
  ].map(([name = '', isSame]) => `case when not ${isSame} then ${quoteLiteral(name)} end`);
  return `
with ${chosenRecords(table, { ...shape, isPart: false })},
seen as materialized (
  select c.id, c.parent_id, t.id is null or ${ABSENT} as is_missing,
    not ${isHere} as is_elsewhere, ${idsOnly ? 'false' : `${currentHash('t')} is distinct from ${hash}`} as is_changed,
    ${record} as record, t._data as row, c.record ->> 'updated_at' as updated_at, array_remove(array[${place.length === 0 ? 'null' : place.join(', ')}]::text[], null) as moved
  from chosen c left join ${tableName(table)} t on ${keys.join(' and ')}
  where (t.id is null or t._version < $4::bigint) and ($3::bigint is null or $7::text[] is not null) and not ${hasNews(table, 'c.id', '$2', '$3')}
)
select id::text as id, parent_id::text as "parentId", case when is_missing then 'missing' else 'changed' end as kind,
  case when not is_missing then moved || ${
    idsOnly
      ? `'{}'`
      : `array(
    select k.key from (select jsonb_object_keys(record) as key union select jsonb_object_keys(row)) k
    where (record ? k.key) <> (row ? k.key) or ${field('record')} is distinct from ${field('row')} order by 1)`
  } end as fields, updated_at as "updatedAt"
from seen where is_missing or is_elsewhere or is_changed order by seen.id`;
}

/** SQL condition: news of a record waits, here or where else it may be by now. */
export function hasNews(
  { resource, idRepeatsAcrossProjects }: MirroredTable,
  id: string,
  companyId: string,
  projectId: string,
): string {
  return `exists (select from mirror.pending p where p.company_id = ${companyId}::bigint and p.resource = ${quoteLiteral(resource)}
    and p.record_id = ${id}::text${idRepeatsAcrossProjects ? ` and p.project_id is not distinct from ${projectId}::bigint` : ''})`;
}

/** SQL: the hash of a row's content by the rule of this version (`record_hash.sql`), which the row need not have. */
function currentHash(row: string): string {
  return `case when get_byte(${row}._hash, 0) = 1 then ${row}._hash else mirror.record_hash(${row}._data) end`;
}

const ABSENT = '(t._deleted_at is not null or t._hidden_at is not null)';

/**
 * SQL condition: the answer is newer than the row, which is in another place, and nobody missed the record here since. One
 * listing may miss the record under one parent and show it under another.
 */
function isNewerElsewhere(table: MirroredTable): string {
  const here = placeOf(table, 'excluded');
  const isMissedOnTheWay = `t._version = excluded._version and ${ABSENT}`;
  return `(t._version < excluded._version or ${isMissedOnTheWay}) and not ${isSamePlace(table, placeOf(table, 't'), here)}
    and not ${isMissedThere(table, 't.id', here, 'excluded._version')}`;
}

/** SQL: what the row that was replaced was like (`before`). The statement still sees it as it was. */
function wasBefore(table: MirroredTable, expression: string): string {
  const isRow = keyColumns(table).map((column) => `before.${column} = t.${column}`);
  return `(select ${expression} from ${tableName(table)} before where ${isRow.join(' and ')})`;
}

/** SQL: where a row was that an answer shows in another place. */
function placeBefore(table: MirroredTable, { where }: AnswerShape): string {
  if (where === 'here') return 'null::jsonb';
  const { project, parent } = placeOf(table, 'before');
  return wasBefore(table, `jsonb_build_object('projectId', ${project}::text, 'parentId', ${parent}::text)`);
}

/**
 * SQL condition on what kept record `c` out. Where rows were locked before the statement began, a row of any number did;
 * else one that this statement cannot see yet may have been.
 */
function keptOutBy(table: MirroredTable, { where }: AnswerShape, condition: string): string {
  const values: Record<string, string> = { company_id: '$2::bigint', project_id: '$3::bigint', id: 'c.id' };
  const isRow = keyColumns(table).map((column) => `t.${column} = ${values[column]}`);
  const isLater = where === 'here' ? `t._version >= $4::bigint and ` : '';
  return `exists (select from ${tableName(table)} t where ${isRow.join(' and ')} and ${isLater}${condition})`;
}

/** SQL condition: no mere part of a record kept record `c` out. */
function isKnownWhole(table: MirroredTable, shape: AnswerShape): string {
  return keptOutBy(table, shape, `(t._complete or ${ABSENT})`);
}

/** SQL condition: a later fetch missed record `c`, but in another place, which says nothing of this one. */
function isMissedElsewhere(table: MirroredTable, shape: AnswerShape): string {
  if (shape.where === 'here') return 'false';
  const isHere = isSamePlace(table, placeOf(table, 't'), { project: '$3::bigint', parent: 'c.parent_id' });
  return keptOutBy(table, shape, `${ABSENT} and not ${isHere} and t._version >= $4::bigint`);
}

/** SQL condition: `p` is the pending row of a record; company and project are parameters 2 and 3. */
export function isPendingOf({ resource }: MirroredTable, recordId: string): string {
  // Written so that no index but that of records can be used: the one by time would read the whole batch for each record.
  return `p.company_id = $2::bigint and p.resource = ${quoteLiteral(resource)} and p.record_id = ${recordId}
    and p.project_id is not distinct from $3::bigint`;
}

// The records of the answer that are asked for. When an id comes twice the later record counts: Postgres refuses to
// update one row twice in one statement. Rows are then written in the order of their ids, so that two statements that
// meet do not block each other for ever.
function chosenRecords(table: MirroredTable, shape: AnswerShape): string {
  const { wrapper, embedded, isPart } = shape;
  // As text, because bytes that come as jsonb must begin with a version, and would be copied for that.
  const body = wrapper === 'data' ? `$1::text::jsonb -> 'data'` : '$1::text::jsonb';
  const children =
    embedded === null ? `cross join lateral (select top.item as record, 0 as position) as e` : elementsOf(embedded);
  return `
item as (
  select record, outer_position, position, ${fitId('id', table)} as id,
    coalesce($6::${table.idType}, ${fitId('parent_id', table)}) as parent_id
  from (
    select e.record, top.position as outer_position, e.position,
      case when jsonb_typeof(e.record -> 'id') in ('number', 'string') then e.record ->> 'id' end as id,
      ${parentText(table, embedded)} as parent_id
    from (select ${body} as body offset 0) as answer -- parsed once, however often it is named
    cross join lateral jsonb_array_elements(case jsonb_typeof(body)
      when 'array' then body when 'object' then jsonb_build_array(body) else '[]' end) with ordinality as top(item, position)
    ${children} offset 0
  ) as sent
),
${isPart ? 'asked' : 'chosen'} as materialized (
  select distinct on (id) id, parent_id, record from item
  where id is not null and ($5::text[] is null or id::text = any($5::text[]))
  order by id, outer_position desc, position desc
)${isPart ? withDetail(table) : ''}`;
}

/** Each record with what its row has beyond it. */
function withDetail(table: MirroredTable): string {
  const inProject = table.scope === 'project' ? ' and t.project_id = $3::bigint' : '';
  return `,
chosen as materialized (
  select asked.id, asked.parent_id, mirror.merge_detail(t._data, asked.record) as record
  from asked left join ${tableName(table)} t on t.company_id = $2::bigint${inProject} and t.id = asked.id
)`;
}

/** `a.b` stands for the elements of b in each element of a; what is no list has none. */
function elementsOf(embedded: string): string {
  const fields = embedded.split('.');
  return fields
    .map((name, index) => {
      const list = `${index === 0 ? 'top.item' : `e${index - 1}.record`} -> ${quoteLiteral(name)}`;
      const alias = index === fields.length - 1 ? 'e' : `e${index}`;
      return `cross join lateral jsonb_array_elements(case when jsonb_typeof(${list}) = 'array'
      then ${list} else '[]' end) with ordinality as ${alias}(record, position)`;
    })
    .join('\n  ');
}

/** SQL: the text that may be the id of a record's parent. */
function parentText({ parentKey }: MirroredTable, embedded: string | null): string {
  if (embedded !== null) return `top.item ->> 'id'`;
  return parentKey === null ? 'null::text' : `e.record ->> ${quoteLiteral(parentKey)}`;
}

function take({ name, type }: MirroredColumn): string {
  const field = quoteLiteral(name);
  return type === 'jsonb' ? `nullif(record -> ${field}, 'null')` : `record ->> ${field}`;
}

/** SQL: the columns of a row just written that have no value although the record has one; NULL when there are none. */
function unfitColumns(table: MirroredTable): string {
  const checked = table.columns.filter(({ type }) => type !== 'text' && type !== 'jsonb').map(({ name }) => name);
  if (table.parentKey !== null) checked.push(table.parentKey);
  if (checked.length === 0) return 'null::text[]';
  const isUnfit = (name: string) =>
    `(t.${quoteName(name)} is null and nullif(t._data -> ${quoteLiteral(name)}, 'null') is not null)`;
  const names = checked.map((name) => `case when ${isUnfit(name)} then ${quoteLiteral(name)} end`);
  return `case when ${checked.map(isUnfit).join(' or ')} then array_remove(array[${names.join(', ')}], null) end`;
}
