// Finds what an edit is about: named by its ids, or by chance where they are left out.
import { type CataloguedResource, catalogue, parentsOf } from './catalogue.ts';
import { EditError } from './errors.ts';
import type { Place } from './make-record.ts';
import type { Random } from './random.ts';
import type { RecordKey, World, WorldRecord } from './world.ts';

type Maybe<K extends string> = { [key in K]?: string | undefined };

export type Chooser = {
  /** Where a new record goes; throws EditError when there is no such place. */
  place: (resource: CataloguedResource, asked: Maybe<'companyId' | 'projectId' | 'parentId' | 'id'>) => Place;
  /** The record; by chance one that is `deleted` or not, as asked. Throws EditError when there is none. */
  record: (
    resource: CataloguedResource,
    asked: Maybe<'companyId' | 'projectId' | 'id'>,
    deleted: boolean,
  ) => WorldRecord;
};

export function createChooser({ world, random }: { world: World; random: Random }): Chooser {
  return { place, record };

  function place(resource: CataloguedResource, asked: Parameters<Chooser['place']>[1]): Place {
    const companyId = asked.companyId ?? random.pick([...world.companies.keys()]);
    if (!world.companies.has(companyId)) throw new EditError(`there is no company ${companyId}`);
    const { projectId } = asked;
    const id = asked.id === undefined ? {} : { id: asked.id };
    const kinds = parentsOf(resource);
    if (kinds.length > 0) {
      const parent = parentAmong(kinds, { companyId, projectId, id: asked.parentId });
      return { companyId, projectId: parent.projectId, parent, ...id };
    }
    if (resource.scope === 'company') return { companyId, projectId: null, parent: null, ...id };
    const project = record(catalogue.get('Projects'), { companyId, id: projectId }, false);
    return { companyId, projectId: project.id, parent: null, ...id };
  }

  /** The parent asked for, or one by chance, of any of the kinds that it may be of; the first choice is by chance. */
  function parentAmong(kinds: readonly CataloguedResource[], asked: Parameters<Chooser['record']>[1]): WorldRecord {
    const first = random.between(0, kinds.length - 1);
    const inTurn = [...kinds.slice(first), ...kinds.slice(0, first)];
    let failure: unknown;
    for (const kind of inTurn) {
      try {
        return record(kind, asked, false);
      } catch (error) {
        if (!(error instanceof EditError)) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  function record(
    resource: CataloguedResource,
    asked: Parameters<Chooser['record']>[1],
    deleted: boolean,
  ): WorldRecord {
    const projectId = resource.scope === 'company' ? undefined : asked.projectId;
    if (asked.id !== undefined) return named(resource, { ...asked, projectId, id: asked.id });
    const records =
      asked.companyId === undefined
        ? world.all(resource.resource)
        : world.within(resource.resource, { companyId: asked.companyId, projectId: projectId ?? null });
    const found = byChance(
      records,
      (one) => one.now.deleted === deleted && (projectId === undefined || one.projectId === projectId),
    );
    if (found === undefined) throw new EditError(`${resource.resource} have no such record`);
    return found;
  }

  type Named = Maybe<'companyId' | 'projectId'> & { id: string };

  function named(resource: CataloguedResource, asked: Named): WorldRecord {
    const found = keysOf(resource, asked)
      .map((key) => world.find(resource.resource, key))
      .find((one) => one !== undefined && (asked.projectId ?? one.projectId) === one.projectId);
    if (found === undefined) throw new EditError(`${resource.resource} have no record ${asked.id} there`);
    return found;
  }

  /** Everywhere the record may be: usually one place, as ids are unique in a company. */
  function keysOf(resource: CataloguedResource, { companyId: asked, projectId, id }: Named): RecordKey[] {
    const companies = asked === undefined ? [...world.companies.keys()] : [asked];
    return companies.flatMap((companyId) => {
      if (!resource.idRepeatsAcrossProjects || projectId !== undefined) {
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
