// What fits a column, by the text of the JSON value: what matches a pattern and can be cast. Postgres' own casts take
// `tomorrow`, `NaN`, `0x1F` and `yes`, too.
import type { ColumnType, MirroredTable } from './mirrored-table.ts';

/**
 * `strict`: a value that does not fit fails the statement; fast. `lenient`: it becomes NULL and is counted; slow,
 * because Postgres 15 can try a cast only in a subtransaction of its own.
 */
export type StoreMode = 'strict' | 'lenient';

type Kind = {
  type: ColumnType;
  /** SQL condition that every text that fits meets. */
  matches: (text: string) => string;
  /**
   * SQL condition that text meets when it is what Postgres itself writes for its value, so that it matches for certain.
   * Takes a tenth of the time of a regular expression. Fails the statement when there is no such value.
   */
  isCanonical: ((text: string) => string) | null;
};

const KINDS = {
  bigint: {
    type: 'bigint',
    matches: (text) => `${text} ~ '^-?[0-9]+$'`,
    isCanonical: (text) => `${text}::bigint::text = ${text}`,
  },
  numeric: {
    type: 'numeric',
    matches: (text) => `${text} ~ '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,6})?$'`,
    isCanonical: (text) => `${text}::numeric::text = ${text} and ${text} not in ('NaN', 'Infinity', '-Infinity')`,
  },
  boolean: {
    type: 'boolean',
    matches: (text) => `${text} in ('true', 'false')`,
    isCanonical: null,
  },
  date: {
    type: 'date',
    matches: (text) => `${text} ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'`,
    isCanonical: (text) => `length(${text}) = 10 and ${text}::date::text = ${text}`,
  },
  timestamptz: {
    type: 'timestamptz',
    matches: (text) =>
      `${text} ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?( ?([Zz]|[+-][0-9]{2}(:?[0-9]{2})?))?)?$'`,
    // Procore's 2026-03-01T10:20:30Z is Postgres' 2026-03-01 10:20:30+00.
    isCanonical: (text) =>
      `${text} like '____-%' and replace(left(${text}::timestamptz::text, -3), ' ', 'T') || 'Z' = ${text}`,
  },
  'bigint id': {
    type: 'bigint',
    matches: (text) => `${text} ~ '^(0|[1-9][0-9]*)$'`,
    isCanonical: (text) => `${text}::bigint::text = ${text} and ${text}::bigint >= 0`,
  },
  'text id': {
    type: 'text',
    matches: (text) => `(${text} ~ '^[0-9A-Za-z_-]+$' and length(${text}) <= 64)`,
    isCanonical: null,
  },
} as const satisfies Record<string, Kind>;

/** SQL expression: the value of this text in a column. `text` is an expression that may be repeated. */
export function fitText(text: string, kind: keyof typeof KINDS, mode: StoreMode): string {
  const { type, matches, isCanonical } = KINDS[kind];
  if (mode === 'lenient') return castOrNull(`case when ${matches(text)} then ${text} end`, type);
  const canonical = isCanonical === null ? '' : `when ${isCanonical(text)} then ${text}`;
  // The bigint is none for certain, so it fails the statement.
  return `(case ${canonical} when ${matches(text)} then ${text} else ('unfit: ' || ${text})::bigint::text end)::${type}`;
}

/** SQL expression: the id that this text is, or NULL, in either mode. */
export function idOrNull(text: string, { idType }: MirroredTable, mode: StoreMode): string {
  const matching = `case when ${KINDS[`${idType} id`].matches(text)} then ${text} end`;
  return mode === 'strict' ? `(${matching})::${idType}` : castOrNull(matching, idType);
}

function castOrNull(text: string, type: ColumnType): string {
  // What matches these needs no second look.
  if (type === 'boolean' || type === 'text') return `(${text})::${type}`;
  return `mirror.${type}_or_null(${text})`;
}
