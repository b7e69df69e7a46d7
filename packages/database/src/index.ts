export type { ColumnType, MirroredColumn, MirroredTable } from './mirrored-table.ts';
