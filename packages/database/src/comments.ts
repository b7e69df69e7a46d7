import type { ColumnType, MirroredTable } from './mirrored-table.ts';
import { quoteLiteral, quoteName, tableName } from './quote.ts';

const OWN_COLUMNS = {
  _data: 'The whole record as Procore last sent it; NULL when it was never seen.',
  _complete:
    "False: what Procore's lists lack is of an earlier fetch, or missing; the rest is as of _fetched_at. True: all of it is.",
  _deleted_at:
    'Since when it is known to be deleted in Procore; NULL: not deleted. The last known state stays in the row.',
  _hidden_at: 'Since when Procore does not show the record to us: deleted, or no permission. NULL: shown.',
  _fetched_at: 'When Procore was last asked for the record and answered.',
  _version: 'Number of the fetch that this state comes from; a lower one never overwrites a higher one.',
  _event_id: 'The newest event (mirror.events) known of the record when it was fetched.',
};

const FRESHNESS = {
  company_id: 'Procore id of the company.',
  project_id: 'Procore id of the project; NULL for resources of the company.',
  resource: 'The resource as Procore spells it.',
  rows: 'Live rows: neither deleted nor hidden.',
  last_event_at: 'When the last event reached us.',
  last_fetch_at: 'When Procore was last asked for a record of it.',
  oldest_pending_at: 'Since when the record that has waited longest waits for its fetch; NULL: none waits.',
  pending: 'Records with news that we have not fetched yet.',
  calls_last_hour: 'Requests to Procore in the last hour, first fills included; counted in steps of ten minutes.',
  events_last_day:
    'Events in the last 24 hours that led to a fetch; of the time since calls are counted, if that is shorter.',
  calls_for_events_last_day: 'Requests to Procore in the same time that events led to; no first fills.',
  calls_per_event: 'calls_for_events_last_day / events_last_day; NULL without events.',
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

/** Statements that comment every table of `procore`, every column of them, and `mirror.freshness`. Idempotent. */
export function commentStatements(tables: readonly MirroredTable[]): string {
  return [
    `comment on schema procore is 'Procore''s records, one table per resource. Live rows: _deleted_at is null and _hidden_at is null.'`,
    `comment on schema mirror is 'The mirror''s own tables: what arrived, what waits for a fetch, what went wrong.'`,
    ...tables.flatMap(commentTable),
    `comment on view mirror.freshness is 'What the mirror holds of each resource in each company and project, and how new that is.'`,
    ...Object.entries(FRESHNESS).map(([name, text]) => commentColumn('mirror.freshness', name, text)),
  ].join(';\n');
}

function commentTable(table: MirroredTable): string[] {
  const name = tableName(table);
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
  comments.push(...Object.entries(OWN_COLUMNS));
  const about = `${table.resource} as Procore's API gives them. Live rows: _deleted_at is null and _hidden_at is null.`;
  return [
    `comment on table ${name} is ${quoteLiteral(about)}`,
    ...comments.map(([column, text]) => commentColumn(name, column, text)),
  ];
}

function commentColumn(table: string, column: string, text: string): string {
  return `comment on column ${table}.${quoteName(column)} is ${quoteLiteral(text)}`;
}
