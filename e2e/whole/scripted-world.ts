// What a scripted Procore has of one company, at the addresses of the catalogue, and how it answers from that.
import { type CataloguedResource, catalogue } from '@procore-mirror/catalogue';
import { expandPath } from '@procore-mirror/procore';
import type { Answer, Asked } from '@procore-mirror/testing';
import type { WorldRecord } from './compare-world.ts';

type Fields = Record<string, unknown>;

/** The ids in the paths of a resource: `{ project_id: '7', rfi_id: '1' }`. */
export type Place = Readonly<Record<string, string>>;

export type ScriptedWorld = {
  /** Has the record in this place and no other. `listed`: what lists carry of it, if that is not all. */
  put: (resource: string, place: Place, record: Fields & { id: number }, listed?: Fields) => void;
  /** Does not show it any more. */
  take: (resource: string, id: number) => void;
  answer: (asked: Asked) => Answer;
  /** The project where the record is or was; null when it never had one. */
  projectOf: (resource: string, id: number) => string | null;
  /** All that there is, children inside their parents, too. */
  records: () => WorldRecord[];
  /** Resources of which there is or was a record. */
  resources: () => CataloguedResource[];
};

type Kept = {
  entry: CataloguedResource;
  projectId: string | null;
  parentId: string | null;
  record: Fields & { id: number };
  listed: Fields;
  show: string | null;
  list: string | null;
};

/** An empty company. */
export function createScriptedWorld(companyId: string): ScriptedWorld {
  const kept = new Map<string, Kept>();
  const projects = new Map<string, string | null>();
  const resources = new Set<CataloguedResource>();
  return {
    put: (resource, place, record, listed = record) => {
      const entry = catalogue.get(resource);
      const key = `${resource}/${record.id}`;
      const parentId = entry.parent === null ? null : (place[entry.parent.key] ?? null);
      const projectId = entry.scope === 'project' ? (place.project_id ?? null) : null;
      const values = { company_id: companyId, id: String(record.id), ...place };
      const address = (path: string | null) => (path === null ? null : expandPath(path, values));
      const addresses = { show: address(entry.show), list: address(entry.list?.path ?? null) };
      kept.set(key, { entry, projectId, parentId, record, listed, ...addresses });
      projects.set(key, projectId);
      for (const one of [entry, ...embeddedIn(entry)]) resources.add(one);
    },
    take: (resource, id) => void kept.delete(`${resource}/${id}`),
    answer: (asked) => answerFrom([...kept.values()], asked),
    projectOf: (resource, id) => projects.get(`${resource}/${id}`) ?? null,
    records: () => [...kept.values()].flatMap((one) => worldRecords(companyId, one)),
    resources: () => [...resources],
  };
}

/** Procore's answer: who we are, the record at an address that ends in its id, else a list of those whose list has the address. */
function answerFrom(kept: readonly Kept[], asked: Asked): Answer {
  if (asked.path === '/rest/v1.0/me') return { body: { id: 1 } };
  const wrap = (body: unknown) => ({ body: asked.path.startsWith('/rest/v2') ? { data: body } : body });
  if (/\/\d+$/.test(asked.path)) {
    const found = kept.find(({ show }) => leadsTo(show, asked));
    return found === undefined ? { status: 404 } : wrap(found.record);
  }
  const listed = kept.filter(({ list, record }) => leadsTo(list, asked) && isAskedFor(record, asked.query));
  const within = listed[0]?.entry.list?.within ?? null;
  const items = listed.map((one) => one.listed);
  return wrap(within === null ? items : [{ [within]: items }]);
}

function leadsTo(address: string | null, { path, query }: Asked): boolean {
  if (address === null) return false;
  const [own, search] = address.split('?');
  return own === path && [...new URLSearchParams(search)].every(([name, value]) => query.get(name) === value);
}

/** Lists are asked for certain ids, in one of Procore's spellings, or for the days from one to another. */
function isAskedFor({ id, date }: Fields, query: URLSearchParams): boolean {
  const ids = [...query].flatMap(([name, value]) => (/^filters\[ids?\]/.test(name) ? value.split(/\D+/) : []));
  if (ids.length > 0 && !ids.includes(String(id))) return false;
  const [from, to] = [query.get('start_date'), query.get('end_date')];
  return from === null || to === null || (String(date) >= from && String(date) <= to);
}

function embeddedIn({ resource }: CataloguedResource): CataloguedResource[] {
  return catalogue.mirrored.filter(({ parent }) => parent?.resource === resource && parent.embeddedAs !== null);
}

/** The record as the mirror is to show it, and the children inside it. */
function worldRecords(companyId: string, { entry, projectId, parentId, record }: Kept): WorldRecord[] {
  const shared = { companyId, projectId, deleted: false, visible: true };
  const own = { ...shared, resource: entry.resource, parentId, id: String(record.id), text: JSON.stringify(record) };
  const children = embeddedIn(entry).flatMap(({ resource, parent }) =>
    fieldsAt([record], parent?.embeddedAs?.split('.') ?? []).map((child) => ({
      ...{ ...shared, resource, parentId: own.id },
      ...{ id: String(child.id), text: JSON.stringify(child) },
    })),
  );
  return [own, ...children];
}

function fieldsAt(records: readonly Fields[], path: readonly string[]): Fields[] {
  return path.reduce<Fields[]>(
    (within, name) => within.flatMap((one) => (Array.isArray(one[name]) ? one[name] : [])),
    [...records],
  );
}
