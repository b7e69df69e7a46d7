import type pg from 'pg';
import { type ColumnType, type MirroredTable, OWN_COLUMNS } from '../schema/mirrored-table.ts';
import { quoteLiteral, quoteName } from '../schema/quote.ts';

const FRESHNESS = {
  company_id: 'Procore id of the company.',
  project_id: 'Procore id of the project; NULL for resources of the company.',
  resource: 'The resource as Procore spells it.',
  rows: 'Live rows: neither deleted nor hidden.',
  last_event_at: 'When the last event reached us.',
  last_fetch_at: 'When Procore was last asked for a record of it.',
  oldest_pending_at: 'Since when the record that has waited longest waits for its fetch; NULL: none waits.',
  pending: 'Records with news that we have not fetched yet.',
  calls_last_hour: 'Requests to Procore in the last hour, backfills included; counted in steps of ten minutes.',
  events_last_day:
    'Events in the last 24 hours that led to a fetch; of the time since calls are counted, if that is shorter.',
  calls_for_events_last_day: 'Requests to Procore in the same time that events led to; no backfills.',
  calls_per_event: 'calls_for_events_last_day / events_last_day; NULL without events.',
  left_at: 'Since when it is not selected to be mirrored, so that nothing newer comes; NULL: it is.',
  completeness:
    'complete: a fill has read all that Procore shows, and every row is whole. filling: a fill waits or runs, or records that a list carries in part are still to come whole. partial: a fill is done, and something could not be had: a list or a parent that failed, rows that nothing will complete, resources that no list can fill. since first event: never filled.',
  proved_at:
    'When a comparison last showed that the table is equal to what Procore shows; NULL: none has within 90 days.',
  proof:
    'How: listing: all records of its lists were compared. window: those that changed since the proof before were, and numbers agree where they can be counted. bin: and those that were deleted since. mirror.proofs has all comparisons.',
  complete_until:
    'Every change that happened in Procore before this moment is in the rows; never later than the truth, mostly earlier. NULL: nothing shows it. mirror.evidence tells what holds it.',
};

const WHEN_UNFIT: Record<ColumnType, string> = {
  text: '',
  jsonb: '',
  bigint: ' NULL also when it was no integer; see _data.',
  numeric: ' NULL also when it was no number; see _data.',
  boolean: ' NULL also when it was neither true nor false; see _data.',
  date: ' NULL also when it was no date; see _data.',
  timestamptz: ' NULL also when it was no time; see _data.',
};

type Comment = { schema: string; relation: string | null; column: string | null; text: string };

const VIEW = { schema: 'mirror', relation: 'freshness' };

/** Comments every table of `procore`, every column of them, and `mirror.freshness`, where they are not so already. */
export async function comment(client: pg.ClientBase, tables: readonly MirroredTable[]): Promise<void> {
  const { rows } = await client.query<Comment>(COMMENTS);
  const present = new Map(rows.map((row) => [placeOf(row), row.text]));
  const owned = await client.query<{ name: string }>(OWN_SCHEMAS);
  const mayComment = ({ schema, relation }: Comment) =>
    relation !== null || owned.rows.some(({ name }) => name === schema);
  const lacking = allComments(tables)
    .filter((wanted) => present.get(placeOf(wanted)) !== wanted.text)
    .filter(mayComment);
  if (lacking.length > 0) await client.query(lacking.map(commentStatement).join(';\n'));
}

const COMMENTS = `
select n.nspname as schema, c.relname as relation, a.attname as column, d.description as text
from pg_description d join pg_class c on c.oid = d.objoid join pg_namespace n on n.oid = c.relnamespace
  left join pg_attribute a on a.attrelid = c.oid and a.attnum = d.objsubid and d.objsubid > 0
where d.classoid = 'pg_class'::regclass and n.nspname in ('procore', 'mirror')
union all
select n.nspname, null, null, d.description from pg_description d join pg_namespace n on n.oid = d.objoid
where d.classoid = 'pg_namespace'::regclass and n.nspname in ('procore', 'mirror')`;

const OWN_SCHEMAS = `select nspname as name from pg_namespace where pg_has_role(nspowner, 'usage')`;

const placeOf = ({ schema, relation, column }: Comment): string => JSON.stringify([schema, relation, column]);

function allComments(tables: readonly MirroredTable[]): Comment[] {
  const schema = (name: string, text: string) => ({ schema: name, relation: null, column: null, text });
  return [
    schema(
      'procore',
      "Procore's records, one table per resource. Live rows: _deleted_at is null and _hidden_at is null.",
    ),
    schema('mirror', "The mirror's own tables: what arrived, what waits for a fetch, what went wrong."),
    ...tables.flatMap(commentTable),
    {
      ...VIEW,
      column: null,
      text: 'What the mirror holds of each resource in each company and project, and how new that is.',
    },
    ...Object.entries(FRESHNESS).map(([column, text]) => ({ ...VIEW, column, text })),
  ];
}

function commentTable(table: MirroredTable): Comment[] {
  const place = { schema: 'procore', relation: table.name };
  const comments: [column: string, text: string][] = [
    ['company_id', 'Procore id of the company.'],
    ...(table.scope === 'project' ? [['project_id', 'Procore id of the project.'] as [string, string]] : []),
    [
      'id',
      `Procore id of the record${table.idRepeatsAcrossProjects ? '; the same id can occur in several projects' : ''}.`,
    ],
  ];
  if (table.parentKey !== null) {
    comments.push([table.parentKey, 'Procore id of the record that this one belongs to; NULL while it is not known.']);
  }
  for (const column of table.columns) {
    const note = column.note === undefined ? '' : ` (${column.note})`;
    comments.push([column.name, `Procore's field ${column.name}${note}.${WHEN_UNFIT[column.type]}`]);
  }
  for (const { name, meaning } of OWN_COLUMNS) comments.push([name, meaning]);
  const about = `${table.resource} as Procore's API gives them. Live rows: _deleted_at is null and _hidden_at is null.`;
  return [{ ...place, column: null, text: about }, ...comments.map(([column, text]) => ({ ...place, column, text }))];
}

function commentStatement({ schema, relation, column, text }: Comment): string {
  const kind = relation === null ? 'schema' : column !== null ? 'column' : schema === 'mirror' ? 'view' : 'table';
  const name = [schema, relation, column].filter((part) => part !== null).map(quoteName);
  return `comment on ${kind} ${name.join('.')} is ${quoteLiteral(text)}`;
}
