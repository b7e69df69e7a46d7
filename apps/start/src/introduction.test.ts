import { expect, test } from 'vitest';
import { introduction } from './introduction.ts';

const common = {
  receiver: 'http://127.0.0.1:3000/webhooks/procore',
  procore: 'no hooks',
  health: ['http://127.0.0.1:9464/readyz', 'http://127.0.0.1:9465/readyz'],
  logs: '.data/logs',
};
const psqlLine = (databaseUrl: string, isEmbedded: boolean) =>
  /psql .*/.exec(introduction({ ...common, databaseUrl, isEmbedded }))?.[0];

test('the database that we run is shown with its password: the line is there to be pasted', () => {
  const url = 'postgres://postgres:made-by-us@127.0.0.1:5432/simulated';
  expect(psqlLine(url, true)).toBe(`psql '${url}'`);
});

test.each([
  ['postgres://me:pw@db.example.com:5432/mirror', 'postgres://me@db.example.com:5432/mirror'],
  ['postgres://postgres:postgres@localhost/mirror', 'postgres://postgres@localhost/mirror'],
  ['postgres://me:p%40w@host/mirror?sslmode=require', 'postgres://me@host/mirror?sslmode=require'],
  ['postgres://me@host/mirror?password=pw&sslmode=require&sslpassword=x', 'postgres://me@host/mirror?sslmode=require'],
  ['postgres://me@host/mirror', 'postgres://me@host/mirror'],
])("the operator's own database %s is shown without a password, for psql to ask", (url, shown) => {
  expect(psqlLine(url, false)).toBe(`psql '${shown}'`);
});

test('whatever the address holds, the line is one argument of a shell', () => {
  expect(psqlLine(`postgres://me@host/it's;x`, false)).toBe(`psql 'postgres://me@host/it'\\''s;x'`);
});

test('the password of a proxy in the address of the receiver is not shown', () => {
  const procore = 'https://me:pw@mirror.example.com/webhooks/procore';
  const text = introduction({ ...common, databaseUrl: 'postgres://host/db', isEmbedded: false, procore });
  expect(text).toContain('https://me:***@mirror.example.com/webhooks/procore');
});

test('it fits a screen of 80 columns, with the address of the database that we run', () => {
  const databaseUrl = `postgres://postgres:${'x'.repeat(24)}@127.0.0.1:54321/simulated`;
  const procore = 'http://127.0.0.1:4000 (simulated)';
  const lines = introduction({ ...common, procore, databaseUrl, isEmbedded: true }).split('\n');
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
  expect(lines.length).toBeLessThan(17);
});
