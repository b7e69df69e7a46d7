// What people do in the company: records are made, changed, deleted, restored, moved, hidden. Every edit keeps the
// rules of the real thing (a deleted parent takes its children along, a project is never deleted, …) and tells what
// happened.
import { type CataloguedResource, catalogue } from '../catalogue.ts';
import type { Clock } from '../clock.ts';
import { EditError } from '../errors.ts';
import type { Random } from '../random.ts';
import type { Settings } from '../settings.ts';
import { createRecordChanges } from './change-record.ts';
import { createChooser } from './choose-record.ts';
import { activeField } from './list-traits.ts';
import type { Maker } from './make-record.ts';
import { childrenOf, type Fields, type Place, type World, type WorldRecord } from './world.ts';

export type EventKind = 'create' | 'update' | 'delete';
type EditAction = EventKind | 'restore' | 'move' | 'hide' | 'reveal';

/** What is left out is chosen by chance: the scope, the parent, the record, the fields that change. */
export type Edit = {
  resource: string;
  action: EditAction;
  companyId?: string | undefined;
  projectId?: string | undefined;
  parentId?: string | undefined;
  id?: string | undefined;
  /** Where a move leads: to a project or, for a child, to a parent. */
  toProjectId?: string | undefined;
  toParentId?: string | undefined;
  /** Merged into the record. */
  fields?: Fields | undefined;
  /** Keys to leave out of the record from now on. */
  remove?: readonly string[] | undefined;
  /** Change the world, send nothing. */
  silent?: boolean | undefined;
  /** Write awkward values into some fields. */
  awkward?: boolean | undefined;
};

/** Makes the edit and returns the record; throws EditError. */
export type ApplyEdit = (edit: Edit) => WorldRecord;

type Options = {
  world: World;
  maker: Maker;
  clock: Clock;
  random: Random;
  settings: () => Settings;
  /** Told of every change that is not silent and that hooks can hear of. */
  onChange: Tell;
};

/** Tells of the record where it is, or at a place where it was. */
type Tell = (record: WorldRecord, kind: EventKind, place?: Place) => void;

export function createApplyEdit({ world, maker, clock, random, settings, onChange }: Options): ApplyEdit {
  const choose = createChooser({ world, random });
  const { setFields, setDeleted, setHidden, setPlace, arrivalLagOf } = createRecordChanges({ world, clock, settings });
  const acts = { update, delete: remove, restore, move, hide: see, reveal: see };

  return (edit) => {
    const entry = catalogue.find(edit.resource);
    if (entry?.table == null) throw new EditError(`no resource is called "${edit.resource}"`);
    const tell: Tell = (record, kind, place) => {
      if (edit.silent !== true && record.entry.events.includes(kind)) onChange(record, kind, place);
    };
    if (edit.action === 'create') return create(entry, edit, tell);
    const record = choose.record(entry, edit, edit.action === 'restore');
    acts[edit.action](record, edit, tell);
    return record;
  };

  function create(entry: CataloguedResource, edit: Edit, tell: Tell): WorldRecord {
    const site = choose.site(entry, edit);
    const { fields = {}, awkward = false } = edit;
    const lag = arrivalLagOf(entry);
    const record = maker.make(entry, site, { atMs: clock.now(), lag, fields, awkward });
    if (record === null) throw new EditError(`everybody of the company is in project ${site.projectId} already`);
    if (edit.remove !== undefined) record.now = { ...record.now, fields: without(record.now.fields, edit.remove) };
    tell(record, 'create');
    touchParent(record.now.parent, record, tell);
    return record;
  }

  function update(record: WorldRecord, { fields, remove: removed = [], awkward }: Edit, tell: Tell): void {
    if (record.now.deleted) throw new EditError(`${nameOf(record)} is deleted`);
    const invented = fields === undefined && removed.length === 0 ? maker.invent(record, awkward === true) : {};
    const changes = { ...invented, ...fields };
    setFields(record, without({ ...record.now.fields, ...changes }, removed));
    changeTwins(record, changes);
    tell(record, 'update');
    touchParent(record.now.parent, record, tell);
  }

  function remove(record: WorldRecord, _edit: Edit, tell: Tell): void {
    const field = activeField(record.entry.resource);
    if (field !== undefined) {
      throw new EditError(`${nameOf(record)} cannot be deleted, only made inactive: update it with {"${field}":false}`);
    }
    if (record.now.deleted) throw new EditError(`${nameOf(record)} is deleted already`);
    bury(record, record, tell);
    touchParent(record.now.parent, record, tell);
  }

  function bury(record: WorldRecord, root: WorldRecord, tell: Tell): void {
    for (const child of childrenOf(record)) if (!child.now.deleted) bury(child, root, tell);
    record.deletedWith = root;
    setDeleted(record, true);
    tell(record, 'delete');
  }

  function restore(record: WorldRecord, _edit: Edit, tell: Tell): void {
    if (!record.now.deleted) throw new EditError(`${nameOf(record)} is not deleted`);
    if (record.now.parent?.now.deleted === true) throw new EditError(`the parent of ${nameOf(record)} is deleted`);
    revive(record, record.deletedWith, tell);
    touchParent(record.now.parent, record, tell);
  }

  function revive(record: WorldRecord, root: WorldRecord | null, tell: Tell): void {
    record.deletedWith = null;
    setDeleted(record, false);
    tellNews(record, tell);
    for (const child of childrenOf(record)) if (child.deletedWith === root) revive(child, root, tell);
  }

  function see(record: WorldRecord, { action }: Edit): void {
    setHidden(record, action === 'hide');
  }

  function move(record: WorldRecord, edit: Edit, tell: Tell): void {
    if (record.now.deleted) throw new EditError(`${nameOf(record)} is deleted`);
    const from = record.now;
    const to = choose.destination(record, edit);
    const leavesProject = from.projectId !== to.projectId;
    setPlace(record, to, true);
    if (leavesProject && settings().moveSendsDelete) tell(record, 'delete', from);
    tellNews(record, tell);
    if (leavesProject) takeAlong(record, tell);
    for (const parent of [from.parent, to.parent]) touchParent(parent, record, tell);
  }

  /** Children follow their parent into its project; the deleted ones, too, as they come back where their parent is. */
  function takeAlong(parent: WorldRecord, tell: Tell): void {
    for (const child of childrenOf(parent)) {
      const tells = settings().moveTellsChildren && !child.now.deleted;
      setPlace(child, { projectId: parent.now.projectId, parent }, tells);
      if (tells) tellNews(child, tell);
      takeAlong(child, tell);
    }
  }

  /** Procore names no event for a restored or moved record; it is news of it, so an update where there is one. */
  function tellNews(record: WorldRecord, tell: Tell): void {
    tell(record, record.entry.events.includes('update') ? 'update' : 'create');
  }

  /** Whoever repeats the record shows it changed, too; whether that counts as an edit of its own is not documented. */
  function touchParent(parent: WorldRecord | null, { entry }: WorldRecord, tell: Tell): void {
    if (parent === null || parent.now.deleted || entry.parent?.repeatsChild !== true) return;
    if (!settings().parentSendsUpdate) return;
    setFields(parent, parent.now.fields);
    tell(parent, 'update');
  }

  /** The person in the projects is the person of the company. */
  function changeTwins({ companyId, id, entry }: WorldRecord, changes: Fields): void {
    for (const name of entry.alsoChanges) {
      for (const { id: projectId } of world.within('Projects', { companyId })) {
        const twin = world.find(name, { companyId, projectId, id });
        if (twin === undefined || twin.now.deleted) continue;
        const shared = Object.entries(changes).filter(([key]) => key in twin.now.fields);
        setFields(twin, { ...twin.now.fields, ...Object.fromEntries(shared) });
      }
    }
  }
}

function without(fields: Fields, removed: readonly string[]): Fields {
  if (removed.length === 0) return fields;
  return Object.fromEntries(Object.entries(fields).filter(([key]) => !removed.includes(key)));
}

function nameOf({ entry, id }: WorldRecord): string {
  return `${entry.resource} ${id}`;
}
