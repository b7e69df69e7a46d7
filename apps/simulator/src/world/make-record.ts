// Makes records with believable fields and puts them into the world.
import { type CataloguedResource, catalogue } from '../catalogue.ts';
import type { Clock } from '../clock.ts';
import { EditError } from '../errors.ts';
import type { Ids } from '../ids.ts';
import type { Random } from '../random.ts';
import { buildFields, columnsFor, editableColumns } from './build-record.ts';
import { awkwardValue, fieldValue, type Person, type Surroundings } from './field-value.ts';
import { changeState, type Fields, type Lag, type Place, type World, type WorldRecord } from './world.ts';

/** Where a new record goes, and the id it is to have. */
export type Site = Place & { companyId: string; id?: string };

export type Maker = {
  /**
   * A new record, as made at `atMs`; reads see it when the lag is over. Null when it would be a person's place in a project
   * and there is nobody left to place. Throws EditError when the id is taken.
   */
  make: (
    entry: CataloguedResource,
    site: Site,
    options: { atMs: number; lag: Lag; fields?: Fields; awkward?: boolean },
  ) => WorldRecord | null;
  /** New values for some fields of the record, odd ones on request. */
  invent: (record: WorldRecord, awkward: boolean) => Fields;
};

type Options = { world: World; clock: Clock; random: Random; ids: Ids };

export function createMaker({ world, clock, random, ids }: Options): Maker {
  return { make, invent };

  function make(entry: CataloguedResource, site: Site, options: Parameters<Maker['make']>[2]): WorldRecord | null {
    const original = originalOf(entry, site);
    if (original === null) return null;
    const { companyId, projectId, parent } = site;
    const id = site.id ?? original?.id ?? ids.record(entry.idType);
    const around = { ...surroundings(entry, site), nowMs: options.atMs };
    const now = {
      projectId,
      parent,
      fields: {
        ...buildFields(entry, { companyId, projectId, parent, id }, around),
        ...sharedFields(original, entry),
        ...(options.awkward === true && awkwardFields(entry, around)),
        ...options.fields,
      },
      deleted: false,
      hidden: false,
    };
    const existing = world.find(entry.resource, { companyId, projectId, id });
    if (existing !== undefined) return comeBack(existing, now, options.lag);
    const past = options.lag.absentMs > 0 ? [{ state: null, until: clock.now() + options.lag.absentMs }] : [];
    const record: WorldRecord = { entry, companyId, id, children: [], now, past, deletedWith: null };
    world.add(record);
    return record;
  }

  /** Somebody who was taken out of a project may be put into it again. */
  function comeBack(record: WorldRecord, state: WorldRecord['now'], lag: Lag): WorldRecord {
    if (!record.now.deleted) throw new EditError(`${record.entry.resource} ${record.id} exists already`);
    record.deletedWith = null;
    changeState(record, state, clock.now(), lag);
    return record;
  }

  function invent(record: WorldRecord, awkward: boolean): Fields {
    const columns = editableColumns(record.entry);
    const { projectId } = record.now;
    const around = surroundings(record.entry, { companyId: record.companyId, projectId });
    const count = columns.length === 0 ? 0 : random.between(1, 3);
    const fields: Record<string, unknown> = {};
    for (let each = 0; each < count; each++) {
      const column = random.pick(columns);
      fields[column.name] = (awkward ? awkwardValue : fieldValue)(column, around);
    }
    return awkward ? { ...fields, [`unknown_key_${random.between(1, 9)}`]: { since: 2026 } } : fields;
  }

  function awkwardFields(entry: CataloguedResource, around: Surroundings): Fields {
    const columns = editableColumns(entry).filter(() => random.chance(0.4));
    const values = columns.map((column) => [column.name, awkwardValue(column, around)] as const);
    return { ...Object.fromEntries(values), unknown_key: ['not in any catalogue'] };
  }

  /** The company's person or firm that this record places in a project; undefined where there is no such thing. */
  function originalOf(entry: CataloguedResource, { companyId, projectId, id }: Site): WorldRecord | null | undefined {
    const source = catalogue.mirrored.find(({ alsoChanges }) => alsoChanges.includes(entry.resource));
    if (source === undefined) return undefined;
    if (id !== undefined) return world.find(source.resource, { companyId, projectId: null, id });
    const free = world.within(source.resource, { companyId }).filter((original) => {
      const placed = world.find(entry.resource, { companyId, projectId, id: original.id });
      return original.now.fields.is_active === true && (placed === undefined || placed.now.deleted);
    });
    return free.length === 0 ? null : random.pick(free);
  }

  function sharedFields(original: WorldRecord | undefined, entry: CataloguedResource): Fields {
    if (original === undefined) return {};
    const names = new Set(columnsFor(entry).map(({ name }) => name));
    return Object.fromEntries(Object.entries(original.now.fields).filter(([key]) => names.has(key)));
  }

  function surroundings(
    entry: CataloguedResource,
    { companyId, projectId }: Pick<Site, 'companyId' | 'projectId'>,
  ): Surroundings {
    const person = (): Person => {
      const users = world.within('Company Users', { companyId });
      if (users.length === 0) return { id: '598134325000001', name: 'Sam Doe', login: 'sam@example.com' };
      const { id, now } = random.pick(users);
      return { id, name: String(now.fields.name), login: String(now.fields.email_address) };
    };
    return { random, nowMs: clock.now(), resource: entry.resource, projectId, newId: ids.next, person };
  }
}
