// Procore adds fields at any time, and stops sending others. A look at a few stored records now and then tells, without
// a part in storing them.
import {
  type Database,
  type Drift,
  type MirroredTable,
  noteDrift,
  type RecordKey,
  sampleFields,
} from '@procore-mirror/database';

export type DriftWatchOptions = {
  database: Database;
  /** Told once of each field, whichever process sees it first. */
  onNew: (resource: string, drift: Drift) => void;
  onError: (error: unknown) => void;
  /** How often a resource is looked at, ms; default ten minutes. */
  everyMs?: number;
  now?: () => number;
};

export type DriftWatch = {
  /** Records of the table that were just stored whole. Mostly only notes their ids; never throws. */
  see: (table: MirroredTable, companyId: string, ids: readonly string[]) => Promise<void>;
};

type Watched = { waiting: RecordKey[]; lookAt: number; absentInARow: Map<string, number> };

const RECORDS_PER_LOOK = 50;
/** A field that so many records in a row did not have has vanished. */
const ABSENT_IN_A_ROW = 20;

/** Watches what fields records have, resource by resource, and notes in `mirror.schema_drift` what is new. */
export function createDriftWatch(options: DriftWatchOptions): DriftWatch {
  const { database, onNew, onError, everyMs = 10 * 60_000, now = Date.now } = options;
  const watched = new Map<string, Watched>();

  async function look(table: MirroredTable, records: readonly RecordKey[], absentInARow: Map<string, number>) {
    const sample = await sampleFields(database.pool, table, records);
    const drifts = [...unknownFields(table, sample.fields), ...vanishedFields(table, sample, absentInARow)];
    for (const drift of await noteDrift(database, table.resource, drifts)) onNew(table.resource, drift);
  }

  return {
    see: async (table, companyId, ids) => {
      // Nobody has written down the fields of a resource without typed columns, so none of them is news.
      if (table.columns.length === 0 || ids.length === 0) return;
      const state: Watched = watched.get(table.name) ?? { waiting: [], lookAt: 0, absentInARow: new Map() };
      watched.set(table.name, state);
      const room = RECORDS_PER_LOOK - state.waiting.length;
      state.waiting.push(...ids.slice(0, room).map((id) => ({ companyId, id })));
      if (now() < state.lookAt) return;
      state.lookAt = now() + everyMs;
      await look(table, state.waiting.splice(0), state.absentInARow).catch(onError);
    },
  };
}

type Sample = Awaited<ReturnType<typeof sampleFields>>;

function unknownFields(table: MirroredTable, fields: Sample['fields']): Drift[] {
  const known = new Set(['id', 'company_id', 'project_id', table.parentKey, ...table.columns.map(({ name }) => name)]);
  return fields
    .filter(({ field }) => !known.has(field))
    .map(({ field, records, jsonType, recordId }) => ({
      ...{ field, kind: 'unknown' as const, jsonType, count: records, exampleRecordId: recordId },
    }));
}

/** Counts on from the looks before. A field that came once starts again at none. */
function vanishedFields(table: MirroredTable, { records, fields }: Sample, absentInARow: Map<string, number>): Drift[] {
  const present = new Set(fields.map(({ field }) => field));
  const exampleRecordId = fields[0]?.recordId ?? '';
  return table.columns.flatMap(({ name, note }) => {
    if (records === 0 || note?.includes('only on deleted records') === true) return [];
    const before = absentInARow.get(name) ?? 0;
    const absent = present.has(name) ? 0 : before + records;
    absentInARow.set(name, absent);
    if (absent < ABSENT_IN_A_ROW) return [];
    const count = before < ABSENT_IN_A_ROW ? absent : records;
    return [{ field: name, kind: 'vanished' as const, jsonType: null, count, exampleRecordId }];
  });
}
