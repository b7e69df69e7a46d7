// What the database must know of one mirrored resource. `packages/mirror` makes these from its catalogue; the table,
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
  /** The operator defined or changed it: `migrateDatabase` makes what is missing of it, no migration does. */
  isUsers?: boolean;
};

/** Columns of the mirror's own; their names never meet a field of Procore. */
const OWN_COLUMNS = [
  ['_data', 'jsonb'],
  ['_complete', 'boolean'],
  ['_deleted_at', 'timestamptz'],
  ['_hidden_at', 'timestamptz'],
  ['_fetched_at', 'timestamptz'],
  ['_version', 'bigint'],
  ['_event_id', 'text'],
] as const;

/** Every column of the table with its type, in the order of the table. */
export function allColumns(table: MirroredTable): readonly (readonly [name: string, type: ColumnType])[] {
  const { scope, idType, parentKey, columns } = table;
  return [
    ['company_id', 'bigint'],
    ...(scope === 'project' ? [['project_id', 'bigint'] as const] : []),
    ['id', idType],
    ...(parentKey === null ? [] : [[parentKey, idType] as const]),
    ...columns.map(({ name, type }) => [name, type] as const),
    ...OWN_COLUMNS,
  ];
}

/** Columns of the primary key. */
export function keyColumns({ idRepeatsAcrossProjects }: MirroredTable): readonly string[] {
  return idRepeatsAcrossProjects ? ['company_id', 'project_id', 'id'] : ['company_id', 'id'];
}
