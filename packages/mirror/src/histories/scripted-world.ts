// A Procore of a few records: what an edit does to them, and the events it sends. What it answers is in
// `world-answers.ts`. Events tell the project where the record is when they are made.
//
// Not every change sends an event of its own: children that are deleted with their parent, come back with it, or move
// with it to another project do so in silence, and so does a parent that repeats a child which it loses. But a child that
// only an answer under way can show, nobody can know of: its parent sends an update then.
import type { CataloguedResource } from '@procore-mirror/catalogue';
import { type Edit, memberOf, PROJECTS } from './command.ts';
import type { Family } from './families.ts';
import { Lags } from './lags.ts';
import { type EventKind, eventOf, type Payload, type WorldEvent } from './world-events.ts';
import type { WorldRecord } from './world-record.ts';

/** What the mirror holds. */
export type Known = {
  /** Ids of records that have a row in the project and under the parent where they are. */
  rows: ReadonlySet<string>;
  /** `project/id` of what is pending. */
  pending: ReadonlySet<string>;
};

export const PARENT_IDS = ['1', '2', '3'] as const;
export const CHILD_IDS = ['11', '12', '13'] as const;
export const GRANDCHILD_IDS = ['111', '112'] as const;

export class ScriptedWorld {
  readonly family: Family;
  readonly companyId: string;
  readonly records: ReadonlyMap<string, WorldRecord>;
  readonly events: WorldEvent[] = [];
  readonly #runsUnderWay = new Set<number>();
  readonly lags = new Lags(this.#runsUnderWay);
  readonly #payload: Payload;

  constructor(family: Family, companyId: string, payload: Payload) {
    this.family = family;
    this.companyId = companyId;
    this.#payload = payload;
    const ids = [...PARENT_IDS, ...CHILD_IDS, ...GRANDCHILD_IDS];
    this.records = new Map(ids.flatMap((id) => unborn(id, family.members[memberOf(id)])));
  }

  /** Makes the edit, if it can be made, and adds its events. */
  edit(edit: Edit, known: Known): void {
    const record = this.records.get(edit.id);
    if (record === undefined) return;
    if (edit.do === 'write') this.#write(record, edit, known);
    else if (edit.do === 'delete') this.#delete(record, edit, known);
    else if (edit.do === 'move') this.#move(record, edit, known);
    else this.#moveChild(record, edit, known);
  }

  /** Numbers of runs grow in the order in which they begin. */
  beginRun(run: number): void {
    this.#runsUnderWay.add(run);
  }

  endRun(run: number): void {
    this.#runsUnderWay.delete(run);
    this.lags.endRun(run);
  }

  /** To be told of each delivery. */
  deliver(event: WorldEvent): void {
    const record = this.records.get(event.recordId);
    if (event.isDelete && !event.isDelivered && record?.projectId === event.projectId) this.#endLag(record);
    event.isDelivered = true;
  }

  parentOf({ parentId }: WorldRecord): WorldRecord | null {
    return parentId === null ? null : (this.records.get(parentId) ?? null);
  }

  childrenOf(parent: WorldRecord, ...lives: readonly WorldRecord['life'][]): WorldRecord[] {
    return [...this.records.values()].filter(({ parentId, life }) => parentId === parent.id && lives.includes(life));
  }

  /** Its children, and theirs. */
  #descendantsOf(parent: WorldRecord, ...lives: readonly WorldRecord['life'][]): WorldRecord[] {
    return this.childrenOf(parent, ...lives).flatMap((child) => [child, ...this.#descendantsOf(child, ...lives)]);
  }

  /** Whether the run, which asks for the record, sees it; it is alive. */
  isThere(record: WorldRecord, run: number): boolean {
    const parent = this.parentOf(record);
    return (parent === null || this.isThere(parent, run)) && this.lags.isThere(record, run);
  }

  #write(record: WorldRecord, edit: Edit & { do: 'write' }, known: Known): void {
    const kind = record.life === 'unborn' ? 'create' : 'update';
    if (!sends(record, kind)) return;
    if (record.life === 'unborn') this.#place(record, edit);
    if (memberOf(record.id) > 0 && this.parentOf(record)?.life !== 'alive') return;
    const isBack = record.life !== 'alive';
    record.life = 'alive';
    record.state += 1;
    if (isBack && edit.isLate) this.#beginLag(record, known);
    this.#tell(record, kind);
    if (!isBack) return;
    for (const child of this.#descendantsOf(record, 'gone with its parent')) {
      child.life = 'alive';
      if (edit.childrenTell) this.#tell(child, 'update');
    }
  }

  #place(record: WorldRecord, { under, projectId }: Edit & { do: 'write' }): void {
    if (memberOf(record.id) === 0) {
      record.projectId = record.entry.scope === 'project' ? projectId : null;
      return;
    }
    const alive = this.#aliveParentsOf(record);
    const parent = alive.find(({ id }) => id === under) ?? alive[0];
    record.parentId = parent?.id ?? null;
    record.projectId = parent?.projectId ?? null;
  }

  #delete(record: WorldRecord, { childrenTell }: Edit & { do: 'delete' }, known: Known): void {
    if (record.life !== 'alive' || !sends(record, 'delete')) return;
    for (const child of this.#descendantsOf(record, 'alive')) {
      child.life = 'gone with its parent';
      this.lags.end(child);
      if (sends(child, 'delete') && (childrenTell || !isInside(child))) this.#tell(child, 'delete');
    }
    record.life = 'deleted';
    this.lags.end(record);
    this.#tell(record, 'delete');
    this.#tellParent(record, known);
  }

  #move(record: WorldRecord, { tellsOldPlace, isLate }: Edit & { do: 'move' }, known: Known): void {
    if (record.life !== 'alive' || record.projectId === null || memberOf(record.id) > 0) return;
    if (tellsOldPlace && sends(record, 'delete')) this.#tell(record, 'delete');
    const projectId = PROJECTS.find((other) => other !== record.projectId) ?? null;
    const along = this.#descendantsOf(record, 'alive', 'deleted', 'gone with its parent');
    for (const each of [record, ...along]) each.projectId = projectId;
    if (isLate) this.#beginLag(record, known);
    this.#tell(record, 'update');
  }

  #moveChild(record: WorldRecord, { under, tellsOldPlace, isLate }: Edit & { do: 'move child' }, known: Known): void {
    const to = this.#aliveParentsOf(record).find(({ id }) => id === under);
    if (record.life !== 'alive' || to === undefined || to.id === record.parentId) return;
    const isFarther = to.projectId !== record.projectId;
    if (isFarther && tellsOldPlace && sends(record, 'delete')) this.#tell(record, 'delete');
    this.#tellParent(record, known);
    record.parentId = to.id;
    const along = this.#descendantsOf(record, 'alive', 'deleted', 'gone with its parent');
    for (const each of [record, ...along]) each.projectId = to.projectId;
    if (isLate) this.#beginLag(record, known);
    this.#tell(record, 'update');
  }

  #aliveParentsOf(child: WorldRecord): WorldRecord[] {
    const member = memberOf(child.id) - 1;
    return [...this.records.values()].filter(({ id, life }) => memberOf(id) === member && life === 'alive');
  }

  /** The parent loses a child which the mirror does not know, unless from an answer that it is about to store. */
  #tellParent(record: WorldRecord, known: Known): void {
    const parent = this.parentOf(record);
    const mayBeShown = this.#runsUnderWay.size > 0 && !known.rows.has(record.id);
    if (parent !== null && mayBeShown && record.entry.parent?.repeatsChild === true) this.#tell(parent, 'update');
  }

  /** A delete event buries what is absent at once, so nothing that one is on its way of can be late. */
  #beginLag(record: WorldRecord, known: Known): void {
    const along = this.#descendantsOf(record, 'alive', 'gone with its parent');
    const isTold = [record, ...along].some((each) => this.#isDeleteOnItsWay(each, known));
    if (!isTold) this.lags.begin(record);
  }

  #isDeleteOnItsWay({ id, projectId }: WorldRecord, { pending }: Known): boolean {
    const deletes = this.events.filter(
      (event) => event.isDelete && event.recordId === id && event.projectId === projectId,
    );
    return deletes.some(({ isDelivered }) => !isDelivered) || (deletes.length > 0 && pending.has(`${projectId}/${id}`));
  }

  #endLag(record: WorldRecord): void {
    this.lags.end(record);
    const parent = this.parentOf(record);
    if (parent !== null) this.lags.end(parent);
  }

  #tell(record: WorldRecord, kind: EventKind): void {
    const head = { number: this.events.length + 1, companyId: this.companyId, payload: this.#payload };
    this.events.push(eventOf(record, { ...head, kind }));
  }
}

function unborn(id: string, entry: CataloguedResource | undefined): [string, WorldRecord][] {
  if (entry === undefined) return [];
  return [[id, { id, entry, state: 0, life: 'unborn', projectId: null, parentId: null }]];
}

function sends({ entry }: WorldRecord, kind: EventKind): boolean {
  return entry.events.includes(kind);
}

function isInside({ entry }: WorldRecord): boolean {
  return (entry.parent?.embeddedAs ?? null) !== null;
}
