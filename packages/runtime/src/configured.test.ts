import { expect, test } from 'vitest';
import { configured } from './configured.ts';
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
