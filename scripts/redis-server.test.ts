import { afterEach, beforeEach, expect, test } from 'vitest';
import { ensureRedisServer } from './redis-server.ts';

const path = process.env.PATH;
let said: string[];

beforeEach(() => {
  said = [];
});

afterEach(() => {
  process.env.PATH = path;
});

test('a Redis that is there is left alone', () => {
  expect(ensureRedisServer((line) => said.push(line))).toBeNull();
  expect(said).toEqual([]);
});

test('without Redis and without a way to install it, the run says what to do', () => {
  process.env.PATH = '/nonexistent';
  expect(ensureRedisServer((line) => said.push(line))).toContain('apt-get install -y redis-server');
  expect(said).toEqual([]);
});
