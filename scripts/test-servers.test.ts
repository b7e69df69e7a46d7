import { afterEach, beforeEach, expect, test } from 'vitest';
import { ensureServers } from './test-servers.ts';

const path = process.env.PATH;
let said: string[];

beforeEach(() => {
  said = [];
});

afterEach(() => {
  process.env.PATH = path;
});

test('servers that are there are left alone', () => {
  expect(ensureServers((line) => said.push(line))).toBeNull();
  expect(said).toEqual([]);
});

test('without a server and without a way to install it, the run says what to do', () => {
  process.env.PATH = '/nonexistent';
  expect(ensureServers((line) => said.push(line))).toContain('apt-get install -y redis-server');
  expect(said).toEqual([]);
});
