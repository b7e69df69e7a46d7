import { expect, test } from 'vitest';
import { traceOf } from './trace.ts';

const id = '4bf92f3577b34da6a3ce929d0e0e4736';
const parent = '00f067aa0ba902b7';

test.each([
  `00-${id}-${parent}-01`,
  `00-${id}-${parent}-ff`,
  `cc-${id}-${parent}-01`,
  `01-${id}-${parent}-00-what-comes-later`,
])('the trace id of %s is kept', (traceparent) => {
  expect(traceOf(traceparent)).toBe(id);
});

test.each([
  undefined,
  '',
  id,
  `ff-${id}-${parent}-01`,
  `00-${id}-${parent}`,
  `00-${id}-${parent}-01-more`,
  `00-${id}-${parent}-01 `,
  `00-${id}-${parent}-01, 00-${id}-${parent}-01`,
  `00-${id.toUpperCase()}-${parent}-01`,
  `00-${'0'.repeat(32)}-${parent}-01`,
  `00-${id}-${'0'.repeat(16)}-01`,
  `00-${id.slice(1)}-${parent}-01`,
  `00-${'a'.repeat(100_000)}-${parent}-01`,
])('%s is none: the delivery gets a trace of its own', (traceparent) => {
  const traces = new Set([traceOf(traceparent), traceOf(traceparent)]);
  expect(traces.size).toBe(2);
  for (const trace of traces) expect(trace).toMatch(/^(?!4bf92f)[0-9a-f]{32}$/);
});
