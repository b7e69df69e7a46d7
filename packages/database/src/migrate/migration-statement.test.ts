import { describe, expect, test } from 'vitest';
import { readMigrations } from './migration-ledger.ts';
import { readStatement } from './migration-statement.ts';

const events = { schema: 'mirror', name: 'events' };

test.each<[string, object]>([
  ['CREATE SCHEMA IF NOT EXISTS "mirror";', { kind: 'make schema', schema: 'mirror' }],
  ['CREATE TABLE "mirror"."events" (\n\t"id" text\n);', { kind: 'make table', table: events }],
  [
    'CREATE INDEX "events_at" ON "mirror"."events" USING btree ("at");',
    { kind: 'make index', table: events, index: { schema: 'mirror', name: 'events_at' } },
  ],
  [
    '-- why\ncreate unique index if not exists events_at on only mirror.events (at) where at is not null',
    { kind: 'make index', table: events, index: { schema: 'mirror', name: 'events_at' } },
  ],
  ['DROP INDEX "mirror"."events_at";', { kind: 'drop index', index: { schema: 'mirror', name: 'events_at' } }],
  ['drop index if exists mirror.events_at', { kind: 'drop index', index: { schema: 'mirror', name: 'events_at' } }],
  [
    'ALTER TABLE "mirror"."events" ADD COLUMN "at" timestamp with time zone DEFAULT now() NOT NULL;',
    { kind: 'add column', table: events, column: 'at', type: 'timestamp with time zone' },
  ],
  [
    'ALTER TABLE "mirror"."events" ADD COLUMN "lane" "mirror"."lane" NOT NULL;',
    { kind: 'add column', table: events, column: 'lane', type: '"mirror"."lane"' },
  ],
  [
    `ALTER TYPE "mirror"."lane" ADD VALUE 'poll' BEFORE 'backfill';`,
    { kind: 'add value', type: { schema: 'mirror', name: 'lane' }, value: 'poll' },
  ],
  [
    `-- Of the rows that were there.\n-- filling: keys of events\nUPDATE mirror.events SET key = id WHERE id IN (SELECT 1)`,
    { kind: 'filling', table: events, name: 'keys of events' },
  ],
  ['UPDATE mirror.events SET key = id', { kind: 'other' }],
  ['create index a on mirror.events (a); create index b on mirror.events (b)', { kind: 'other' }],
  ['ALTER TABLE "mirror"."events" ADD CONSTRAINT "k" UNIQUE("id");', { kind: 'other' }],
])('%s', (text, expected) => {
  expect(readStatement(text)).toEqual({ text, ...expected });
});

test('a filling that is no update of a table is refused', () => {
  expect(() => readStatement('-- filling: all\nselect 1')).toThrow('filling "all"');
});

describe('in our migrations', () => {
  const all = readMigrations().flatMap(({ statements }) => statements.map(readStatement));

  test('indexes, tables and schemas are known as such', () => {
    const text = all
      .filter(({ kind }) => kind === 'other')
      .map((statement) => statement.text)
      .join('\n');
    expect(text).not.toMatch(/^\s*create (unique )?(index|table|schema)/im);
    expect(text).not.toMatch(/^\s*(drop index|alter type .* add value)/im);
  });

  test('each filling has a name of its own', () => {
    const names = all.flatMap((statement) => (statement.kind === 'filling' ? [statement.name] : []));
    expect(new Set(names).size).toBe(names.length);
  });
});
