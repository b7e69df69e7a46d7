// What the scripted Procore answers to a request: shows and lists on the paths of the catalogue.
import { type CataloguedResource, embeddedIn, parentsOf } from '@procore-mirror/catalogue';
import type { ScriptedWorld } from './scripted-world.ts';
import { pageOf } from './world-page.ts';
import type { WorldRecord } from './world-record.ts';

export type Answer = { status: number; body: unknown; headers: Record<string, string> };

/** What was asked for: a record by its id, or a list. */
export type Question = { entry: CataloguedResource; id: string | null };

type Values = Record<string, string>;

const EVENT_DAY = '2026-06-01';
const OTHER_DAY = '2026-03-02';
const NOT_FOUND: Answer = { status: 404, body: {}, headers: {} };

/** Reads the answer for a run. Other resources that may be the parent have no records. */
export function answerTo(world: ScriptedWorld, url: URL, run: number): Answer & { question: Question | null } {
  if (url.pathname.endsWith('/me')) return { status: 200, body: { id: 5 }, headers: {}, question: null };
  for (const entry of resourcesOf(world)) {
    const shown = valuesIn(entry.show, url);
    const listed = valuesIn(entry.list?.path ?? null, url);
    const values = shown ?? listed;
    if (values === null) continue;
    const question = { entry, id: shown?.id ?? null };
    world.lags.look(run, (record) => isLookedFor(record, question, values, url));
    const answer = shown !== null ? show(world, entry, shown, run) : list(world, entry, values, url, run);
    return { ...answer, question };
  }
  return { ...NOT_FOUND, question: null };
}

/** The record as its show has it, or its list where there is no show; without what `run` does not see, if one is given. */
export function wholeRecord(world: ScriptedWorld, record: WorldRecord, run: number | null): object {
  const field = fieldOfChildren(world, record);
  const children = world.childrenOf(record, 'alive').filter((child) => {
    // What a show merely repeats is never late: the pause before a fetch is all there is against content that is.
    const mayBeLate = run !== null && child.entry.parent?.embeddedAs !== null;
    return !mayBeLate || world.isThere(child, run);
  });
  return {
    ...partOf(record),
    ...(record.entry.list?.todayOnly && { date: dayOf(record) }),
    detail: `of state ${record.state}`,
    ...(field !== null && { [field]: children.map((child) => wholeRecord(world, child, run)) }),
  };
}

/** What thin lists carry. */
function partOf({ id, entry, state, parentId }: WorldRecord): object {
  const namedBy = entry.parent?.namedBy ?? null;
  const isText = [entry.show, entry.list?.path].some((path) => path?.startsWith('/rest/v2'));
  return {
    id: isText ? id : Number(id),
    name: `state ${state}`,
    ...(namedBy !== null && { [namedBy]: Number(parentId) }),
  };
}

/** Where a parent shows its children, if it does. */
function fieldOfChildren({ family }: ScriptedWorld, { entry }: WorldRecord): string | null {
  const children = family.members[family.members.indexOf(entry) + 1];
  if (children === undefined || children.parent === null) return null;
  return children.parent.embeddedAs ?? (children.parent.repeatsChild ? children.table.name : null);
}

/** Some are of another day than their events make believe, and edits move them there and back. */
function dayOf({ id, state }: WorldRecord): string {
  return id === '3' || state % 4 === 3 ? OTHER_DAY : EVENT_DAY;
}

/** Might the answer hold the record, as far as somebody can tell who does not know its parent? */
function isLookedFor(record: WorldRecord, { entry, id }: Question, { project_id }: Values, url: URL): boolean {
  if ((project_id ?? record.projectId) !== record.projectId) return false;
  const { parent } = record.entry;
  if (parent !== null && parent.embeddedAs !== null) return parent.resource === entry.resource;
  return record.entry === entry && (id === null ? isAskedFor(record, url) : id === record.id);
}

function show(world: ScriptedWorld, entry: CataloguedResource, values: Values, run: number): Answer {
  const record = world.records.get(values.id ?? '');
  if (record === undefined || !isAt(world, record, entry, values) || !world.isThere(record, run)) return NOT_FOUND;
  return { status: 200, body: wrap(entry.show, wholeRecord(world, record, run)), headers: {} };
}

function list(world: ScriptedWorld, entry: CataloguedResource, values: Values, url: URL, run: number): Answer {
  if (!hasParent(world, entry, values, run)) return NOT_FOUND;
  const asked = [...world.records.values()].filter(
    (record) => isAt(world, record, entry, values) && isAskedFor(record, url),
  );
  const { records, headers } = pageOf(
    asked.filter((record) => world.isThere(record, run)),
    url,
  );
  const isWhole = entry.list?.carries === 'whole record';
  const items = records.map((record) => (isWhole ? wholeRecord(world, record, run) : partOf(record)));
  return { status: 200, body: wrap(entry.list?.path ?? null, items), headers };
}

/** Alive, of this resource, and where the path says. */
function isAt(world: ScriptedWorld, record: WorldRecord, entry: CataloguedResource, values: Values): boolean {
  return (
    record.life === 'alive' &&
    record.entry === entry &&
    (values.company_id ?? world.companyId) === world.companyId &&
    (values.project_id ?? record.projectId) === record.projectId &&
    isUnder(world, record, values)
  );
}

/** Are its parent, and that one's parent, those that the path names? */
function isUnder(world: ScriptedWorld, record: WorldRecord, values: Values): boolean {
  const parent = world.parentOf(record);
  const isHere = (values[parentKeyOf(record.entry)] ?? record.parentId) === record.parentId;
  return isHere && (parent === null || isUnder(world, parent, values));
}

/** The parameter that names a parent of records of this resource. */
function parentKeyOf({ parent, list }: CataloguedResource): string {
  return parent?.key ?? list?.under?.key ?? '';
}

/** A list of one parent's is there when the parent is. */
function hasParent(world: ScriptedWorld, entry: CataloguedResource, values: Values, run: number): boolean {
  const parentId = values[parentKeyOf(entry)];
  if (parentId === undefined) return true;
  const parent = world.records.get(parentId);
  return parent !== undefined && isAt(world, parent, parent.entry, values) && world.isThere(parent, run);
}

function isAskedFor(record: WorldRecord, { searchParams }: URL): boolean {
  const ids = ['filters[id][]', 'filters[id]', 'filters[ids]'].flatMap((name) => searchParams.getAll(name));
  const wanted = ids.flatMap((text) => text.match(/\d+/g) ?? []);
  if (ids.length > 0 && !wanted.includes(record.id)) return false;
  if (!record.entry.list?.todayOnly) return true;
  const [from, to] = [searchParams.get('start_date'), searchParams.get('end_date')];
  return from !== null && to !== null && from <= dayOf(record) && dayOf(record) <= to; // else today's
}

function resourcesOf({ family }: ScriptedWorld): CataloguedResource[] {
  const others = family.members.flatMap((member) => parentsOf(family.catalogue, member));
  return [...new Set([...family.members, ...others])];
}

/** What stands in the place of the placeholders of the path, in path and query; null when it is another path. */
function valuesIn(template: string | null, { pathname, searchParams }: URL): Values | null {
  if (template === null) return null;
  const [path = '', query = ''] = template.split('?');
  const pattern = path.replaceAll('.', '\\.').replaceAll(/\{(\w+)\}/g, '(?<$1>\\d+)');
  const found = new RegExp(`^${pattern}$`).exec(pathname);
  if (found === null) return null;
  const values: Values = { ...found.groups };
  for (const [name, value] of new URLSearchParams(query)) {
    const key = /^\{(\w+)\}$/.exec(value)?.[1];
    // A query that names the parent can be enforced, so what lacks it leads nowhere.
    if (key !== undefined) values[key] = searchParams.get(name) ?? '';
  }
  return values;
}

function wrap(path: string | null, body: unknown): unknown {
  return path?.startsWith('/rest/v2') ? { data: body } : body;
}

/** The field in which records of this resource carry their children. */
export function embeddedField({ family }: ScriptedWorld, entry: CataloguedResource): string | null {
  return embeddedIn(family.catalogue, entry)[0]?.parent?.embeddedAs ?? null;
}
