import { expect, test } from 'vitest';
import { folded } from './terminal.ts';

const terminal = { isTerminal: true, columns: () => 20, write: () => {} };

test.each([
  ['short', 'short'],
  ['exactly twenty wide!', 'exactly twenty wide!'],
  ['a line that is longer than that', 'a line that is\n  longer than that'],
  ['https://a.long.address/without-an-end', 'https://a.long.address/without-an-end'],
  ['see https://a.long.address/without-an-end now', 'see\n  https://a.long.address/without-an-end now'],
])('%s', (line, shown) => {
  expect(folded(line, terminal)).toBe(shown);
});

test('what is no terminal gets one line', () => {
  expect(folded('x '.repeat(100), { ...terminal, isTerminal: false })).toBe('x '.repeat(100));
});
