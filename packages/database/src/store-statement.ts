import { type ColumnType, keyColumns, type MirroredColumn, type MirroredTable } from './mirrored-table.ts';
import { quoteLiteral, quoteName, tableName } from './quote.ts';

/**
 * `strict`: a value that does not fit fails the statement; fast. `lenient`: it becomes NULL and is counted; slow,
 * because Postgres 15 can try a cast only in a subtransaction of its own.
 */
export type StoreMode = 'strict' | 'lenient';

export type AnswerShape = {
  envelope: 'none' | 'data';
  embedded: string | null;
  /** The records lack fields: what a row has beyond them stays, and the row says that it is not complete. */
  isPart: boolean;
};

/**
 * One statement that stores all records of an answer and returns them. Parameters: 1 the JSON text, 2 company id,
 * 3 project id (null in tables of company resources), 4 version, 5 the ids to store or null for all, 6 the parent's id or null.
 */
export function storeStatement(table: MirroredTable, shape: AnswerShape, mode: StoreMode): string {
  const keys = table.scope === 'project' ? ['company_id', 'project_id'] : ['company_id'];
  const parent = table.parentKey === null ? [] : [quoteName(table.parentKey)];
  const typed = table.columns.map(({ name }) => quoteName(name));
  const columns = [...parent, ...typed];
  const fitted = table.columns.map((column) => `${fit(column, mode)} as ${quoteName(column.name)}`);
  const replaced = [...typed, '_data', '_complete', '_fetched_at', '_version'];
  if (table.scope === 'project' && !table.idRepeatsAcrossProjects) replaced.push('project_id');
  return `
with ${chosenRecords(table, shape, mode)},
fitted as (
  select ${['id', ...parent.map((name) => `parent_id as ${name}`), ...fitted, 'record as _data'].join(',\n    ')}
  from chosen
),
stored as (
  insert into ${tableName(table)} as t
    (${[...keys, 'id', ...columns, '_data', '_complete', '_fetched_at', '_version', '_event_id'].join(', ')})
  select ${['$2::bigint', '$3::bigint'].slice(0, keys.length).join(', ')},
    ${['id', ...columns, '_data'].map((name) => `f.${name}`).join(', ')}, ${!shape.isPart}, now(), $4::bigint, p.event_id
  from fitted f left join mirror.pending p on ${isPendingOf(table, 'f.id::text')}
  order by f.id
  on conflict (${keyColumns(table).join(', ')}) do update set
    ${[
      ...replaced.map((name) => `${name} = excluded.${name}`),
      ...[...parent, '_event_id'].map((name) => `${name} = coalesce(excluded.${name}, t.${name})`),
    ].join(', ')}, _deleted_at = null, _hidden_at = null
  where t._version < excluded._version
  returning t.id${parent.map((name) => `, t.${name} as parent_id`).join('')}
)${mode === 'strict' ? '' : countUnfit(table)}
select c.id::text as id, c.record ->> 'updated_at' as "updatedAt", s.id is not null as stored,
  case when s.id is not null then ${!shape.isPart} else ${isKnownWhole(table)} end as "isWhole",
  ${parent.length === 0 ? 'c.parent_id' : 'coalesce(s.parent_id, c.parent_id)'}::text as "parentId",
  ${mode === 'strict' ? '0' : '(select coalesce(sum(count), 0)::int from unfit)'} as unfit
from chosen c left join stored s using (id)`;
}

/** SQL condition: the row that kept record `c` out is no mere part. One that this statement cannot see yet may be. */
function isKnownWhole(table: MirroredTable): string {
  const values: Record<string, string> = { company_id: '$2::bigint', project_id: '$3::bigint', id: 'c.id' };
  const isRow = keyColumns(table).map((column) => `t.${column} = ${values[column]}`);
  return `exists (select from ${tableName(table)} t where ${isRow.join(' and ')}
    and t._version >= $4::bigint and (t._complete or t._deleted_at is not null or t._hidden_at is not null))`;
}

/** SQL condition: `p` is the pending row of a record; company and project are parameters 2 and 3. */
export function isPendingOf(table: MirroredTable, recordId: string): string {
  const project =
    table.scope === 'project' ? 'p.project_id = $3::bigint' : 'p.project_id is null and $3::bigint is null';
  return `p.company_id = $2::bigint and ${project} and p.resource = ${quoteLiteral(table.resource)} and p.record_id = ${recordId}`;
}

// The records of the answer that are asked for. When an id comes twice the later record counts: Postgres refuses to
// update one row twice in one statement. Rows are then written in the order of their ids, so that two statements that
// meet do not block each other for ever.
function chosenRecords(table: MirroredTable, shape: AnswerShape, mode: StoreMode): string {
  const { envelope, embedded, isPart } = shape;
  const body = envelope === 'data' ? `$1::jsonb -> 'data'` : '$1::jsonb';
  const children =
    embedded === null ? `cross join lateral (select top.item as record, 0 as position) as e` : elementsOf(embedded);
  return `
item as (
  select e.record, top.position as outer_position, e.position,
    ${fitId(`case when jsonb_typeof(e.record -> 'id') in ('number', 'string') then e.record ->> 'id' end`, table, mode)} as id,
    coalesce($6::${table.idType}, ${parentId(table, embedded, mode)}) as parent_id
  from (select ${body} as body) as answer
  cross join lateral jsonb_array_elements(case jsonb_typeof(body)
    when 'array' then body when 'object' then jsonb_build_array(body) else '[]' end) with ordinality as top(item, position)
  ${children}
),
asked as materialized (
  select distinct on (id) id, parent_id, record from item
  where id is not null and ($5::text[] is null or id::text = any($5::text[]))
  order by id, outer_position desc, position desc
),
chosen as materialized (
  ${isPart ? withDetail(table) : 'select id, parent_id, record from asked'}
)`;
}

/** Each record with what its row has beyond it. */
function withDetail(table: MirroredTable): string {
  const inProject = table.scope === 'project' ? ' and t.project_id = $3::bigint' : '';
  return `select asked.id, asked.parent_id, mirror.merge_detail(t._data, asked.record) as record
  from asked left join ${tableName(table)} t on t.company_id = $2::bigint${inProject} and t.id = asked.id`;
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

function parentId(table: MirroredTable, embedded: string | null, mode: StoreMode): string {
  if (embedded !== null) return fitId(`top.item ->> 'id'`, table, mode);
  if (table.parentKey === null) return 'null';
  const text = `e.record ->> ${quoteLiteral(table.parentKey)}`;
  return castText(text, { pattern: ID_PATTERNS[table.idType], type: table.idType, mode });
}

/** What fits a column, by the text of the JSON value. Postgres' own casts take `tomorrow`, `NaN`, `0x1F` and `yes`, too. */
const PATTERNS = {
  bigint: '^-?[0-9]{1,19}$',
  numeric: '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,6})?$',
  boolean: '^(true|false)$',
  date: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$',
  timestamptz:
    '^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?( ?([Zz]|[+-][0-9]{2}(:?[0-9]{2})?))?)?$',
} as const satisfies Partial<Record<ColumnType, string>>;

const ID_PATTERNS = { bigint: '^(0|[1-9][0-9]{0,18})$', text: '^[0-9A-Za-z_-]{1,64}$' } as const;

function fit({ name, type }: MirroredColumn, mode: StoreMode): string {
  const field = quoteLiteral(name);
  if (type === 'text') return `record ->> ${field}`;
  if (type === 'jsonb') return `nullif(record -> ${field}, 'null')`;
  return castText(`record ->> ${field}`, { pattern: PATTERNS[type], type, mode });
}

/** NULL for what is no id, in either mode: an element without one is no record. */
function fitId(text: string, { idType }: MirroredTable, mode: StoreMode): string {
  const matching = `case when (${text}) ~ '${ID_PATTERNS[idType]}' then ${text} end`;
  return mode === 'strict' ? `(${matching})::${idType}` : castOrNull(matching, idType);
}

type Cast = { pattern: string; type: CastType; mode: StoreMode };
type CastType = keyof typeof PATTERNS | 'text';

function castText(text: string, { pattern, type, mode }: Cast): string {
  const matching = `case when ${text} ~ '${pattern}' then ${text}`;
  if (mode === 'lenient') return castOrNull(`${matching} end`, type);
  // The bigint is none for certain, so it fails the statement.
  return `(${matching} else ('unfit: ' || (${text}))::bigint::text end)::${type}`;
}

function castOrNull(text: string, type: CastType): string {
  // What matches these patterns needs no second look.
  if (type === 'boolean' || type === 'text') return `(${text})::${type}`;
  return `mirror.${type}_or_null(${text})`;
}

function countUnfit(table: MirroredTable): string {
  const checked = table.columns.filter(({ type }) => type !== 'text' && type !== 'jsonb').map(({ name }) => name);
  if (table.parentKey !== null) checked.push(table.parentKey);
  const values = checked.map(
    (name) =>
      `(${quoteLiteral(name)}, nullif(f._data -> ${quoteLiteral(name)}, 'null') is not null and f.${quoteName(name)} is null)`,
  );
  return `,
unfit as (
  select u.column_name, count(*) as count, max(s.id::text) as record_id
  from stored s join fitted f using (id) cross join lateral (values ${values.join(',\n    ')}) as u(column_name, is_unfit)
  where u.is_unfit group by u.column_name
),
counted as (
  insert into mirror.unfit_values as v (resource, column_name, count, last_record_id)
  select ${quoteLiteral(table.resource)}, column_name, count, record_id from unfit order by column_name
  on conflict (resource, column_name) do update set count = v.count + excluded.count,
    last_record_id = excluded.last_record_id, last_seen_at = now()
)`;
}
