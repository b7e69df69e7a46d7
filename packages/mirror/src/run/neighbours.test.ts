import { expect, test } from 'vitest';
import { createNeighbours } from './neighbours.ts';

const rfis = { companyId: '1', projectId: '7', resource: 'RFIs' };

test('resources of a company that fail are counted, each once, until a call of the company is answered', () => {
  const neighbours = createNeighbours();
  expect(neighbours.resourceFailed(rfis)).toBe(1);
  expect(neighbours.resourceFailed(rfis)).toBe(1);
  expect(neighbours.resourceFailed({ ...rfis, projectId: '8' })).toBe(2);
  expect(neighbours.resourceFailed({ ...rfis, companyId: '2' })).toBe(1);
  neighbours.answered({ ...rfis, companyId: '2' });
  expect(neighbours.resourceFailed({ ...rfis, resource: 'Submittals' })).toBe(3);
  neighbours.answered(rfis);
  expect(neighbours.resourceFailed(rfis)).toBe(1);
  expect(neighbours.resourceFailed({ ...rfis, projectId: '8' })).toBe(2);
  neighbours.companyAnswered('1');
  expect(neighbours.resourceFailed(rfis)).toBe(1);
});

test('who asks a question while somebody does hears the same; the next one asks again', async () => {
  const neighbours = createNeighbours();
  const asked: PromiseWithResolvers<string>[] = [];
  const ask = () => {
    const one = Promise.withResolvers<string>();
    asked.push(one);
    return one.promise;
  };
  const both = [neighbours.askTogether('me', ask), neighbours.askTogether('me', ask)];
  const other = neighbours.askTogether('projects', ask);
  expect(asked.length).toBe(2);
  asked[0]?.resolve('first');
  asked[1]?.resolve('second');
  expect([await Promise.all(both), await other]).toEqual([['first', 'first'], 'second']);
  const next = neighbours.askTogether('me', ask);
  asked[2]?.resolve('third');
  expect(await next).toBe('third');
});

test('who asks along with one that is stopped asks again', async () => {
  const neighbours = createNeighbours();
  const stopped = Promise.withResolvers<string>();
  const first = neighbours.askTogether('me', () => stopped.promise);
  const second = neighbours.askTogether('me', async () => 'answer');
  stopped.reject(new Error('stopped'));
  await expect(first).rejects.toThrow('stopped');
  expect(await second).toBe('answer');
});

test('of a company in which nothing was there nobody asks for two seconds, unless it answers', () => {
  let now = 0;
  const neighbours = createNeighbours(() => now);
  expect(neighbours.isNothingThere('1')).toBe(false);
  neighbours.nothingThere('1');
  now = 1_900;
  expect([neighbours.isNothingThere('1'), neighbours.isNothingThere('2')]).toEqual([true, false]);
  now = 2_100;
  expect(neighbours.isNothingThere('1')).toBe(false);
  neighbours.nothingThere('1');
  neighbours.answered({ ...rfis, companyId: '2' });
  expect(neighbours.isNothingThere('1')).toBe(true);
  neighbours.companyAnswered('1');
  expect(neighbours.isNothingThere('1')).toBe(false);
});

test('companies that fail are counted within seconds, until any call is answered', () => {
  let now = 0;
  const neighbours = createNeighbours(() => now);
  expect(neighbours.companyFailed('1')).toEqual(['1']);
  now = 9_000;
  expect(neighbours.companyFailed('2')).toEqual(['1', '2']);
  now = 15_000;
  expect(neighbours.companyFailed('3')).toEqual(['2', '3']);
  neighbours.answered({ ...rfis, companyId: '4' });
  expect(neighbours.companyFailed('1')).toEqual(['1']);
});

test('records of a company that are missing are counted, each once, until a call of the company is answered', () => {
  const neighbours = createNeighbours();
  expect(neighbours.recordsMissed(rfis, ['5', '6'])).toBe(2);
  expect(neighbours.recordsMissed(rfis, ['5'])).toBe(2);
  neighbours.answered({ ...rfis, companyId: '2' });
  expect(neighbours.recordsMissed({ ...rfis, resource: 'Tasks' }, ['5'])).toBe(3);
  const many = Array.from({ length: 100_000 }, (_, id) => `RFIs/${id}`);
  expect(neighbours.recordsMissed(rfis, many)).toBeLessThan(1000);
  neighbours.companyAnswered('1');
  expect(neighbours.recordsMissed(rfis, [])).toBeGreaterThan(3);
  neighbours.answered(rfis);
  expect(neighbours.recordsMissed(rfis, [])).toBe(0);
});

test('records that are missing count for their place, too, which an answer of another place does not end', () => {
  const neighbours = createNeighbours();
  neighbours.recordsMissed(rfis, ['5']);
  neighbours.answered({ ...rfis, projectId: '8' });
  expect(neighbours.recordsMissed(rfis, ['6'])).toBe(2);
  expect(neighbours.recordsMissed({ ...rfis, projectId: '8' }, ['5'])).toBe(2); // of the company
});

test('a call that meets a limit again and again is told from a limit of all', () => {
  const neighbours = createNeighbours();
  const limited = (call: string) => neighbours.limited('1', call);
  expect([1, 2, 3].map(() => limited('RFIs/5'))).toMatchObject(
    [1, 2, 3].map((inARow) => ({ inARow, besideAnswers: 1 })),
  );
  neighbours.answered({ ...rfis, companyId: '2' });
  expect(limited('RFIs/5').besideAnswers).toBe(1);
  neighbours.answered(rfis);
  expect([limited('RFIs/5').besideAnswers, limited('RFIs/6').besideAnswers]).toEqual([2, 1]);
  neighbours.answered(rfis);
  expect([limited('RFIs/5').besideAnswers, limited('RFIs/5').besideAnswers]).toEqual([3, 3]);
  for (let call = 0; call < 1000; call += 1) limited(`Tasks/${call}`);
  neighbours.answered(rfis);
  expect(limited('RFIs/5')).toMatchObject({ inARow: 1, besideAnswers: 1 });
});
