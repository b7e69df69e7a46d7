import { randomBytes } from 'node:crypto';
import { appendFile, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { SealedEnvelope } from '@procore-mirror/queue';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { syncDirectory } from './durable-files.ts';
import { openSpool, type Spool, type SpoolOptions } from './spool.ts';
import { toLine } from './spool-line.ts';

vi.mock('./durable-files.ts', { spy: true });

let parent: string;
let directory: string;
let warnings: string[];
let spools: Spool[];
beforeEach(async () => {
  parent = await mkdtemp(path.join(tmpdir(), 'procore-mirror-spool-'));
  directory = path.join(parent, 'deep', 'spool');
  warnings = [];
  spools = [];
});
afterEach(async () => {
  await Promise.allSettled(spools.map((spool) => spool.close()));
  await rm(parent, { recursive: true, force: true });
});

async function aSpool(options: Partial<SpoolOptions> = {}): Promise<Spool> {
  // Nobody dies in these tests unless they say so.
  const spool = await openSpool({ directory, onWarning: (w) => warnings.push(w), deadAfterMs: 3_600_000, ...options });
  spools.push(spool);
  return spool;
}

/** What a process that was killed leaves behind: a segment that it was writing to. */
async function aDeadSegment(bodies: readonly string[]): Promise<string> {
  await mkdir(directory, { recursive: true });
  const name = `${String(Date.now()).padStart(15, '0')}.${randomBytes(8).toString('hex')}.0123456789ab.open`;
  await writeFile(path.join(directory, name), bodies.map((body) => toLine(aDelivery(body))).join(''));
  return path.join(directory, name);
}

function aDelivery(body: string): SealedEnvelope {
  return { body: Buffer.from(body), receivedAt: new Date('2026-06-01T10:00:00.123Z'), v: 1, kind: 'delivery' };
}

async function drained(spool: Spool): Promise<string[]> {
  const bodies: string[] = [];
  await spool.drain(async ({ body }) => void bodies.push(body.toString()));
  return bodies;
}

const segments = async (end: string) => (await readdir(directory)).filter((name) => name.endsWith(end));

test('the names of directories that it made are on the disk before anything else', async () => {
  const sync = vi.mocked(syncDirectory);
  sync.mockClear();
  await aSpool();
  expect(sync.mock.calls.slice(0, 2)).toEqual([[parent], [path.join(parent, 'deep')]]);
  sync.mockClear();
  await aSpool();
  expect(sync.mock.calls).toEqual([]);
});

test.each([
  ['in a file system that takes none', () => '/proc/spool/deep'],
  ['in a file', () => path.join(import.meta.dirname, 'spool.test.ts', 'spool')],
  ['behind a link that leads nowhere', () => path.join(parent, 'link', 'spool')],
  ['that is a file', () => path.join(import.meta.dirname, 'spool.test.ts')],
])('a directory %s is refused at once', async (_, where) => {
  await symlink(path.join(parent, 'nowhere'), path.join(parent, 'link'));
  await expect(openSpool({ directory: where(), onWarning: () => {} })).rejects.toThrow(/EN|EEXIST/);
});

test('several that make the same directory at the same moment all get it', async () => {
  await Promise.all(Array.from({ length: 8 }, () => aSpool()));
  expect(await segments('.alive')).toHaveLength(8);
});

test('what was appended is drained in order, with bytes and time, and leaves nothing behind', async () => {
  const spool = await aSpool();
  const delivery = { ...aDelivery(''), body: Buffer.from([0, 255, 10, 13]), key: '0123456789abcdef' };
  await spool.append(delivery);
  for (let n = 0; n < 100; n += 1) await spool.append(aDelivery(`delivery ${n}`));
  expect(spool.count()).toBe(101);
  const found: SealedEnvelope[] = [];
  await spool.drain(async (each) => void found.push(each));
  expect(found[0]).toEqual(delivery);
  expect(found.slice(1).map(({ body }) => body.toString())).toEqual(
    Array.from({ length: 100 }, (_, n) => `delivery ${n}`),
  );
  expect(spool.count()).toBe(0);
  expect(await segments('.sealed')).toEqual([]);
  expect(await segments('.open')).toEqual([]);
});

test('what an older and a newer receiver left is drained whole', async () => {
  const file = await aDeadSegment([]);
  const newer = { ...aDelivery('newer'), v: 2, kind: 'postcard', more: { deep: [1] } };
  await writeFile(file, `895c42083f877870 2026-06-01T10:00:00.123Z b2xk\n${toLine(newer)}`);
  const spool = await aSpool({ deadAfterMs: 0 });
  const found: SealedEnvelope[] = [];
  await spool.drain(async (each) => void found.push(each));
  expect(found).toEqual([{ body: Buffer.from('old'), receivedAt: newer.receivedAt }, newer]);
  expect(warnings).toEqual([]);
  expect(await segments('.sealed')).toEqual([]);
});

test('many appends at once share their syncs and all arrive', async () => {
  const spool = await aSpool({ segmentBytes: 2_000 });
  const bodies = Array.from({ length: 1_000 }, (_, n) => `delivery ${n}`);
  await Promise.all(bodies.map((body) => spool.append(aDelivery(body))));
  expect(spool.count()).toBe(1_000);
  expect((await segments('.sealed')).length).toBeGreaterThan(1);
  expect((await drained(spool)).toSorted()).toEqual(bodies.toSorted());
});

test('what could not be added waits for the next time, and nothing is deleted before', async () => {
  const spool = await aSpool({ segmentBytes: 100 });
  for (const body of ['one', 'two', 'three', 'four']) await spool.append(aDelivery(body));
  const added: string[] = [];
  const refusing = spool.drain(async ({ body }) => {
    if (body.toString() === 'three') throw new Error('the queue is down');
    added.push(body.toString());
  });
  await expect(refusing).rejects.toThrow('the queue is down');
  expect(added).toContain('one');
  expect(await drained(spool)).toEqual(expect.arrayContaining(['three', 'four']));
  expect(spool.count()).toBe(0);
});

test('appending goes on while the spool is drained', async () => {
  const spool = await aSpool({ segmentBytes: 1_000 });
  const appended: Promise<void>[] = [];
  const found = new Set<string>();
  for (let n = 0; n < 300; n += 1) {
    appended.push(spool.append(aDelivery(`delivery ${n}`)));
    if (n % 50 === 0) await spool.drain(async ({ body }) => void found.add(body.toString()));
  }
  await Promise.all(appended);
  await spool.drain(async ({ body }) => void found.add(body.toString()));
  expect(found.size).toBe(300);
});

test('what a dead process left is taken over, its torn last line ignored', async () => {
  const segment = await aDeadSegment(['one', 'two']);
  await appendFile(segment, '0123456789abcdef 2026-06-01T10:00:00.000Z dG9');
  const spool = await aSpool({ deadAfterMs: 0 });
  expect(await drained(spool)).toEqual(['one', 'two']);
  expect(warnings).toEqual([]);
  expect(await readdir(directory)).toEqual([expect.stringMatching(/\.alive$/)]);
});

test('what a live process has is left alone, until it has closed', async () => {
  const one = await aSpool();
  await one.append(aDelivery('of one'));
  const two = await aSpool();
  await two.append(aDelivery('of two'));
  expect(await drained(two)).toEqual(['of two']);
  await one.close();
  expect(await drained(two)).toEqual(['of one']);
});

test('a process that only seemed dead loses nothing that it acknowledged', async () => {
  const robbed = await aSpool();
  const robber = await aSpool({ deadAfterMs: 0 });
  const found = new Set<string>();
  const take = (spool: Spool) => spool.drain(async ({ body }) => void found.add(body.toString()));
  const acknowledged: string[] = [];
  const appended: Promise<void>[] = [];
  for (let n = 0; n < 200; n += 1) {
    const body = `delivery ${n}`;
    // Robbed twice while it writes, it refuses, which is honest.
    appended.push(
      robbed.append(aDelivery(body)).then(
        () => void acknowledged.push(body),
        () => {},
      ),
    );
    if (n % 5 === 0) await take(robber);
    else await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(appended);
  await take(robbed);
  await take(robber);
  expect(acknowledged.length).toBeGreaterThan(0);
  expect(acknowledged.filter((body) => !found.has(body))).toEqual([]);
});

test('two that take each other for dead drain everything between them', async () => {
  for (let n = 0; n < 20; n += 1) {
    await aDeadSegment(Array.from({ length: 10 }, (_, m) => `delivery ${10 * n + m}`));
  }
  const spoolsOfTwo = [await aSpool({ deadAfterMs: 0 }), await aSpool({ deadAfterMs: 0 })];
  const found = new Set<string>();
  await Promise.all(spoolsOfTwo.map((spool) => spool.drain(async ({ body }) => void found.add(body.toString()))));
  for (const spool of spoolsOfTwo) await spool.drain(async ({ body }) => void found.add(body.toString()));
  expect(found.size).toBe(200);
  expect(await segments('.sealed')).toEqual([]);
});

test('a damaged line is kept for a person, and the others are added', async () => {
  const file = await aDeadSegment(['one']);
  await writeFile(file, `rubbish\n${await readFile(file, 'utf8')}`);
  const spool = await aSpool({ deadAfterMs: 0 });
  expect(await drained(spool)).toEqual(['one']);
  expect(warnings).toEqual([expect.stringContaining('1 spooled line')]);
  expect(await segments('.damaged')).toHaveLength(1);
  expect(await drained(spool)).toEqual([]);
});

test('when nothing can be written appending fails, and works again when it can', async () => {
  const spool = await aSpool();
  await spool.append(aDelivery('before'));
  await rename(directory, `${directory}-away`);
  await expect(spool.append(aDelivery('during'))).rejects.toThrow('ENOENT');
  await expect(spool.check()).rejects.toThrow('ENOENT');
  await rename(`${directory}-away`, directory);
  await spool.append(aDelivery('after'));
  await spool.check();
  // What was in hand when the directory went is found like that of a dead process.
  await vi.waitFor(async () => expect(await segments('.open')).toHaveLength(2));
  const next = await aSpool({ deadAfterMs: 0 });
  expect(await drained(next)).toEqual(expect.arrayContaining(['before', 'after']));
});

test('a spool that cannot be written is refused at once', async () => {
  await mkdir(path.dirname(directory), { recursive: true });
  await writeFile(directory, 'a file');
  await expect(openSpool({ directory, onWarning: () => {} })).rejects.toThrow();
});

test('what is in the spool is for its owner only to read', async () => {
  const spool = await aSpool();
  await spool.append(aDelivery('one'));
  const [open = ''] = await segments('.open');
  expect((await stat(path.join(directory, open))).mode & 0o077).toBe(0);
  expect((await stat(directory)).mode & 0o077).toBe(0);
});
