import { expect, test } from 'vitest';
import { slotsOf } from './slots.ts';

test.each([
  [1, { company: 1, resource: 1, resourceOfCompany: 1, resourceAtFirst: 1, notLive: 1 }],
  [2, { company: 2, resource: 1, resourceOfCompany: 1, resourceAtFirst: 1, notLive: 1 }],
  [3, { company: 3, resource: 2, resourceOfCompany: 1, resourceAtFirst: 1, notLive: 2 }],
  [4, { company: 3, resource: 2, resourceOfCompany: 1, resourceAtFirst: 1, notLive: 2 }],
  [5, { company: 4, resource: 3, resourceOfCompany: 2, resourceAtFirst: 2, notLive: 3 }],
  [8, { company: 6, resource: 4, resourceOfCompany: 3, resourceAtFirst: 2, notLive: 4 }],
  [16, { company: 14, resource: 8, resourceOfCompany: 6, resourceAtFirst: 4, notLive: 8 }],
  [48, { company: 46, resource: 24, resourceOfCompany: 18, resourceAtFirst: 12, notLive: 24 }],
])('%i slots are shared out as %o', (concurrency, slots) => {
  expect(slotsOf(concurrency)).toEqual(slots);
});

test.each(Array.from({ length: 48 }, (_, index) => index + 1))(
  'of %i slots a resource that hangs leaves its company one, and the company others one, where there are as many',
  (concurrency) => {
    const { company, resource, resourceOfCompany, resourceAtFirst, notLive } = slotsOf(concurrency);
    expect(resource).toBeLessThanOrEqual(Math.max(1, company - 1));
    expect(company).toBeLessThanOrEqual(concurrency >= 4 ? concurrency - 1 : concurrency);
    expect(resourceAtFirst).toBeLessThanOrEqual(resource);
    expect(resourceOfCompany).toBeLessThanOrEqual(concurrency >= 3 ? resource - 1 : resource);
    expect(Math.min(company, resource, resourceOfCompany, resourceAtFirst, notLive)).toBeGreaterThanOrEqual(1);
  },
);
