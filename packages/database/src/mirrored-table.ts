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
};

/** Columns of the primary key. */
export function keyColumns({ idRepeatsAcrossProjects }: MirroredTable): readonly string[] {
  return idRepeatsAcrossProjects ? ['company_id', 'project_id', 'id'] : ['company_id', 'id'];
}
