// What a statement of a migration does, as far as it is not simply run. Migrations are written by drizzle-kit or by us, one
// statement between two breakpoints; whatever is written otherwise is run as it is.
import { quoteName } from '../schema/quote.ts';

export type Name = { schema: string; name: string };

export type Statement = { text: string } & (
  | { kind: 'make schema'; schema: string }
  | { kind: 'make table'; table: Name }
  | { kind: 'add column'; table: Name; column: string; type: string }
  | { kind: 'make index'; table: Name; index: Name }
  | { kind: 'drop index'; index: Name }
  | { kind: 'add value'; type: Name; value: string }
  | { kind: 'filling'; table: Name; name: string }
  | { kind: 'other' }
);

const ONE = String.raw`(?:"(?:[^"]|"")+"|[a-z_]\w*)`;
const name = (group: string) => String.raw`(?<${group}Schema>${ONE})\.(?<${group}>${ONE})`;
const starting = (pattern: string) => new RegExp(String.raw`^\s*${pattern.replaceAll(' ', String.raw`\s+`)}`, 'i');

const FILLING = /^\s*-- filling: (?<name>.+?)\s*$/im;
const UPDATE = starting(`update ${name('table')}\\b`);
const SCHEMA = starting(`create schema (?:if not exists )?(?<schema>${ONE})`);
const TABLE = starting(`create table ${name('table')}`);
const COLUMN = starting(
  `alter table ${name('table')} add column (?<column>${ONE}) (?<type>[^;,]+?)(?: default | not null|\\s*;?\\s*$)`,
);
const INDEX = starting(
  `create (?:unique )?index (?:if not exists )?(?<index>${ONE}) on (?:only )?${name('table')}[^;]*;?\\s*$`,
);
const DROP = starting(`drop index (?:if exists )?${name('index')}\\s*;?\\s*$`);
const VALUE = starting(`alter type ${name('type')} add value (?:if not exists )?'(?<value>[^']+)'`);

/** Reads one statement of a migration. Throws when it says that it is a filling and is none. */
export function readStatement(text: string): Statement {
  const sql = text.replace(/^(?:\s*--[^\n]*\n)*/, '');
  const filling = FILLING.exec(text)?.groups?.name;
  if (filling !== undefined) {
    const update = UPDATE.exec(sql)?.groups;
    if (update === undefined) throw new Error(`the filling "${filling}" is no update of a table with its schema`);
    return { text, kind: 'filling', name: filling, table: nameIn(update, 'table') };
  }
  return { text, ...readPlain(sql) };
}

type Plain = Statement extends infer S ? (S extends { text: string } ? Omit<S, 'text'> : never) : never;

const readers: readonly [RegExp, (groups: Record<string, string>) => Plain][] = [
  [SCHEMA, (groups) => ({ kind: 'make schema', schema: plain(groups.schema) })],
  [TABLE, (groups) => ({ kind: 'make table', table: nameIn(groups, 'table') })],
  [
    COLUMN,
    (groups) => ({
      kind: 'add column',
      table: nameIn(groups, 'table'),
      column: plain(groups.column),
      type: (groups.type ?? '').trim(),
    }),
  ],
  [
    INDEX,
    (groups) => {
      const table = nameIn(groups, 'table');
      return { kind: 'make index', table, index: { schema: table.schema, name: plain(groups.index) } };
    },
  ],
  [DROP, (groups) => ({ kind: 'drop index', index: nameIn(groups, 'index') })],
  [VALUE, (groups) => ({ kind: 'add value', type: nameIn(groups, 'type'), value: groups.value ?? '' })],
];

function readPlain(sql: string): Plain {
  for (const [pattern, read] of readers) {
    const groups = pattern.exec(sql)?.groups;
    if (groups !== undefined) return read(groups);
  }
  return { kind: 'other' };
}

function nameIn(groups: Record<string, string | undefined>, group: string): Name {
  return { schema: plain(groups[`${group}Schema`]), name: plain(groups[group]) };
}

/** Without quotes; what had none is in lower case. */
function plain(written = ''): string {
  return written.startsWith('"') ? written.slice(1, -1).replaceAll('""', '"') : written.toLowerCase();
}

/** As SQL writes it. */
export function quoted({ schema, name }: Name): string {
  return `${quoteName(schema)}.${quoteName(name)}`;
}

/** As people read it. */
export function shown({ schema, name }: Name): string {
  return `${schema}.${name}`;
}
