// What the database must know of one mirrored resource. `packages/catalogue` makes these from its entries; the table,
// its migration and its store statement are made from them.

export type ColumnType = 'bigint' | 'text' | 'boolean' | 'numeric' | 'date' | 'timestamptz' | 'jsonb';

export type MirroredColumn = {
  name: string;
  type: ColumnType;
  /** What is known of the field beyond its name; becomes the column's comment. */
  note?: string | undefined;
};

export type MirroredTable = {
  /** Name in schema `procore`. */
  name: string;
  /** As Procore spells it: `RFIs`. */
  resource: string;
  scope: 'company' | 'project';
  idType: 'bigint' | 'text';
  /** One id can occur in several projects, so the project is part of the primary key. */
  idRepeatsAcrossProjects: boolean;
  /** Column for the id of the parent record, where there is one. */
  parentKey: string | null;
  /** Typed columns besides keys and the mirror's own, each named as Procore names the field. */
  columns: readonly MirroredColumn[];
  /**
   * The resources whose backfill brings all of its records: itself, or the parents that they live in; none where no list can. Itself
   * when left out.
   */
  filledBy?: readonly string[];
  /**
   * What shows that the table holds all there is: its own complete listing where it `compares` whole records, else a fill of it, and of the
   * resources that tell in which lists its records are. None where no list shows all there is, and when left out.
   */
  provedBy?: { compares: boolean; fills: readonly string[]; parents: readonly string[] };
  /** The operator defined or changed it: `migrateDatabase` makes what is missing of it, no migration does. */
  isUsers?: boolean;
};

export type TableColumn = {
  name: string;
  type: ColumnType | 'bytea';
  required: boolean;
  /** What it holds when nothing is said; of booleans only. */
  default: boolean | null;
};

/** Columns of the mirror's own; their names never meet a field of Procore. `meaning` is a comment in the database. */
export const OWN_COLUMNS: readonly (TableColumn & { meaning: string })[] = [
  {
    name: '_data',
    type: 'jsonb',
    default: null,
    required: false,
    meaning: 'The whole record as Procore last sent it; NULL when it was never seen.',
  },
  {
    name: '_complete',
    type: 'boolean',
    default: false,
    required: true,
    meaning:
      "False: what Procore's lists lack is of an earlier fetch, or missing; the rest is as of _fetched_at. True: all of it is.",
  },
  {
    name: '_deleted_at',
    type: 'timestamptz',
    default: null,
    required: false,
    meaning:
      'Since when it is known to be deleted in Procore; NULL: not deleted. The last known state stays in the row.',
  },
  {
    name: '_hidden_at',
    type: 'timestamptz',
    default: null,
    required: false,
    meaning: 'Since when Procore does not show the record to us: deleted, or no permission. NULL: shown.',
  },
  {
    name: '_fetched_at',
    type: 'timestamptz',
    default: null,
    required: false,
    meaning: 'When Procore was last asked for the record and answered.',
  },
  {
    name: '_version',
    type: 'bigint',
    default: null,
    required: true,
    meaning: 'Number of the fetch that this state comes from; a lower one never overwrites a higher one.',
  },
  {
    name: '_event_id',
    type: 'text',
    default: null,
    required: false,
    meaning: 'The newest event (mirror.events) known of the record when it was fetched.',
  },
  {
    name: '_hash',
    type: 'bytea',
    default: null,
    required: false,
    meaning:
      'Fingerprint of _data without what changes by itself: signatures of links to files, and permissions. Rows with the same one have the same content.',
  },
  {
    name: '_changed_at',
    type: 'timestamptz',
    default: null,
    required: false,
    meaning:
      'When the mirror learnt that the content, the place or the absence of the record is another one; NULL: not since the mirror keeps this.',
  },
  {
    name: '_changed_version',
    type: 'bigint',
    default: null,
    required: false,
    meaning: 'The _version that brought that change.',
  },
];

/** Every column of the table, in the order of the table. */
export function allColumns({ scope, idType, parentKey, columns }: MirroredTable): readonly TableColumn[] {
  const key = (name: string, type: ColumnType) => ({ name, type, required: true, default: null });
  const field = (name: string, type: ColumnType) => ({ name, type, required: false, default: null });
  return [
    key('company_id', 'bigint'),
    ...(scope === 'project' ? [key('project_id', 'bigint')] : []),
    key('id', idType),
    ...(parentKey === null ? [] : [field(parentKey, idType)]),
    ...columns.map(({ name, type }) => field(name, type)),
    ...OWN_COLUMNS,
  ];
}

/** Columns of the primary key. */
export function keyColumns({ idRepeatsAcrossProjects }: MirroredTable): readonly string[] {
  return idRepeatsAcrossProjects ? ['company_id', 'project_id', 'id'] : ['company_id', 'id'];
}
