import { expect, test } from 'vitest';
import { allConfigured, configured } from './configured.ts';
import { ConfigError } from './errors.ts';

test('problems are those of the variable', () => {
  const cause = Object.assign(new Error('wrong'), { problems: ['no list', 'no name'] });
  const work = () => {
    throw cause;
  };
  expect(() => configured('MIRROR_CATALOGUE', work)).toThrow(
    new ConfigError(['MIRROR_CATALOGUE: no list', 'MIRROR_CATALOGUE: no name']),
  );
});

test('results and other errors pass', () => {
  expect(configured('X', () => 5)).toBe(5);
  const broken = new Error('broken');
  const work = () => {
    throw broken;
  };
  expect(() => configured('X', work)).toThrow(broken);
});

test('what a promise fails with is explained, too', async () => {
  const failed = Promise.reject(Object.assign(new Error('wrong'), { problems: ['no such place'] }));
  await expect(configured('QUEUE_URL', () => failed)).rejects.toThrow(new ConfigError(['QUEUE_URL: no such place']));
  expect(await configured('QUEUE_URL', () => Promise.resolve(5))).toBe(5);
});

test('all problems of several works are told at once, each once', async () => {
  const wrong = (...problems: string[]) => {
    throw new ConfigError(problems);
  };
  const broken = new Error('broken');
  const works = [() => wrong('A', 'B'), () => Promise.reject(broken), async () => wrong('B', 'C')] as const;
  await expect(allConfigured(...works)).rejects.toThrow(new ConfigError(['A', 'B', 'C']));
  await expect(allConfigured(works[1])).rejects.toBe(broken);
  expect(
    await allConfigured(
      () => 1,
      async () => 'two',
    ),
  ).toEqual([1, 'two']);
});
