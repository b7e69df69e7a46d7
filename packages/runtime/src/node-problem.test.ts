import { expect, test } from 'vitest';
import { nodeProblem } from './node-problem.ts';

test.each(['v24.0.0', 'v24.9.0', 'v26.1.0', 'v100.0.0-nightly'])('%s is fine', (version) => {
  expect(nodeProblem(version)).toBeNull();
});

test.each(['v20.19.0', 'v22.18.0', 'v23.11.1', 'v8.0.0', 'unknown'])('%s is refused, with what to do', (version) => {
  expect(nodeProblem(version)).toMatch(/needs Node 24 or newer.*npm/);
});
