// Do the entries of a catalogue fit themselves and each other? What a schema for one entry cannot tell.
import type { CatalogueEntry } from './catalogue-entry.ts';
import { tableNameOf, takenTableNames } from './table-names.ts';

type Find = (resource: string) => CatalogueEntry | undefined;
type Check = (entry: CatalogueEntry, find: Find) => (string | false)[];

/** Every problem, each beginning with the name of its entry. */
export function checkCatalogue(entries: readonly CatalogueEntry[]): string[] {
  const byName = new Map(entries.map((entry) => [entry.resource.toLowerCase(), entry]));
  const find: Find = (name) => byName.get(name.toLowerCase());
  const named = entries.flatMap((entry) =>
    [checkReading, checkReferences, checkPaths, checkList, checkBin, checkColumns]
      .flatMap((check: Check) => check(entry, find))
      .filter((problem) => problem !== false)
      .map((problem) => `"${entry.resource}": ${problem}`),
  );
  return [...named, ...repeatedNames(entries), ...takenTableNames(entries)];
}

function checkReading({ unread, show, list, parent }: CatalogueEntry): (string | false)[] {
  const isRead = show !== null || list !== null || (parent !== null && parent.embeddedAs !== null);
  return [
    unread === null && !isRead && 'needs a show, a list, a parent.embeddedAs, or says in unread why it has none',
    unread !== null && (isRead || parent !== null) && 'unread: is for resources without show, list and parent',
  ];
}

function checkReferences({ parent, list, alsoChanges }: CatalogueEntry, find: Find): (string | false)[] {
  const references: [field: string, name: string][] = [
    ...(parent === null ? [] : [['parent.resource', parent.resource] as [string, string]]),
    ...(parent?.alsoOf ?? []).map((name): [string, string] => ['parent.alsoOf', name]),
    ...(list?.under ? [['list.under.resource', list.under.resource] as [string, string]] : []),
    ...alsoChanges.map((name): [string, string] => ['alsoChanges', name]),
  ];
  return references.map(([field, name]) => {
    const found = find(name);
    return (found === undefined || found.unread !== null) && `${field}: there is no mirrored resource "${name}"`;
  });
}

function checkPaths(entry: CatalogueEntry, find: Find): (string | false)[] {
  const scope = entry.scope === 'project' ? ['company_id', 'project_id'] : ['company_id'];
  const ancestors = ancestorKeys(entry, find, new Set());
  const under = entry.list?.under ? [entry.list.under.key] : [];
  return [
    ...unknownPlaceholders('show', entry.show, [...scope, ...ancestors, 'id']),
    entry.show !== null && !entry.show.includes('{id}') && 'show: must hold {id}',
    ...unknownPlaceholders('list.path', entry.list?.path ?? null, [...scope, ...ancestors, ...under]),
    ...(entry.list?.also ?? []).flatMap((path) => unknownPlaceholders('list.also', path, scope)),
    ...unknownPlaceholders('bin.path', entry.bin?.path ?? null, scope),
  ];
}

function unknownPlaceholders(field: string, path: string | null, known: readonly string[]): string[] {
  const used = [...(path ?? '').matchAll(/\{([^{}]*)\}/g)].map(([, name = '']) => name);
  return used
    .filter((name) => !known.includes(name))
    .map((name) => `${field}: nothing is known to put in {${name}}; there are {${known.join('}, {')}}`);
}

/** The keys of the parent, and of its parents. */
function ancestorKeys(entry: CatalogueEntry, find: Find, seen: Set<CatalogueEntry>): string[] {
  if (entry.parent === null || seen.has(entry)) return [];
  seen.add(entry);
  const parents = [entry.parent.resource, ...entry.parent.alsoOf].flatMap((name) => find(name) ?? []);
  return [entry.parent.key, ...parents.flatMap((parent) => ancestorKeys(parent, find, seen))];
}

function checkList({ list, parent, show }: CatalogueEntry): (string | false)[] {
  if (list === null) return [];
  const isWhole = list.carries === 'whole record';
  return [
    list.within !== null && isWhole && 'list.within: is read for ids only, so list.carries is "part of the record"',
    list.under !== null && isWhole && 'list.under: is read for ids only, so list.carries is "part of the record"',
    list.under !== null && parent !== null && 'list.under: a resource with a parent is listed under that',
    !isWhole && show === null && 'list.carries: what is "part of the record" needs a show for the rest',
    list.todayOnly && show === null && 'list.todayOnly: needs a show, for records whose day nobody knows',
    list.shared && !isWhole && 'list.shared: the list must carry the whole record',
    list.shared && list.filterByUpdate && 'list.filterByUpdate: a list that is shared is not compared',
    list.todayOnly && list.filterByUpdate && 'list.filterByUpdate: a list of some days is asked for days',
  ];
}

function checkBin({ bin }: CatalogueEntry): (string | false)[] {
  if (bin === null) return [];
  const isAsked = Object.keys(bin.query).length > 0 || bin.since === 'filters[deleted_at]';
  return [bin.path === null && !isAsked && 'bin: needs a path, or a query that makes the list show what was deleted'];
}

/** Columns that Postgres gives every table; those of the mirror begin with `_` (`catalogue-entry.ts`). */
const SYSTEM_COLUMNS = ['tableoid', 'ctid', 'xmin', 'xmax', 'cmin', 'cmax'];

function checkColumns({ columns = [], idType, parent }: CatalogueEntry): (string | false)[] {
  const names = columns.map(({ name }) => name);
  const keys: [name: string, type: string][] = [
    ['company_id', 'bigint'],
    ['project_id', 'bigint'],
    ['id', idType],
    ...(parent === null ? [] : [[parent.key, idType] as [string, string]]),
  ];
  return [
    ...[...new Set(names)].map(
      (name) => names.indexOf(name) !== names.lastIndexOf(name) && `columns: "${name}" is there more than once`,
    ),
    ...keys.map(
      ([key, type]) =>
        columns.some((column) => column.name === key && column.type !== type) &&
        `columns: "${key}" is a key of the table, and ${type} there`,
    ),
    ...SYSTEM_COLUMNS.map(
      (name) =>
        names.includes(name) && `columns: "${name}" is a column that Postgres gives every table; the field is in _data`,
    ),
  ];
}

function repeatedNames(entries: readonly CatalogueEntry[]): string[] {
  const groups = Map.groupBy(entries, ({ resource }) => tableNameOf(resource));
  return [...groups.values()]
    .filter((group) => group.length > 1)
    .map((group) => `"${group[0]?.resource}": there are ${group.length} entries of this name`);
}
