// Records as Procore's lists send them: each field of the catalogue with a believable value, and one it does not know.
import type { ColumnType, MirroredTable } from '@procore-mirror/database';

export type Inside = { table: MirroredTable; field: string; each: number };

/** A record of this table with this id, one field in five null, with its children inside. */
export function makeRecord(table: MirroredTable, id: number, inside: Inside | null = null): Record<string, unknown> {
  const fields = table.columns.map(({ name, type }, index) => {
    const n = id + index;
    return [name, n % 5 === 0 ? null : VALUES[type](n)];
  });
  const record = { id, ...Object.fromEntries(fields), field_of_next_year: { since: 2027 } };
  if (inside === null) return record;
  const { field, table: kind, each } = inside;
  return { ...record, [field]: Array.from({ length: each }, (_, index) => makeRecord(kind, id * 10 + index)) };
}

const twoDigits = (n: number) => String(n).padStart(2, '0');
const date = (n: number) => `2026-${twoDigits(1 + (n % 12))}-${twoDigits(1 + (n % 28))}`;
const person = (n: number) => ({ id: 598134325000000 + n, login: `person${n}@example.com`, name: `Person ${n}` });

const VALUES: Record<ColumnType, (n: number) => unknown> = {
  bigint: (n) => 562949953000000 + n,
  numeric: (n) => `${n % 90000}.${twoDigits(n % 100)}`,
  boolean: (n) => n % 2 === 0,
  date,
  timestamptz: (n) => `${date(n)}T${twoDigits(n % 24)}:${twoDigits(n % 60)}:${twoDigits(n % 59)}Z`,
  text: (n) => `As built on level ${n % 40}, see detail ${n}`,
  jsonb: (n) => (n % 3 === 0 ? [person(n % 400), person(n % 399)] : person(n % 400)),
};
