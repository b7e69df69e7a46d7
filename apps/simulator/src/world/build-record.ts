// A new record's fields: every column of the catalogue, and what the API sends besides.
import type { CataloguedResource } from '../catalogue.ts';
import { wholeSeconds } from '../clock.ts';
import { isObject, numberOf } from '../json.ts';
import { type Column, fieldValue, logDay, type Surroundings } from './field-value.ts';
import { activeField } from './list-traits.ts';
import { repeatedIn } from './repeated-children.ts';
import type { Fields, Place } from './world.ts';

export type Identity = Place & { companyId: string; id: string };

const adjustment = columns(
  'adjustment_number:bigint',
  'amount:numeric',
  'quantity:numeric',
  'uom',
  'description',
).concat(columns('type', 'budget_change_number', 'budget_change_status', 'budget_change_name'));

/** Resources whose columns nobody has written down; the names are those of the API reference. */
const columnsOf: Readonly<Record<string, readonly Column[]>> = {
  'Change Event Line Items': columns('description', 'item_type', 'event_title:text', 'event_number', 'source').concat(
    columns('budget_code:jsonb', 'cost_impact:jsonb', 'budget_impact:jsonb', 'revenue_impact:jsonb', 'notes:jsonb'),
    columns(
      'latest_cost_values:jsonb',
      'latest_revenue_values:jsonb',
      'currency_configuration:jsonb',
      'line_aging:bigint',
    ),
    columns('editable:boolean', 'deletable:boolean', 'created_at:timestamptz', 'updated_at:timestamptz'),
    columns('deleted_at:timestamptz'),
  ),
  'Change Order Change Reasons': columns('change_reason', 'show_in_select:boolean', 'deletable:boolean'),
  'Budget Change Adjustments': adjustment,
  'Budget Change Adjustment Line Items': adjustment,
  'Meeting Attendees': columns('status', 'login_information:jsonb'),
  'Meeting Categories': columns('title', 'position:bigint', 'created_by:jsonb'),
  'Meeting Topics': columns(
    'title',
    'number',
    'minutes',
    'status',
    'priority',
    'due_date:date',
    'assignments:jsonb',
  ).concat(columns('created_at:timestamptz', 'updated_at:timestamptz')),
  'RFQ Quotes': columns('amount:numeric', 'description', 'status', 'schedule_impact:bigint', 'created_by:jsonb').concat(
    columns('created_at:timestamptz', 'updated_at:timestamptz'),
  ),
  'RFQ Responses': columns('body', 'created_by:jsonb', 'attachments:jsonb', 'created_at:timestamptz').concat(
    columns('updated_at:timestamptz'),
  ),
  'Specification Areas': columns('name', 'description', 'divisions_count:bigint', 'sections_count:bigint').concat(
    columns('created_at:timestamptz', 'updated_at:timestamptz'),
  ),
  'Specification Section Divisions': columns('number', 'description'),
  'Timecard Time Types': columns('time_type', 'global:boolean'),
  'Document Upload': columns('name', 'status', 'upload_id', 'created_by:jsonb', 'created_at:timestamptz').concat(
    columns('updated_at:timestamptz'),
  ),
};
const otherwise = columns('name', 'created_at:timestamptz', 'updated_at:timestamptz');

function columns(...texts: string[]): Column[] {
  return texts.map((text) => {
    const [name = '', type = 'text'] = text.split(':');
    return { name, type: type as Column['type'] };
  });
}

/** The columns of the resource, besides its keys. A list that is asked for what was updated knows when that was, shown or not. */
export function columnsFor({ resource, table, list }: CataloguedResource): readonly Column[] {
  const known = table.columns.length > 0 ? table.columns : (columnsOf[resource] ?? otherwise);
  const isTimed = list?.filterByUpdate !== true || known.some(({ name }) => name === updatedAt.name);
  return isTimed ? known : [...known, updatedAt];
}

const updatedAt: Column = { name: 'updated_at', type: 'timestamptz' };

/** The columns that an edit may change: not the times, nor what scopes and embedded children hang on. */
export function editableColumns(entry: CataloguedResource): readonly Column[] {
  const fixed = new Set([
    'created_at',
    'updated_at',
    'deleted',
    'deleted_at',
    'questions',
    'line_items',
    'change_items',
    ...repeatedIn(entry).map(({ key }) => key),
    ...(entry.parent?.namedBy?.split('.') ?? []),
  ]);
  const kept = activeField(entry.resource) ?? 'is_active';
  return columnsFor(entry).filter(({ name }) => !fixed.has(name) && name !== kept && name !== 'date');
}

/** All fields of a new record made at `surroundings.nowMs`. */
export function buildFields(entry: CataloguedResource, identity: Identity, surroundings: Surroundings): Fields {
  const fields: Record<string, unknown> = { id: idField(entry, identity.id) };
  for (const column of columnsFor(entry)) {
    if (column.note?.includes('only on deleted records') === true) continue;
    fields[column.name] = fieldValue(column, surroundings);
  }
  return { ...fields, ...settledFields(entry, identity, surroundings, fields) };
}

/** What follows from the record's place and time, not from chance. */
function settledFields(
  entry: CataloguedResource,
  identity: Identity,
  surroundings: Surroundings,
  fields: Fields,
): Fields {
  const now = wholeSeconds(surroundings.nowMs);
  const { id } = identity;
  const settled: Record<string, unknown> = {
    created_at: now,
    updated_at: now,
    deleted_at: null,
    deleted: false,
    in_recycle_bin: false,
    active: true,
    is_active: true,
    login: `user${id}@example.com`,
    email_address: `user${id}@example.com`,
  };
  const followed = Object.fromEntries(Object.entries(settled).filter(([name]) => name in fields));
  if (entry.list?.todayOnly === true) followed.date = logDay(surroundings);
  if (fields.first_name !== undefined && fields.last_name !== undefined) {
    const names = [fields.first_name ?? 'Sam', fields.last_name ?? 'Doe'];
    Object.assign(followed, { first_name: names[0], last_name: names[1], name: names.join(' ') });
  }
  return { ...followed, ...placedFields(entry, identity, fields) };
}

/** What the record's place says in its own fields, `fields` being those it has. */
export function placedFields(
  entry: CataloguedResource,
  { companyId, projectId, parent }: Place & { companyId: string },
  fields: Fields,
): Fields {
  const placed: Record<string, unknown> = parent === null ? {} : { ...namedParent(entry, parent.id) };
  if (isObject(fields.project) && projectId !== null) placed.project = { ...fields.project, id: numberOf(projectId) };
  if (entry.resource === 'Change Events') {
    Object.assign(placed, { company_id: numberOf(companyId), project_id: numberOf(projectId ?? '0') });
  }
  if (entry.resource === 'Change Event Line Items' && parent !== null) placed.event_id = numberOf(parent.id);
  return placed;
}

/** What tells the parent, in records that do. */
function namedParent({ parent }: CataloguedResource, parentId: string): Fields {
  const steps = parent?.namedBy?.split('.') ?? [];
  const named = steps.reduceRight<unknown>((inner, step) => ({ [step]: inner }), numberOf(parentId));
  return steps.length === 0 ? {} : (named as Fields); // an object, as there is a step
}

function idField({ idType }: CataloguedResource, id: string): unknown {
  return idType === 'text' ? id : numberOf(id);
}
