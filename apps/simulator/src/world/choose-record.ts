// Finds what an edit is about: named by its ids, or by chance where they are left out.
import { type CataloguedResource, catalogue, parentsOf } from '../catalogue.ts';
import { EditError } from '../errors.ts';
import type { Random } from '../random.ts';
import type { Site } from './make-record.ts';
import type { Place, RecordKey, World, WorldRecord } from './world.ts';

type Maybe<K extends string> = { [key in K]?: string | undefined };
type Asked = Maybe<'companyId' | 'projectId' | 'id'>;
type Destination = Maybe<'toProjectId' | 'toParentId'>;

export type Chooser = {
  /** Where a new record goes; throws EditError when there is no such place. */
  site: (entry: CataloguedResource, asked: Maybe<'companyId' | 'projectId' | 'parentId' | 'id'>) => Site;
  /** The record; by chance one that is `deleted` or not, as asked. Throws EditError when there is none. */
  record: (entry: CataloguedResource, asked: Asked, deleted: boolean) => WorldRecord;
  /** Where a record moves to: another parent of its project or, without parents, another project; throws EditError. */
  destination: (record: WorldRecord, asked: Destination) => Place;
};

/** Are there other places for records of this resource? */
export function canMove(entry: CataloguedResource): boolean {
  return parentsOf(entry).length > 0 || (entry.scope === 'project' && !entry.idRepeatsAcrossProjects);
}

type Wanted = (record: WorldRecord) => boolean;
const isAlive: Wanted = ({ now }) => !now.deleted;

export function createChooser({ world, random }: { world: World; random: Random }): Chooser {
  return {
    site,
    record: (entry, asked, deleted) => find(entry, asked, ({ now }) => now.deleted === deleted),
    destination,
  };

  function site(entry: CataloguedResource, asked: Parameters<Chooser['site']>[1]): Site {
    const companyId = asked.companyId ?? random.pick([...world.companies.keys()]);
    if (!world.companies.has(companyId)) throw new EditError(`there is no company ${companyId}`);
    const { projectId } = asked;
    const id = asked.id === undefined ? {} : { id: asked.id };
    const kinds = parentsOf(entry);
    if (kinds.length > 0) {
      const parent = parentAmong(kinds, { companyId, projectId, id: asked.parentId }, isAlive);
      return { companyId, projectId: parent.now.projectId, parent, ...id };
    }
    if (entry.scope === 'company') return { companyId, projectId: null, parent: null, ...id };
    const project = find(catalogue.get('Projects'), { companyId, id: projectId }, isAlive);
    return { companyId, projectId: project.id, parent: null, ...id };
  }

  function destination(record: WorldRecord, asked: Destination): Place {
    const { entry } = record;
    if (!canMove(entry)) throw new EditError(`${entry.resource} cannot move`);
    return parentsOf(entry).length === 0 ? otherProject(record, asked) : otherParent(record, asked);
  }

  function otherProject({ entry, companyId, now }: WorldRecord, { toProjectId, toParentId }: Destination): Place {
    if (toParentId !== undefined) throw new EditError(`${entry.resource} have no parent`);
    const isOther: Wanted = ({ id }) => id !== now.projectId;
    const project = find(catalogue.get('Projects'), { companyId, id: toProjectId }, isOther);
    if (!isOther(project)) throw new EditError(`the record is in project ${project.id} already`);
    return { projectId: project.id, parent: null };
  }

  function otherParent({ entry, companyId, now }: WorldRecord, { toProjectId, toParentId }: Destination): Place {
    const { projectId } = now;
    if ((toProjectId ?? projectId) !== projectId) {
      throw new EditError(`${entry.resource} stay in the project of their parent`);
    }
    const isOther: Wanted = (one) => isAlive(one) && one !== now.parent;
    const asked = { companyId, projectId: projectId ?? undefined, id: toParentId };
    const parent = parentAmong(parentsOf(entry), asked, isOther);
    if (!isOther(parent)) throw new EditError(`${parent.id} is the record's parent already, or deleted`);
    return { projectId, parent };
  }

  /** The parent asked for, or one by chance, of any of the kinds that it may be of; the first choice is by chance. */
  function parentAmong(kinds: readonly CataloguedResource[], asked: Asked, wanted: Wanted): WorldRecord {
    const first = random.between(0, kinds.length - 1);
    const inTurn = [...kinds.slice(first), ...kinds.slice(0, first)];
    let failure: unknown;
    for (const kind of inTurn) {
      try {
        return find(kind, asked, wanted);
      } catch (error) {
        if (!(error instanceof EditError)) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  /** The record asked for, whatever its state, or one of those wanted. */
  function find(entry: CataloguedResource, asked: Asked, wanted: Wanted): WorldRecord {
    const projectId = entry.scope === 'company' ? undefined : asked.projectId;
    if (asked.id !== undefined) return named(entry, { ...asked, projectId, id: asked.id });
    const records =
      asked.companyId === undefined
        ? world.all(entry.resource)
        : world.within(entry.resource, { companyId: asked.companyId, projectId: projectId ?? null });
    const found = byChance(
      records,
      (one) => wanted(one) && (projectId === undefined || one.now.projectId === projectId),
    );
    if (found === undefined) throw new EditError(`${entry.resource} have no such record`);
    return found;
  }

  type Named = Maybe<'companyId' | 'projectId'> & { id: string };

  function named(entry: CataloguedResource, asked: Named): WorldRecord {
    const found = keysOf(entry, asked)
      .map((key) => world.find(entry.resource, key))
      .find((one) => one !== undefined && (asked.projectId ?? one.now.projectId) === one.now.projectId);
    if (found === undefined) throw new EditError(`${entry.resource} have no record ${asked.id} there`);
    return found;
  }

  /** Everywhere the record may be: usually one place, as ids are unique in a company. */
  function keysOf(entry: CataloguedResource, { companyId: asked, projectId, id }: Named): RecordKey[] {
    const companies = asked === undefined ? [...world.companies.keys()] : [asked];
    return companies.flatMap((companyId) => {
      if (!entry.idRepeatsAcrossProjects || projectId !== undefined) {
        return [{ companyId, projectId: projectId ?? null, id }];
      }
      return world.within('Projects', { companyId }).map((project) => ({ companyId, projectId: project.id, id }));
    });
  }

  /** Looks through all of them only when chance does not find one soon. */
  function byChance(
    records: readonly WorldRecord[],
    wanted: (record: WorldRecord) => boolean,
  ): WorldRecord | undefined {
    for (let tries = 0; tries < 20 && records.length > 0; tries++) {
      const one = random.pick(records);
      if (wanted(one)) return one;
    }
    const all = records.filter(wanted);
    return all.length === 0 ? undefined : random.pick(all);
  }
}
