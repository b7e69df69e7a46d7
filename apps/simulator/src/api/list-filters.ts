// Which records a list shows: the default scope of the resource, and the filters its entry says it understands.
// Any other filter is ignored, as Procore does. Recycle bins are lists, too (docs/procore.md: Deletion).
import type { CataloguedResource } from '../catalogue.ts';
import { dateOf } from '../clock.ts';
import { textOf } from '../json.ts';
import type { Settings } from '../settings.ts';
import { listTraits } from '../world/list-traits.ts';
import { type State, stateAt, type WorldRecord } from '../world/world.ts';
import type { Shown } from './routes.ts';

/** Of a parent, a project, or, where both are missing, of the company. */
type Scope = { projectId: string | null; parent?: WorldRecord };
type Wanted = (record: WorldRecord, state: State) => boolean;

type Asked = { query: URLSearchParams; shows: Shown };

/** The records that the list answers at `now`, before it is cut into pages. */
export function filterList(
  entry: CataloguedResource,
  records: readonly WorldRecord[],
  options: Asked & { now: number; scope: Scope; bins: Pick<Settings, 'binsKeepMs' | 'binsShowLive'> },
): WorldRecord[] {
  const { query, shows, now, scope, bins } = options;
  const isBin = isBinAsked(entry, options);
  const takesUpdatedAt = isBin ? entry.bin?.since === 'filters[updated_at]' : entry.list?.filterByUpdate === true;
  const conditions = [
    within(scope),
    isBin ? inBin(now, bins) : notDeleted(entry, query),
    inActiveScope(entry, query, shows === 'inactive'),
    withIds(entry, query),
    takesUpdatedAt ? inRange(query.get('filters[updated_at]'), updatedAt) : null,
    isBin && entry.bin?.since === 'filters[deleted_at]' ? inRange(query.get('filters[deleted_at]'), deletedAt) : null,
    approved(entry, query),
    ofDocumentType(entry, query),
    shows === 'deleted' ? null : onDays(entry, query, now),
  ].filter((condition) => condition !== null);
  return records.filter((record) => {
    const state = stateAt(record, now);
    return state !== null && !state.hidden && conditions.every((wanted) => wanted(record, state));
  });
}

function within({ projectId, parent }: Scope): Wanted | null {
  if (parent !== undefined) return (_record, state) => state.parent === parent;
  return projectId === null ? null : (_record, state) => state.projectId === projectId;
}

/** Is the call for the recycle bin of the resource, or for the deleted ones in its list? */
export function isBinAsked({ bin }: CataloguedResource, { query, shows }: Asked): boolean {
  if (bin === null || (bin.path !== null) !== (shows === 'deleted')) return false;
  if (bin.since === 'filters[deleted_at]' && !query.has(bin.since)) return false;
  return Object.entries(bin.query).every(([name, value]) => query.get(name) === value);
}

function inBin(now: number, { binsKeepMs, binsShowLive }: Pick<Settings, 'binsKeepMs' | 'binsShowLive'>): Wanted {
  return (_record, state) =>
    binsShowLive || (state.deleted && (binsKeepMs === null || deletedAt(state) + binsKeepMs > now));
}

function notDeleted({ bin }: CataloguedResource, query: URLSearchParams): Wanted {
  const name = 'filters[include_deleted]';
  if (bin?.query[name] !== undefined && query.get(name) === 'with') return () => true;
  return (_record, { deleted }) => !deleted;
}

function updatedAt({ fields }: State): number {
  return Date.parse(textOf(fields.updated_at) ?? '');
}

/** A deletion is an edit, so records without a field for it have been updated then. */
function deletedAt(state: State): number {
  return Date.parse(textOf(state.fields.deleted_at) ?? '') || updatedAt(state);
}

function inActiveScope({ resource }: CataloguedResource, query: URLSearchParams, inactive: boolean): Wanted | null {
  const field = listTraits(resource).activeField;
  if (field === undefined) return null;
  const asked = resource === 'Projects' ? query.get('filters[by_status]')?.toLowerCase() : undefined;
  if (asked === 'all') return null;
  const active = !(inactive || asked === 'inactive');
  return (_record, { fields }) => (fields[field] === true) === active;
}

function withIds(entry: CataloguedResource, query: URLSearchParams): Wanted | null {
  const ids = askedIds(entry, query);
  return ids === null ? null : ({ id }) => ids.has(id);
}

/** Null when the list is not asked for ids, or not in a way that it understands. */
function askedIds({ resource, list }: CataloguedResource, query: URLSearchParams): Set<string> | null {
  const single = query.get('filters[id]');
  const isOneId = single !== null && /^[0-9A-Za-z_-]+$/.test(single);
  switch (list?.filterByIds) {
    case 'filters[id][]': {
      const several = query.getAll('filters[id][]');
      if (several.length > 0) return new Set(several);
      return isOneId ? new Set([single]) : null;
    }
    case 'filters[id]':
      return isOneId ? new Set([single]) : idList(single);
    case 'filters[ids]':
      return idList(query.get('filters[ids]'));
    default:
      return isOneId && listTraits(resource).singleId === true ? new Set([single]) : null;
  }
}

/** `[1,2]`, ids quoted or not. */
function idList(text: string | null): Set<string> | null {
  const inner = text === null ? null : /^\[(.*)\]$/.exec(text.trim());
  if (inner === null) return null;
  return new Set((inner[1] ?? '').split(',').map((part) => part.trim().replace(/^"(.*)"$/, '$1')));
}

/** `A...B`, times or days. */
function inRange(asked: string | null, timeOf: (state: State) => number): Wanted | null {
  if (asked === null) return null;
  const [from = '', to = ''] = asked.replaceAll(/^"|"$/g, '').split('...');
  const start = Date.parse(from);
  const end = Date.parse(/^\d{4}-\d\d-\d\d$/.test(to) ? `${to}T23:59:59Z` : to);
  if (Number.isNaN(start) || Number.isNaN(end)) return null;
  return (_record, state) => timeOf(state) >= start && timeOf(state) <= end;
}

function approved({ resource }: CataloguedResource, query: URLSearchParams): Wanted | null {
  if (listTraits(resource).approvedOnly !== true) return null;
  const status = query.get('filters[status]') ?? 'approved';
  return status === 'all' ? null : (_record, { fields }) => fields.status === status;
}

function ofDocumentType({ resource }: CataloguedResource, query: URLSearchParams): Wanted | null {
  const asked = query.get('filters[document_type]');
  const { documentType = asked } = listTraits(resource);
  return asked === null ? null : () => documentType === asked;
}

function onDays({ list }: CataloguedResource, query: URLSearchParams, now: number): Wanted | null {
  if (list?.todayOnly !== true) return null;
  const from = query.get('start_date');
  const to = query.get('end_date');
  const day = query.get('log_date') ?? dateOf(now);
  const [first, last] = from !== null && to !== null ? [from, to] : [day, day];
  return (_record, { fields }) => {
    const date = textOf(fields.date) ?? '';
    return date >= first && date <= last;
  };
}
