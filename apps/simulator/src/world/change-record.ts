// How a record gets a new state: at once in the world, and for reads when the lag is over.
import type { CataloguedResource } from '../catalogue.ts';
import { type Clock, wholeSeconds } from '../clock.ts';
import type { Settings } from '../settings.ts';
import { columnsFor, placedFields } from './build-record.ts';
import { changeState, type Fields, type Lag, type Place, type State, type World, type WorldRecord } from './world.ts';

export type RecordChanges = {
  setFields: (record: WorldRecord, fields: Fields) => void;
  setDeleted: (record: WorldRecord, deleted: boolean) => void;
  setHidden: (record: WorldRecord, hidden: boolean) => void;
  /** Moves the record alone; `updated_at` changes only where the move counts as an edit of it. */
  setPlace: (record: WorldRecord, place: Place, isEdit: boolean) => void;
  /** The lag of a record that arrives somewhere: made, restored, or moved there. */
  arrivalLagOf: (entry: CataloguedResource) => Lag;
};

type Options = { world: World; clock: Clock; settings: () => Settings };

export function createRecordChanges({ world, clock, settings }: Options): RecordChanges {
  return {
    setFields: (record, fields) => change(record, { fields: updated(fields) }),
    setDeleted,
    setHidden: (record, hidden) => change(record, { hidden }),
    setPlace,
    arrivalLagOf,
  };

  function setDeleted(record: WorldRecord, deleted: boolean): void {
    const marks = { deleted, deleted_at: deleted ? wholeSeconds(clock.now()) : null, in_recycle_bin: deleted };
    const names = new Set(columnsFor(record.entry).map(({ name }) => name));
    const own = Object.entries(marks).filter(([key]) => names.has(key));
    const fields = updated({ ...record.now.fields, ...Object.fromEntries(own) });
    change(record, { fields, deleted }, deleted ? editLagOf(record.entry) : arrivalLagOf(record.entry));
  }

  function setPlace(record: WorldRecord, { projectId, parent }: Place, isEdit: boolean): void {
    const { entry, companyId, now } = record;
    const fields = { ...now.fields, ...placedFields(entry, { companyId, projectId, parent }, now.fields) };
    change(record, { projectId, parent, fields: isEdit ? updated(fields) : fields }, arrivalLagOf(entry));
    world.refile(record);
  }

  function updated(fields: Fields): Fields {
    return 'updated_at' in fields ? { ...fields, updated_at: wholeSeconds(clock.now()) } : fields;
  }

  function change(record: WorldRecord, changes: Partial<State>, lag = editLagOf(record.entry)): void {
    changeState(record, { ...record.now, ...changes }, clock.now(), lag);
  }

  /** Where it was it is seen no longer than any old state; where it arrives it may be missing longer than that. */
  function arrivalLagOf(entry: CataloguedResource): Lag {
    const { oldMs } = editLagOf(entry);
    const absentMs = settings().createLagMs ?? oldMs;
    return { oldMs: Math.min(oldMs, absentMs), absentMs };
  }

  function editLagOf({ resource }: CataloguedResource): Lag {
    return { oldMs: settings().readLagMsOf[resource] ?? settings().readLagMs, absentMs: 0 };
  }
}
