// The oracle: every record as it is now, whatever the read lag, the permissions and the faults let callers see.
import { isVersion2, wholeFields, withStringIds } from '../api/show-record.ts';
import { type CataloguedResource, catalogue } from '../catalogue.ts';
import { UnknownError } from '../errors.ts';
import { isPermitted, type World, type WorldRecord } from './world.ts';

export type KeyLine = {
  resource: string;
  companyId: string;
  projectId: string | null;
  parentId: string | null;
  id: string;
};

export type WorldLine = KeyLine & {
  deleted: boolean;
  /** Would the service account be shown it, if it is not deleted? */
  visible: boolean;
  updatedAt: unknown;
  /** Show's JSON, digit for digit (the list item's where there is no show, the embedded object where there is neither). */
  text: string;
};

export type WorldFilter = { resource?: string; companyId?: string; projectId?: string; id?: string };

/** The records that fit the filter, in the order they were made; throws UnknownError. */
export function* exportWorld(world: World, { resource, ...wanted }: WorldFilter): Generator<WorldLine> {
  for (const { resource: name } of resource === undefined ? catalogue.mirrored : [named(resource)]) {
    for (const record of world.all(name)) if (isWanted(record, wanted)) yield lineOf(world, record);
  }
}

/** Records of each resource, deleted ones apart. */
export function countWorld(world: World): Record<string, { live: number; deleted: number }> {
  const rows = catalogue.mirrored.map(({ resource }) => {
    const records = world.all(resource);
    const deleted = records.filter(({ now }) => now.deleted).length;
    return [resource, { live: records.length - deleted, deleted }] as const;
  });
  return Object.fromEntries(rows);
}

/** What names a record, as the control writes it. */
export function keyLine({ entry, companyId, id, now: { projectId, parent } }: WorldRecord): KeyLine {
  return { resource: entry.resource, companyId, projectId, parentId: parent?.id ?? null, id };
}

function named(resource: string): CataloguedResource {
  const found = catalogue.find(resource);
  if (found?.table == null) throw new UnknownError(`no resource is called "${resource}"`);
  return found;
}

function isWanted(record: WorldRecord, { companyId, projectId, id }: WorldFilter): boolean {
  return (
    (companyId ?? record.companyId) === record.companyId &&
    (projectId ?? record.now.projectId) === record.now.projectId &&
    (id ?? record.id) === record.id
  );
}

function lineOf(world: World, record: WorldRecord): WorldLine {
  const { entry, now } = record;
  // At the end of time there is no read lag.
  const fields = wholeFields(record, now, Number.POSITIVE_INFINITY);
  return {
    ...keyLine(record),
    deleted: now.deleted,
    visible: !now.hidden && isPermitted(world, record),
    updatedAt: now.fields.updated_at ?? null,
    text: JSON.stringify(isVersion2(entry.show ?? entry.list?.path ?? '') ? withStringIds(fields) : fields),
  };
}
