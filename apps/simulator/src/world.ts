// The records of the make-believe companies, as they are and, while the read lag lasts, as they were. Fields are
// replaced, never changed in place, so a past state is just the old fields.
import { type CataloguedResource, catalogue } from './catalogue.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** What a read sees of a record at some moment. */
export type State = { fields: Fields; deleted: boolean; hidden: boolean };

export type WorldRecord = {
  readonly resource: CataloguedResource;
  readonly companyId: string;
  /** Null for company resources. */
  readonly projectId: string | null;
  readonly id: string;
  readonly parent: WorldRecord | null;
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
  add: (record: WorldRecord) => void;
  /** Every record of the resource, deleted ones included, in the order they were made. */
  all: (resource: string) => readonly WorldRecord[];
  /** Those of one scope: of a parent, a project, or a company. */
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

  return {
    companies,
    access: (projectId) => getOr(accesses, projectId, () => ({ permitted: true, toolsOff: new Set() })),
    add: (record) => {
      const { resource, companyId, projectId } = record;
      byKey.set(keyOf(resource, record), record);
      getOr(byResource, resource.resource, () => []).push(record);
      getOr(byScope, `${resource.resource}/${companyId}`, () => []).push(record);
      if (projectId !== null) getOr(byScope, `${resource.resource}/${companyId}/${projectId}`, () => []).push(record);
      record.parent?.children.push(record);
    },
    all: (resource) => byResource.get(resource) ?? nothing,
    within: (resource, { companyId, projectId, parent }) => {
      if (parent !== undefined) return parent.children.filter((child) => child.resource.resource === resource);
      const scope = projectId === undefined || projectId === null ? companyId : `${companyId}/${projectId}`;
      return byScope.get(`${resource}/${scope}`) ?? nothing;
    },
    find: (resource, key) => {
      const entry = catalogue.find(resource);
      return entry === undefined ? undefined : byKey.get(keyOf(entry, key));
    },
  };
}

/** May the service account read the record: is it permitted in the project, and is the tool on? */
export function isPermitted(world: World, { resource, companyId, projectId, id }: WorldRecord): boolean {
  return mayRead(world, resource, companyId, resource.resource === 'Projects' ? id : projectId);
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

/** Gives the record a new state; reads go on answering the old one for `lagMs`. */
export function changeState(record: WorldRecord, state: State, now: number, lagMs: number): void {
  record.past = record.past.filter(({ until }) => until > now);
  if (lagMs > 0) record.past.push({ state: record.now, until: now + lagMs });
  record.now = state;
}

function keyOf(resource: CataloguedResource, { companyId, projectId, id }: RecordKey): string {
  const scope = resource.idRepeatsAcrossProjects ? `${companyId}/${projectId}` : companyId;
  return `${resource.resource}/${scope}/${id}`;
}

function getOr<T>(map: Map<string, T>, key: string, make: () => T): T {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}
