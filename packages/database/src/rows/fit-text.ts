// What fits a column, by the text of the JSON value. Postgres' own casts take `tomorrow`, `NaN`, `0x1F` and `yes`, too, and
// one value that they refuse fails the whole statement. So a plain cast is given only what is sure to pass it. All else has
// to match a pattern and meets a cast that gives NULL, at ten times the cost: Postgres 15 can try a cast only in a
// subtransaction of its own.
import type { ColumnType, MirroredTable } from '../schema/mirrored-table.ts';

type Kind = {
  /**
   * SQL condition: this text fits for certain and a plain cast takes it. Holds for nearly all that Procore sends, has to be
   * quick, and must not fail whatever the text is. Each is about as quick as the cast itself.
   */
  isSure: (text: string) => string;
  /** SQL expression for all other text: its value, or NULL when it does not fit. */
  orNull: (text: string) => string;
};

const numbered = (count: number, before: string, after: string): string[] =>
  Array.from({ length: count }, (_, number) => `${before}${String(number).padStart(2, '0')}${after}`);

const LISTS = {
  year: Array.from({ length: 100 }, (_, number) => `${1970 + number}-`),
  /** Those that every year has. */
  day: Array.from({ length: 365 }, (_, day) => new Date(Date.UTC(2026, 0, 1 + day)).toISOString().slice(5, 10)),
  hour: numbered(24, 'T', ':'),
  minute: numbered(60, '', ':'),
  second: numbered(60, '', 'Z'),
};

/**
 * What dates and times consist of: parameter 7 of a statement that fits texts. Postgres looks a text up in a list faster
 * than it matches a pattern, and a list that is no parameter takes longer to plan than to use.
 */
export const PARTS_OF_TIME: readonly string[] = Object.values(LISTS).flat();

function isPart(text: string, kind: keyof typeof LISTS): string {
  const before = Object.entries(LISTS).slice(0, Object.keys(LISTS).indexOf(kind));
  const from = before.reduce((sum, [, { length }]) => sum + length, 1);
  return `${text} = any (($7::text[])[${from}:${from + LISTS[kind].length - 1}])`;
}

const DAY = '[0-9]{4}-[0-9]{2}-[0-9]{2}';
const NUMBER = '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,6})?$';
const matching = (text: string, pattern: string): string => `case when ${text} ~ '${pattern}' then ${text} end`;

const KINDS: Record<Exclude<ColumnType, 'text' | 'jsonb'> | 'bigint id', Kind> = {
  bigint: {
    isSure: (text) => `length(${text}) between 1 and 18 and ${text} !~ '[^0-9]'`,
    // 50.0 and 5e1 are 50.
    orNull: (text) => `mirror.bigint_or_null(${matching(text, NUMBER)})`,
  },
  numeric: {
    isSure: (text) => `length(${text}) <= 100 and ${text} ~ '^-?[0-9]+[.]?[0-9]*$'`,
    orNull: (text) => `mirror.numeric_or_null(${matching(text, NUMBER)})`,
  },
  boolean: {
    isSure: (text) => `${text} in ('true', 'false')`,
    orNull: () => 'null',
  },
  date: {
    isSure: (text) => `${isPart(`left(${text}, 5)`, 'year')} and ${isPart(`substr(${text}, 6)`, 'day')}`,
    // A midnight of UTC, or of no zone, says no more than its day does. Of any other moment the day may be another one.
    orNull: (text) =>
      `mirror.date_or_null(left(${matching(text, `^${DAY}([Tt ]00:00(:00([.]0+)?)?( ?([Zz]|UTC|[+-]00(:?00)?))?)?$`)}, 10))`,
  },
  timestamptz: {
    isSure: (text) =>
      [
        isPart(`left(${text}, 5)`, 'year'),
        isPart(`substr(${text}, 6, 5)`, 'day'),
        isPart(`substr(${text}, 11, 4)`, 'hour'),
        isPart(`substr(${text}, 15, 3)`, 'minute'),
        `(${isPart(`substr(${text}, 18)`, 'second')} or length(${text}) <= 27 and substr(${text}, 18) ~ '^[0-5][0-9][.][0-9]+Z$')`,
      ].join(' and '),
    orNull: (text) =>
      `mirror.timestamptz_or_null(${matching(text, `^${DAY}([Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?( ?([Zz]|UTC|[+-][0-9]{2}(:?[0-9]{2})?))?)?$`)})`,
  },
  'bigint id': {
    isSure: (text) => `length(${text}) between 1 and 18 and ${text} not like '0%' and ${text} !~ '[^0-9]'`,
    orNull: (text) => `mirror.bigint_or_null(${matching(text, '^(0|[1-9][0-9]*)([.]0+)?$')})`,
  },
};

/** SQL expression: the value of this text in a column, NULL when it does not fit. `text` is an expression that may be repeated. */
export function fitText(text: string, type: ColumnType): string {
  return type === 'text' || type === 'jsonb' ? text : fitKind(text, KINDS[type], type);
}

/** SQL expression: the id that this text is, or NULL. */
export function fitId(text: string, { idType }: Pick<MirroredTable, 'idType'>): string {
  if (idType === 'bigint') return fitKind(text, KINDS['bigint id'], idType);
  return `case when ${text} ~ '^[0-9A-Za-z_-]+$' and length(${text}) <= 64 then ${text} end`;
}

function fitKind(text: string, { isSure, orNull }: Kind, type: ColumnType): string {
  return `case when ${isSure(text)} then ${text}::${type} else ${orNull(text)} end`;
}
