import { expect, test } from 'vitest';
import { createRefusalLog } from './refusal-log.ts';

test('of each kind one line is logged in a while, with the number of those left out', () => {
  const lines: [string, object][] = [];
  const log = {
    warn: (entry: object) => void lines.push(['warn', entry]),
    error: (entry: object) => void lines.push(['error', entry]),
  };
  let now = 0;
  const refused = createRefusalLog(log, () => now);
  for (let n = 0; n < 30; n += 1) refused(401, '127.0.0.1');
  refused(413, '127.0.0.1');
  const error = new Error('the disk is full');
  refused(503, undefined, error);
  now = 10_000;
  refused(401, '127.0.0.2');
  expect(lines).toEqual([
    ['warn', { status: 401, from: '127.0.0.1', also: 0 }],
    ['warn', { status: 413, from: '127.0.0.1', also: 0 }],
    ['error', { status: 503, from: undefined, also: 0, error }],
    ['warn', { status: 401, from: '127.0.0.2', also: 29 }],
  ]);
});
