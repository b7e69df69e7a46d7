import type { MirroredTable } from './mirrored-table.ts';

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Holds with any setting of `standard_conforming_strings`. */
export function quoteLiteral(value: string): string {
  const quoted = `'${value.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`;
  return value.includes('\\') ? ` E${quoted}` : quoted;
}

export function tableName(table: MirroredTable): string {
  return `procore.${quoteName(table.name)}`;
}
