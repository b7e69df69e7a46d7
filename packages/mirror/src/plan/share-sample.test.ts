import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shareSample } from './share-sample.ts';

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

test('a sample has the size that is asked for, and takes no more of a table than it has', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(50), { maxLength: 20 }),
      fc.nat(300),
      fc.infiniteStream(fc.double({ min: 0, max: 0.999_999, noNaN: true })),
      (rows, size, stream) => {
        const shares = shareSample(rows, size, () => stream.next().value ?? 0);
        expect(sum(shares)).toBe(Math.min(size, sum(rows)));
        expect(shares.every((share, index) => share <= (rows[index] ?? 0))).toBe(true);
      },
    ),
  );
});

test('each row is as likely as any other, wherever it is', () => {
  let state = 1;
  const random = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  const rows = [1, 0, 99, 900];
  const totals = [0, 0, 0, 0];
  for (let times = 0; times < 2000; times += 1)
    for (const [index, share] of shareSample(rows, 10, random).entries()) totals[index] = (totals[index] ?? 0) + share;
  expect(totals[1]).toBe(0);
  for (const [index, count] of [
    [0, 20],
    [2, 1980],
    [3, 18_000],
  ] as const)
    expect(Math.abs((totals[index] ?? 0) - count)).toBeLessThan(5 * Math.sqrt(count));
});
