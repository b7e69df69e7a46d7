// The records of the make-believe companies, as they are and, while the read lag lasts, as they were. Fields are
// replaced, never changed in place, so a past state is just the old fields. Where a record is belongs to its state, so
// the world files it under every place it ever had, and whoever looks asks the state which one counts.
import { type CataloguedResource, catalogue } from '../catalogue.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** Where a record is; company resources are in no project. */
export type Place = { projectId: string | null; parent: WorldRecord | null };

/** What a read sees of a record at some moment. */
export type State = Place & { fields: Fields; deleted: boolean; hidden: boolean };

export type WorldRecord = {
  readonly entry: CataloguedResource;
  readonly companyId: string;
  readonly id: string;
  /** Its children and those that it had; `childrenOf` tells them apart. */
  readonly children: WorldRecord[];
  now: State;
  /** Earlier states, oldest first, each with the moment until which reads still answer it; null: not there yet. */
  past: { state: State | null; until: number }[];
  /** The deletion that took this record along, so that its undoing brings it back. */
  deletedWith: WorldRecord | null;
};

export type RecordKey = { companyId: string; projectId: string | null; id: string };

type Company = { id: string; name: string; toolsOff: Set<string> };
type ProjectAccess = { permitted: boolean; toolsOff: Set<string> };

export type World = {
  companies: Map<string, Company>;
  /** What the service account may do in a project; everything unless said otherwise. */
  access: (projectId: string) => ProjectAccess;
  /** Of the projects that anything was said about, by their ids. */
  accesses: () => ReadonlyMap<string, ProjectAccess>;
  add: (record: WorldRecord) => void;
  /** Files a record that moved under its new place, too. */
  refile: (record: WorldRecord) => void;
  /** Every record of the resource, deleted ones included, in the order they were made. */
  all: (resource: string) => readonly WorldRecord[];
  /** Those that are or were in one scope: of a parent, a project, or a company. */
  within: (
    resource: string,
    scope: { companyId: string; projectId?: string | null; parent?: WorldRecord },
  ) => readonly WorldRecord[];
  /** `projectId` matters only where an id can occur in several projects. */
  find: (resource: string, key: RecordKey) => WorldRecord | undefined;
};

const nothing: readonly WorldRecord[] = [];

export function createWorld(): World {
  const companies = new Map<string, Company>();
  const accesses = new Map<string, ProjectAccess>();
  const byResource = new Map<string, WorldRecord[]>();
  const byScope = new Map<string, WorldRecord[]>();
  const byKey = new Map<string, WorldRecord>();

  /** The lists that a record is in because of its place. */
  function placesOf({ entry, companyId, now }: WorldRecord): WorldRecord[][] {
    const { projectId, parent } = now;
    return [
      ...(projectId === null ? [] : [getOr(byScope, `${entry.resource}/${companyId}/${projectId}`, () => [])]),
      ...(parent === null ? [] : [parent.children]),
    ];
  }

  return {
    companies,
    access: (projectId) => getOr(accesses, projectId, () => ({ permitted: true, toolsOff: new Set() })),
    accesses: () => accesses,
    add: (record) => {
      const { entry, companyId, id, now } = record;
      byKey.set(keyOf(entry, { companyId, id, projectId: now.projectId }), record);
      getOr(byResource, entry.resource, () => []).push(record);
      getOr(byScope, `${entry.resource}/${companyId}`, () => []).push(record);
      for (const list of placesOf(record)) list.push(record);
    },
    refile: (record) => {
      for (const list of placesOf(record)) if (!list.includes(record)) list.push(record);
    },
    all: (resource) => byResource.get(resource) ?? nothing,
    within: (resource, { companyId, projectId, parent }) => {
      if (parent !== undefined) return parent.children.filter((child) => child.entry.resource === resource);
      const scope = projectId === undefined || projectId === null ? companyId : `${companyId}/${projectId}`;
      return byScope.get(`${resource}/${scope}`) ?? nothing;
    },
    find: (resource, key) => {
      const entry = catalogue.find(resource);
      return entry?.table == null ? undefined : byKey.get(keyOf(entry, key));
    },
  };
}

/** May the service account read the record: is it permitted in the project, and is the tool on? */
export function isPermitted(world: World, { entry, companyId, id, now }: WorldRecord): boolean {
  return mayRead(world, entry, companyId, entry.resource === 'Projects' ? id : now.projectId);
}

/** The same for all records of the resource in a project, or of the company where it is null. */
export function mayRead(
  world: World,
  { tool }: CataloguedResource,
  companyId: string,
  projectId: string | null,
): boolean {
  if (world.companies.get(companyId)?.toolsOff.has(tool) === true) return false;
  if (projectId === null) return true;
  const { permitted, toolsOff } = world.access(projectId);
  return permitted && !toolsOff.has(tool);
}

/** The state that a read at `now` answers; null when there is no record for it yet. */
export function stateAt(record: WorldRecord, now: number): State | null {
  const past = record.past.find(({ until }) => until > now);
  return past === undefined ? record.now : past.state;
}

/** Its children as a read at `now` finds them; as they really are, unless said otherwise. */
export function childrenOf(record: WorldRecord, now = Number.POSITIVE_INFINITY): WorldRecord[] {
  return record.children.filter((child) => stateAt(child, now)?.parent === record);
}

/** After a change, reads answer the old state for a time, then, if `absentMs` is longer, nothing for the rest of that. */
export type Lag = { oldMs: number; absentMs: number };

/** Gives the record a new state, which reads answer when the lag is over. */
export function changeState(record: WorldRecord, state: State, now: number, { oldMs, absentMs }: Lag): void {
  record.past = record.past.filter(({ until }) => until > now);
  if (oldMs > 0) record.past.push({ state: record.now, until: now + oldMs });
  if (absentMs > oldMs) record.past.push({ state: null, until: now + absentMs });
  record.now = state;
}

function keyOf(entry: CataloguedResource, { companyId, projectId, id }: RecordKey): string {
  const scope = entry.idRepeatsAcrossProjects ? `${companyId}/${projectId}` : companyId;
  return `${entry.resource}/${scope}/${id}`;
}

function getOr<T>(map: Map<string, T>, key: string, make: () => T): T {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}
