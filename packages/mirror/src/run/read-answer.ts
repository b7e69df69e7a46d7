// What an answer looks like is checked here, before anything is stored or concluded from it: malformed is not empty.
// Only the fields that `fieldsRead` names are looked at, for the client keeps no others.
import { type Catalogue, type CatalogueEntry, type Wrapper, wrappersOf } from '@procore-mirror/catalogue';
import { isFittingId } from '@procore-mirror/database';
import { type AnswerText, ProcoreFormatError, type ReadPage } from '@procore-mirror/procore';
import type { ListedProject } from '../plan/select-projects.ts';

export type ListedItem = {
  id: string;
  /** The parent that the item names, in lists whose items do. */
  parentId: string | null;
};

/** A page of a listing that looks as one must. `flaw` says what of it cannot be told apart; null when nothing. */
export type CheckedPage = ReadPage & { wrapper: Wrapper; flaw: string | null };

/** What the client kept of an answer. */
type Kept = Pick<AnswerText, 'fields'>;

/** The names of all fields that tell ids, parents and children of a record, or where an answer holds its records. */
export function fieldsRead({ mirrored }: Pick<Catalogue, 'mirrored'>): Set<string> {
  const paths = mirrored.flatMap(({ list, parent }) => [list?.within, parent?.namedBy, parent?.embeddedAs]);
  return new Set(['id', 'data', ...paths.flatMap((path) => path?.split('.') ?? [])]);
}

/** Checks the answer of a show. Throws ProcoreFormatError unless it is the record of this id. */
export function checkShow(
  { fields }: Kept,
  entry: Pick<CatalogueEntry, 'resource' | 'show' | 'showWrappers' | 'idType'>,
  id: string,
): Wrapper {
  for (const wrapper of wrappersOf(entry.showWrappers, entry.show ?? '')) {
    if (idOf(unwrap(fields, wrapper), entry) === id) return wrapper;
  }
  throw new ProcoreFormatError(`the show of ${entry.resource} ${id}`, {
    issues: [`the answer is no record with this id but ${describe(fields)}`],
  });
}

/** Checks what `/me` answers. Throws ProcoreFormatError unless it is somebody. */
export function checkMe({ fields }: Kept): void {
  if ([fields, field(fields, 'data')].some((user) => field(user, 'id') != null)) return;
  throw new ProcoreFormatError('who we are', { issues: [`the answer is nobody but ${describe(fields)}`] });
}

/** Checks a page of a listing. Throws ProcoreFormatError unless it is a list of records with ids, in a form that the entry knows. */
export function checkPage({ fields }: Kept, entry: Pick<CatalogueEntry, 'resource' | 'list' | 'idType'>): CheckedPage {
  const { wrapper, elements, groups } = elementsOf(fields, entry);
  const ids = elements.flatMap((element) => idOf(element, entry) ?? []);
  const records = elements.length;
  if (records > 0 && ids.length === 0) throw malformed(entry, `none of its ${records} elements has an id`);
  const nameless = records - ids.length;
  return {
    wrapper,
    flaw: nameless === 0 ? null : `${nameless} of ${records} elements have no id`,
    ids,
    records,
    groups,
  };
}

/** The ids on a page, and the parents that the items name; elements without an id are left out. Throws as `checkPage`. */
export function readItems(
  { fields }: Kept,
  entry: Pick<CatalogueEntry, 'resource' | 'list' | 'parent' | 'idType'>,
): ListedItem[] {
  const namedBy = entry.parent?.namedBy ?? null;
  return elementsOf(fields, entry).elements.flatMap((element) => {
    const id = idOf(element, entry);
    const parentId = namedBy === null ? null : asId(namedBy.split('.').reduce(field, element), entry);
    return id === null ? [] : [{ id, parentId }];
  });
}

/** The projects on a page of their list, active unless it says otherwise; `records` counts those without an id, too. Throws as `checkPage`. */
export function readListedProjects(
  { fields }: Kept,
  entry: Pick<CatalogueEntry, 'resource' | 'list' | 'idType'>,
): { projects: ListedProject[]; records: number } {
  const { elements } = elementsOf(fields, entry);
  const projects = elements.flatMap((element) => {
    const id = idOf(element, entry);
    const name = field(element, 'name');
    const isActive = field(element, 'active') !== false;
    return id === null ? [] : [{ id, name: typeof name === 'string' ? name : null, isActive }];
  });
  return { projects, records: elements.length };
}

/**
 * The ids of those records of a checked answer that hold a list of children in this field (`a.b`: in b of each in a). Of the
 * others nothing can be said about their children.
 */
export function readHolders(
  { fields }: Kept,
  entry: Pick<CatalogueEntry, 'idType'>,
  wrapper: Wrapper,
  path: string,
): Set<string> {
  const body = unwrap(fields, wrapper);
  const records = Array.isArray(body) ? body : [body];
  return new Set(
    records.filter((record) => holdsList(record, path.split('.'))).flatMap((record) => idOf(record, entry) ?? []),
  );
}

function holdsList(record: unknown, [name, ...further]: readonly string[]): boolean {
  const list = name === undefined ? undefined : field(record, name);
  return Array.isArray(list) && (further.length === 0 || list.every((element) => holdsList(element, further)));
}

function elementsOf(
  parsed: unknown,
  entry: Pick<CatalogueEntry, 'resource' | 'list'>,
): { wrapper: Wrapper; elements: readonly unknown[]; groups: number } {
  const within = entry.list?.within ?? null;
  for (const wrapper of wrappersOf(entry.list?.wrappers ?? null, entry.list?.path ?? '')) {
    const body = unwrap(parsed, wrapper);
    const elements = within === null ? body : elementsWithin(body, within);
    if (Array.isArray(elements))
      return { wrapper, elements, groups: Array.isArray(body) ? body.length : elements.length };
  }
  throw malformed(entry, `it is no list of records but ${describe(parsed)}`);
}

/** The records of an answer that holds them in a field, or of one whose groups do. */
function elementsWithin(body: unknown, within: string): unknown {
  if (!Array.isArray(body)) return field(body, within);
  const groups = body.map((group) => field(group, within));
  return groups.every(Array.isArray) ? groups.flat() : undefined;
}

function unwrap(parsed: unknown, wrapper: Wrapper): unknown {
  return wrapper === 'data' ? field(parsed, 'data') : parsed;
}

function idOf(record: unknown, entry: Pick<CatalogueEntry, 'idType'>): string | null {
  return Array.isArray(record) ? null : asId(field(record, 'id'), entry);
}

/** A number or text as the id that it is stored under, as text; null when it is none. Agrees with what the database takes for ids. */
function asId(value: unknown, entry: Pick<CatalogueEntry, 'idType'>): string | null {
  const isNumber = entry.idType === 'bigint';
  const sent = isNumber && Number.isSafeInteger(value) ? String(value) : value;
  if (typeof sent !== 'string') return null;
  const id = isNumber ? sent.replace(/\.0+$/, '') : sent;
  return isFittingId(entry, id) ? id : null;
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Object.getOwnPropertyDescriptor(value, name)?.value : undefined;
}

function malformed({ resource }: Pick<CatalogueEntry, 'resource'>, issue: string): ProcoreFormatError {
  return new ProcoreFormatError(`the list of ${resource}`, { issues: [issue] });
}

/** The kind of a JSON value and the names in it, without any content. */
function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value !== 'object') return `a ${typeof value}`;
  const names = Object.keys(value)
    .slice(0, 5)
    .map((name) => name.slice(0, 40));
  return names.length === 0 ? 'an empty object' : `an object with ${names.join(', ')}`;
}
