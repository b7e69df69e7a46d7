import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { writeDurably } from './durable-files.ts';
import { openReceiverLife } from './receiver-life.ts';

vi.mock('./durable-files.ts', { spy: true });

const at = new Date('2026-06-01T10:00:00.123Z');
let directory: string;
let file: string;
let warnings: string[];
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'procore-mirror-life-'));
  file = path.join(directory, 'receiver.json');
  warnings = [];
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const open = () => openReceiverLife(directory, (warning) => warnings.push(warning));

test('the first life knows of none before, and the next ones keep its number', async () => {
  const first = await open();
  expect(first).toMatchObject({ id: expect.stringMatching(/^[0-9a-f]{16}$/), aliveAt: null, wasStopped: null });
  await first.note(at, false);
  expect(await open()).toMatchObject({ id: first.id, aliveAt: at.toISOString(), wasStopped: false });
  await first.note(new Date(at.getTime() + 1), true);
  expect(await open()).toMatchObject({ id: first.id, aliveAt: '2026-06-01T10:00:00.124Z', wasStopped: true });
  expect(await readdir(directory)).toEqual(['receiver.json']);
  expect((await stat(file)).mode & 0o077).toBe(0);
  expect(warnings).toEqual([]);
});

test('two that have never noted anything are two', async () => {
  expect((await open()).id).not.toBe((await open()).id);
});

test.each([
  '',
  '{',
  '[]',
  '{"receiver":"../x","aliveAt":"2026-06-01T10:00:00Z","isStopped":true}',
  '{"receiver":"0123456789abcdef"}',
])('after a file that reads %j it begins anew, and says so', async (content) => {
  await writeFile(file, content);
  const life = await open();
  expect(life).toMatchObject({ aliveAt: null, wasStopped: null });
  expect(warnings).toEqual([expect.stringContaining('receiver.json')]);
  await life.note(at, false);
  expect(await open()).toMatchObject({ id: life.id, aliveAt: at.toISOString() });
});

test('a note that fails leaves the one before, and nothing else', async () => {
  const life = await open();
  await life.note(at, false);
  const before = await readFile(file, 'utf8');
  vi.mocked(writeDurably).mockImplementationOnce(async (name) => {
    await writeFile(name, 'half');
    throw new Error('the disk is full');
  });
  await expect(life.note(new Date(), true)).rejects.toThrow('the disk is full');
  expect(await readFile(file, 'utf8')).toBe(before);
  expect(await readdir(directory)).toEqual(['receiver.json']);
});

test('a file that is no file is told at the start, and each note fails', async () => {
  await mkdir(path.join(file, 'inside'), { recursive: true });
  const life = await open();
  expect(warnings).toHaveLength(1);
  await expect(life.note(at, false)).rejects.toThrow();
});

test('a directory that is gone is not made again', async () => {
  const life = await open();
  await rm(directory, { recursive: true });
  await expect(life.note(at, false)).rejects.toThrow('ENOENT');
  await expect(stat(directory)).rejects.toThrow('ENOENT');
});
