import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';

// A workspace of its own whose pnpm is a few lines: it notes how it was called and "installs" the Node we run on. Its npm
// fails, so that nothing of this reaches a registry.
const fakePnpm = `
  const fs = require('node:fs');
  fs.appendFileSync('calls', process.argv.slice(2).join(' ') + '\\n');
  if (fs.existsSync('refuse')) { console.log('no such package'); process.exit(4); }
  fs.mkdirSync('node_modules/.bin', { recursive: true });
  fs.writeFileSync('node_modules/.bin/node', fs.readFileSync('node'), { mode: 0o755 });`;

let root: string;

beforeEach(async () => {
  root = await mkdtemp('/tmp/procore-mirror-workspace-');
  await mkdir(path.join(root, 'scripts'));
  await mkdir(path.join(root, 'node_modules/pnpm/bin'), { recursive: true });
  await copyFile(path.join(import.meta.dirname, 'with-workspace.mjs'), path.join(root, 'scripts/with-workspace.mjs'));
  await write('package.json', '{ "packageManager": "pnpm@1.2.3" }');
  await write('pnpm-lock.yaml', 'lock');
  await write('pnpm-workspace.yaml', 'workspace');
  await write('node_modules/pnpm/package.json', '{ "version": "1.2.3" }');
  await write('node_modules/pnpm/bin/pnpm.cjs', fakePnpm);
  await write('npm-cli.js', 'process.exit(9)');
  await write('node', `#!/bin/sh\nexec "${process.execPath}" "$@"\n`);
});

afterEach(() => rm(root, { recursive: true, force: true }));

const write = (file: string, text: string) => writeFile(path.join(root, file), text);

type Ended = { code: number | null; stdout: string; stderr: string };
type Started = { child: ChildProcess; seen: (text: string) => Promise<void>; ended: Promise<Ended> };

function start(args: string[], env: Record<string, string> = {}): Started {
  const script = path.join(root, 'scripts/with-workspace.mjs');
  const { npm_lifecycle_event: _, ...rest } = process.env;
  const child = spawn(process.execPath, [script, ...args], {
    env: { ...rest, PATH: '/usr/bin:/bin', npm_execpath: path.join(root, 'npm-cli.js'), ...env },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text) => {
    stdout += text;
  });
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const ended = once(child, 'close').then(([code]) => ({ code, stdout, stderr }));
  const seen = async (text: string) => {
    for (let tries = 0; !stdout.includes(text); tries++) {
      if (tries > 1000) throw new Error(`"${text}" did not appear in: ${stdout}${stderr}`);
      await sleep(20);
    }
  };
  return { child, seen, ended };
}

const run = (args: string[], env?: Record<string, string>) => start(args, env).ended;

async function goneWithin30s(pid: number): Promise<boolean> {
  for (let tries = 0; tries < 600; tries++) {
    const state = await readFile(`/proc/${pid}/stat`, 'utf8').then(
      (text) => text.split(') ')[1]?.[0],
      () => 'gone',
    );
    if (state === 'gone' || state === 'Z') return true;
    await sleep(50);
  }
  return false;
}

test('it installs once, and again only when the lockfile changes', async () => {
  await run(['true']);
  await run(['true']);
  expect(await readFile(path.join(root, 'calls'), 'utf8')).toBe(
    'install --frozen-lockfile --prod=false --prefer-offline --reporter=append-only\n',
  );
  await write('pnpm-lock.yaml', 'another lock');
  await run(['true']);
  expect((await readFile(path.join(root, 'calls'), 'utf8')).match(/install/g)).toHaveLength(2);
});

test.each([2, 12])('%i at the same time install once', async (number) => {
  const all = await Promise.all(Array.from({ length: number }, () => run(['true'])));
  expect(all.filter(({ code }) => code !== 0)).toEqual([]);
  expect((await readFile(path.join(root, 'calls'), 'utf8')).match(/install/g)).toHaveLength(1);
});

test.each(['', 'not a number', '0', '999999999'])(
  'the lock of a process that is gone (%o) holds up nobody',
  async (owner) => {
    await write('node_modules/.installing', owner);
    const all = await Promise.all(Array.from({ length: 6 }, () => run(['true'])));
    expect(all.filter(({ code }) => code !== 0)).toEqual([]);
    expect((await readFile(path.join(root, 'calls'), 'utf8')).match(/install/g)).toHaveLength(1);
  },
);

test('the command runs in the root of the workspace, with the Node of the workspace first on the path', async () => {
  const { stdout } = await run(['sh', '-c', 'pwd; command -v node']);
  expect(stdout).toBe(`${root}\n${root}/node_modules/.bin/node\n`);
});

test('the exit code of the command is passed on', async () => {
  expect((await run(['node', '-e', 'process.exit(7)'])).code).toBe(7);
  expect((await run(['no-such-program'])).code).toBe(127);
});

test('a failed install ends with what pnpm said, runs nothing, and is tried again next time', async () => {
  await write('refuse', '');
  const failed = await run(['echo', 'ran']);
  expect(failed.code).toBe(2);
  expect(failed.stdout).toBe('');
  expect(failed.stderr).toContain('no such package');
  await rm(path.join(root, 'refuse'));
  expect((await run(['echo', 'ran'])).stdout).toBe('ran\n');
});

test('a Node that is too old is refused with what to do', async () => {
  await write('node', '#!/bin/sh\necho v20.1.0\n');
  const { code, stderr } = await run(['echo', 'ran']);
  expect(code).toBe(2);
  expect(stderr).toContain('is v20.1.0, and 24 or newer is needed');
});

test('it works without a home directory', async () => {
  expect((await run(['echo', 'ran'], { HOME: '' })).stdout).toBe('ran\n');
});

const countsSignals = `
  let n = 0;
  process.on('SIGINT', () => { n += 1; setTimeout(() => { console.log('signals: ' + n); process.exit(3); }, 300); });
  console.log('ready');
  setInterval(() => {}, 1000);`;

test('a Ctrl-C that comes from the terminal and again from npm reaches the command once', async () => {
  const { child, seen, ended } = start(['node', '-e', countsSignals]);
  await seen('ready');
  child.kill('SIGINT');
  child.kill('SIGINT');
  await sleep(50);
  child.kill('SIGINT');
  expect(await ended).toMatchObject({ code: 3, stdout: expect.stringContaining('signals: 1\n') });
});

const leavesChild = `
  const { spawn } = require('node:child_process');
  const child = spawn('sleep', ['300'], { stdio: 'ignore' });
  child.unref();
  console.log('pid: ' + child.pid + ' ready');`;

test('what the command left running is ended with it', async () => {
  const { stdout } = await run(['node', '-e', leavesChild]);
  expect(await goneWithin30s(Number(stdout.match(/pid: (\d+)/)?.[1]))).toBe(true);
});

test('the command learns of it when we are killed', async () => {
  const { child, seen } = start([
    'node',
    '-e',
    `process.on('disconnect', () => process.exit()); console.log('pid: ' + process.pid + ' ready');`,
  ]);
  let text = '';
  child.stdout?.on('data', (chunk) => {
    text += chunk;
  });
  await seen('ready');
  child.kill('SIGKILL');
  expect(await goneWithin30s(Number(text.match(/pid: (\d+)/)?.[1]))).toBe(true);
});
