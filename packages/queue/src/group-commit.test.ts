import { expect, test, vi } from 'vitest';
import { createGroupCommit } from './group-commit.ts';

/** A group commit whose batches stay on their way until they are let through. */
function aGroupCommit(limits: { maxItems?: number; maxSize?: number; timeoutMs?: number; gatherMs?: number } = {}) {
  const batches: { items: readonly string[]; arrive: () => void; fail: (error: Error) => void }[] = [];
  const add = createGroupCommit<string>({
    maxItems: 100,
    maxSize: 1_000,
    timeoutMs: 60_000,
    what: 'adding',
    sizeOf: (item) => item.length,
    commit(items) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      batches.push({ items, arrive: resolve, fail: reject });
      return promise;
    },
    ...limits,
  });
  return { batches, add };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('what comes while a batch is on its way goes together in the next', async () => {
  const { batches, add } = aGroupCommit();
  const adds = ['a', 'b', 'c'].map((item) => add(item));
  expect(batches.map(({ items }) => items)).toEqual([['a']]);
  batches[0]?.arrive();
  await adds[0];
  await settled();
  expect(batches.map(({ items }) => items)).toEqual([['a'], ['b', 'c']]);
  batches[1]?.arrive();
  await Promise.all(adds);
});

test('after a batch the next waits until as many are there again', async () => {
  const { batches, add } = aGroupCommit({ gatherMs: 60_000 });
  const first = [add('a'), add('b'), add('c')];
  batches[0]?.arrive();
  await first[0];
  await settled();
  expect(batches).toHaveLength(1); // a may come back
  const second = add('d');
  expect(batches).toHaveLength(1);
  await settled();
  expect(batches.map(({ items }) => items)).toEqual([['a'], ['b', 'c', 'd']]);
  batches[1]?.arrive();
  await Promise.all([...first, second]);
});

test('after a batch the next waits for those who do not come back no longer than it should', async () => {
  const { batches, add } = aGroupCommit({ gatherMs: 1 });
  const adds = ['a', 'b', 'c'].map((item) => add(item));
  batches[0]?.arrive();
  await vi.waitFor(() => expect(batches.map(({ items }) => items)).toEqual([['a'], ['b', 'c']]));
  batches[1]?.arrive();
  await Promise.all(adds);
});

test('one who calls alone never waits', async () => {
  const { batches, add } = aGroupCommit({ gatherMs: 60_000 });
  for (const [n, item] of ['a', 'b', 'c'].entries()) {
    const adding = add(item);
    expect(batches[n]?.items).toEqual([item]);
    batches[n]?.arrive();
    await adding;
    await settled();
  }
});

test('a batch that fails fails its own items only', async () => {
  const { batches, add } = aGroupCommit();
  const [first, second] = [add('a'), add('b')];
  batches[0]?.fail(new Error('no'));
  await expect(first).rejects.toThrow('no');
  await settled();
  batches[1]?.arrive();
  await second;
});

test('a batch is kept small in items and in size, but one item goes whatever its size', async () => {
  const { batches, add } = aGroupCommit({ maxItems: 3, maxSize: 5 });
  const adds = ['a', 'b', 'c', 'd', 'e', 'ff', 'gggg', 'hhhhhhhhh'].map((item) => add(item));
  for (let n = 0; n < 5; n += 1) {
    batches[n]?.arrive();
    await settled();
  }
  expect(batches.map(({ items }) => items)).toEqual([['a'], ['b', 'c', 'd'], ['e', 'ff'], ['gggg'], ['hhhhhhhhh']]);
  await Promise.all(adds);
});

test('what waits too long is rejected, and not sent any more', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const { batches, add } = aGroupCommit({ timeoutMs: 2_000 });
    const late = Promise.allSettled([add('a'), add('b')]);
    vi.advanceTimersByTime(2_000);
    for (const outcome of await late) {
      expect(outcome).toMatchObject({ reason: new Error('adding took longer than 2000 ms') });
    }
    const third = add('c');
    batches[0]?.arrive();
    await settled();
    expect(batches[1]?.items).toEqual(['c']);
    batches[1]?.arrive();
    await third;
  } finally {
    vi.useRealTimers();
  }
});
