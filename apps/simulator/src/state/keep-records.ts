// Records as lines of the state file. What a read lag still hides is not kept: reads begin with what is.
import { catalogue } from '../catalogue.ts';
import type { World, WorldRecord } from '../world/world.ts';
import type { KeptRecord } from './state-file.ts';

/** Every record, as it is now. */
export function keepRecords(world: World): KeptRecord[] {
  const records = catalogue.mirrored.flatMap(({ resource }) => world.all(resource));
  const lineOf = new Map(records.map((record, line) => [record, line]));
  const numberOf = (record: WorldRecord | null): number | null =>
    record === null ? null : (lineOf.get(record) ?? null);
  return records.map(({ entry, companyId, id, now, deletedWith, children }) => ({
    resource: entry.resource,
    companyId,
    projectId: now.projectId,
    id,
    fields: now.fields,
    deleted: now.deleted,
    hidden: now.hidden,
    parent: numberOf(now.parent),
    deletedWith: numberOf(deletedWith),
    children: children.map((child) => numberOf(child)).filter((line) => line !== null),
  }));
}

/** Puts them into an empty world. Throws where one is of a resource, or leads to a record, that is not there. */
export function restoreRecords(world: World, lines: readonly KeptRecord[]): void {
  const records = lines.map(recordOf);
  const recordAt = (line: number): WorldRecord => {
    const found = records[line];
    if (found === undefined) throw new Error(`it has no record ${line}`);
    return found;
  };
  for (const [line, { parent, deletedWith }] of lines.entries()) {
    const record = recordAt(line);
    if (parent !== null) record.now = { ...record.now, parent: recordAt(parent) };
    if (deletedWith !== null) record.deletedWith = recordAt(deletedWith);
    world.add(record);
  }
  // In their order, which parents show, and with those that they had.
  for (const [line, { children }] of lines.entries()) {
    const known = recordAt(line).children;
    known.length = 0;
    for (const child of children) known.push(recordAt(child));
  }
}

function recordOf({ resource, companyId, projectId, id, fields, deleted, hidden }: KeptRecord): WorldRecord {
  const entry = catalogue.find(resource);
  if (entry?.table == null) throw new Error(`it has records of "${resource}", which this version does not know`);
  const now = { projectId, parent: null, fields, deleted, hidden };
  return { entry, companyId, id, children: [], now, past: [], deletedWith: null };
}
