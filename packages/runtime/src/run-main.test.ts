import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';

const packageDirectory = path.join(import.meta.dirname, '..');
const children: ChildProcess[] = [];
const pids: number[] = [];
const directories: string[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const pid of pids.splice(0)) endIfThere(pid);
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true, force: true });
});

function endIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended by itself
  }
}

/** A process of its own that calls runMain with these options. */
function aProcess(options: string, { ipc = false } = {}) {
  const script = `
    import { ConfigError, createLog, runMain } from './src/index.ts';
    const say = (text) => process.stdout.write(text + '\\n');
    const forEver = () => new Promise(() => {});
    await runMain({ name: 'test', ${options} });
    say('resolved');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: packageDirectory,
    stdio: ['ignore', 'pipe', 'pipe', ...(ipc ? (['ipc'] as const) : [])],
  });
  children.push(child);
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  // Not the event 'close': Node never emits it for a child whose IPC channel was disconnected.
  const readers = [child.stdout, child.stderr].map((stream) => stream !== null && finished(stream).catch(() => {}));
  const exited = once(child, 'exit');
  return {
    child,
    says: (text: string) => vi.waitFor(() => expect(stdout).toContain(text), { timeout: 30_000 }),
    ended: async () => {
      const [code] = await exited;
      await Promise.all(readers);
      return { code, stdout: stdout.trim().split('\n'), stderr: stderr.trim().split('\n') };
    },
  };
}

const twoThings = `
  defer('first', () => say('first closed'));
  defer('second', async () => { await null; say('second closed'); });`;

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
  '%s closes everything in reverse order and exits 0',
  async (signal) => {
    const { child, says, ended } = aProcess(`start: async ({ defer, signal }) => {
    ${twoThings}
    signal.addEventListener('abort', () => say('aborted'));
  }`);
    await says('resolved');
    child.kill(signal);
    expect(await ended()).toEqual({
      code: 0,
      stdout: ['resolved', 'aborted', 'second closed', 'first closed'],
      stderr: [''],
    });
  },
);

test('one Ctrl-C that arrives twice, as under npm, is one signal', async () => {
  const { child, says, ended } = aProcess(`start: async ({ defer }) => {
    defer('slow', async () => { say('closing'); await new Promise((end) => setTimeout(end, 200)); say('closed'); });
  }`);
  await says('resolved');
  child.kill('SIGINT');
  child.kill('SIGTERM');
  expect(await ended()).toMatchObject({ code: 0, stdout: ['resolved', 'closing', 'closed'] });
});

test.each(['SIGTERM', 'SIGINT'] as const)(
  'a command that is told to end by %s before it is done has failed',
  async (signal) => {
    const { child, says, ended } = aProcess(
      `isCommand: true, start: async () => { say('begun'); await forEver(); return 0; }`,
    );
    await says('begun');
    child.kill(signal);
    expect((await ended()).code).toBe(1);
  },
);

test('a second signal exits at once', async () => {
  const { child, says, ended } = aProcess(`closeTimeoutMs: 600_000, start: async ({ defer }) => {
    defer('hanging', () => { say('closing'); return forEver(); });
  }`);
  await says('resolved');
  child.kill('SIGINT');
  await says('closing');
  const again = setInterval(() => child.kill('SIGINT'), 100);
  expect(await ended()).toMatchObject({ code: 1 });
  clearInterval(again);
});

test('a child ends with its parent, whose IPC channel breaks', async () => {
  const { child, says, ended } = aProcess(`start: async ({ defer }) => { ${twoThings} }`, { ipc: true });
  await says('resolved');
  child.disconnect();
  expect(await ended()).toEqual({ code: 0, stdout: ['resolved', 'second closed', 'first closed'], stderr: [''] });
});

test('wrong configuration: every problem on a line of its own, exit 2, and nothing is left running', async () => {
  const { ended } = aProcess(`start: async ({ defer }) => {
    ${twoThings}
    setInterval(() => {}, 1_000);
    throw new ConfigError(['ONE is not set', 'TWO: must be short']);
  }`);
  expect(await ended()).toEqual({
    code: 2,
    stdout: ['second closed', 'first closed'],
    stderr: ['test: ONE is not set', 'test: TWO: must be short'],
  });
});

test('a start that fails: message and causes without secrets, exit 1, and nothing is left running', async () => {
  const { ended } = aProcess(`start: async ({ defer, secrets }) => {
    ${twoThings}
    secrets.add('hunter2hunter2');
    throw new Error('no database', { cause: new Error('password hunter2hunter2 refused') });
  }`);
  expect(await ended()).toEqual({
    code: 1,
    stdout: ['second closed', 'first closed'],
    stderr: ['test: no database', 'test: because: password [redacted] refused'],
  });
});

test('a start that throws at once is a start that fails', async () => {
  const { ended } = aProcess(`start: () => { throw new AggregateError([new Error('one'), new Error('two')]); }`);
  expect(await ended()).toEqual({
    code: 1,
    stdout: [''],
    stderr: ['test: AggregateError', 'test: because: one', 'test: because: two'],
  });
});

test('a start that resolves to a number is a whole run: everything is closed and the number is the exit code', async () => {
  const { ended } = aProcess(`start: async ({ defer }) => { ${twoThings} return 3; }`);
  expect(await ended()).toMatchObject({ code: 3, stdout: ['second closed', 'first closed'], stderr: [''] });
});

test.each([
  ['gives up', `new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))`],
  ['does not listen', 'forEver()'],
])('told to end during a start that %s: exit 0', async (_, waiting) => {
  const { child, says, ended } = aProcess(`closeTimeoutMs: 500, start: async ({ defer, signal }) => {
    ${twoThings}
    say('starting');
    await ${waiting};
  }`);
  await says('starting');
  child.kill('SIGTERM');
  expect(await ended()).toEqual({ code: 0, stdout: ['starting', 'second closed', 'first closed'], stderr: [''] });
});

test('what hangs while closing is named, the rest is closed, exit 1', async () => {
  const { child, says, ended } = aProcess(`closeTimeoutMs: 500, start: async ({ defer }) => {
    ${twoThings}
    defer('the queue', forEver);
  }`);
  await says('resolved');
  child.kill('SIGTERM');
  expect(await ended()).toEqual({
    code: 1,
    stdout: ['resolved', 'second closed', 'first closed'],
    stderr: ['test: the queue did not close within 500 ms'],
  });
});

test('what fails to close is named, the rest is closed, exit 1', async () => {
  const { child, says, ended } = aProcess(`start: async ({ defer }) => {
    ${twoThings}
    defer('the queue', async () => { throw new Error('gone'); });
  }`);
  await says('resolved');
  child.kill('SIGTERM');
  expect(await ended()).toEqual({
    code: 1,
    stdout: ['resolved', 'second closed', 'first closed'],
    stderr: ['test: could not close the queue', 'test: gone'],
  });
});

test.each([
  ['a rejection', 'Promise.reject(new Error("boom"))'],
  ['an exception', 'setImmediate(() => { throw new Error("boom"); })'],
])('%s that nobody caught is logged, everything is closed, exit 1', async (_, mistake) => {
  const { ended } = aProcess(`start: async ({ defer, secrets, useLog }) => {
    ${twoThings}
    useLog(createLog({ name: 'test', level: 'info', secrets }));
    ${mistake};
  }`);
  const { code, stdout, stderr } = await ended();
  expect({ code, stderr }).toEqual({ code: 1, stderr: [''] });
  expect(stdout.slice(-2)).toEqual(['second closed', 'first closed']);
  const entry = stdout.find((line) => line.startsWith('{')) ?? '{}';
  expect(JSON.parse(entry)).toMatchObject({ level: 'fatal', error: { message: 'boom' } });
});

test.each([
  [
    'any error',
    `new Error('the database is newer', { cause: new Error('seen') })`,
    1,
    ['test: the database is newer', 'test: because: seen'],
  ],
  ['wrong configuration', `new ConfigError(['ONE is not set'])`, 2, ['test: ONE is not set']],
])(
  'a lifetime that fails with %s ends as a start that fails with it, closing everything',
  async (_, error, exitCode, said) => {
    const { ended } = aProcess(`start: async ({ defer, fail }) => {
    ${twoThings}
    setTimeout(() => { fail(${error}); fail(new Error('once more')); }, 100);
  }`);
    expect(await ended()).toEqual({
      code: exitCode,
      stdout: ['resolved', 'second closed', 'first closed'],
      stderr: said,
    });
  },
);

test('with a log, why a lifetime fails is logged', async () => {
  const { ended } = aProcess(`start: async ({ secrets, useLog, fail }) => {
    useLog(createLog({ name: 'test', level: 'info', secrets }));
    setTimeout(() => fail(new Error('the database is newer')), 100);
  }`);
  const { code, stdout, stderr } = await ended();
  expect({ code, stderr }).toEqual({ code: 1, stderr: [''] });
  expect(JSON.parse(stdout.at(-1) ?? '')).toMatchObject({
    level: 'fatal',
    msg: 'the database is newer',
    error: { message: 'the database is newer' },
  });
});

test('a lifetime that fails while it ends as told changes nothing', async () => {
  const { child, says, ended } = aProcess(`start: async ({ defer, fail }) => {
    defer('it', () => fail(new Error('too late')));
  }`);
  await says('resolved');
  child.kill('SIGTERM');
  expect(await ended()).toEqual({ code: 0, stdout: ['resolved'], stderr: [''] });
});

test('without a log, an error that nobody caught goes to stderr', async () => {
  const { ended } = aProcess(`start: async () => { setImmediate(() => { throw new Error('boom'); }); }`);
  expect(await ended()).toMatchObject({ code: 1, stderr: ['test: an error that nobody caught', 'test: boom'] });
});

test('all that was printed reaches a reader that takes its time', async () => {
  const { child, ended } = aProcess(`start: async () => { say('x'.repeat(5_000_000)); return 1; }`);
  child.stdout?.pause();
  await sleep(500);
  child.stdout?.resume();
  const { code, stdout } = await ended();
  expect({ code, length: stdout[0]?.length }).toEqual({ code: 1, length: 5_000_000 });
});

test('a reader that does not read holds up the end of a long run for two seconds at most', async () => {
  const { child, ended } = aProcess(`start: async () => { say('x'.repeat(5_000_000)); }`);
  child.stdout?.pause();
  await vi.waitFor(() => expect(child.stdout?.readableLength).toBeGreaterThan(0), { timeout: 30_000 });
  child.kill('SIGTERM');
  const [code] = await once(child, 'exit');
  expect(code).toBe(0);
  child.stdout?.resume();
  await ended();
});

test('a signal ends a whole run whose reader does not read', async () => {
  const { child, ended } = aProcess(`start: async () => { say('x'.repeat(5_000_000)); return 3; }`);
  child.stdout?.pause();
  await vi.waitFor(() => expect(child.stdout?.readableLength).toBeGreaterThan(0), { timeout: 30_000 });
  await sleep(300);
  expect(child.exitCode).toBe(null);
  child.kill('SIGINT');
  const [code] = await once(child, 'exit');
  expect(code).toBe(3);
  child.stdout?.resume();
  await ended();
});

test.each([
  ['ends it', ''],
  ['that it does not belong to does not', 'setsid -w '],
])('a terminal that is lost %s, and it closes everything when it is told', async (_, own) => {
  const directory = await mkdtemp(path.join(tmpdir(), 'procore-mirror-terminal-'));
  directories.push(directory);
  const file = path.join(directory, 'said');
  const script = `
    import { appendFileSync } from 'node:fs';
    import { runMain } from './src/index.ts';
    const note = (text) => appendFileSync('${file}', text + '\\n');
    await runMain({ name: 'test', start: async ({ defer }) => {
      note(process.pid);
      setInterval(() => { console.log('busy'); console.error('busy'); }, 20);
      defer('it', () => note('closed'));
    } });`;
  const terminal = spawn(
    'script',
    ['-qfec', `${own}"${process.execPath}" --input-type=module -e "${script}"`, '/dev/null'],
    {
      cwd: packageDirectory,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  children.push(terminal);
  const said = async () => (await readFile(file, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
  await vi.waitFor(async () => expect(await said()).toHaveLength(1), { timeout: 30_000 });
  const pid = Number((await said())[0]);
  pids.push(pid);
  await once(terminal.stdout, 'data');
  terminal.kill('SIGKILL');
  await once(terminal, 'exit');
  if (own !== '') {
    await sleep(500);
    expect(await said()).toHaveLength(1);
    process.kill(pid, 'SIGTERM');
  }
  await vi.waitFor(async () => expect(await said()).toEqual([String(pid), 'closed']), { timeout: 5_000 });
});

test('a reader of the log that goes away does not end the process', async () => {
  const { child, says, ended } = aProcess(
    `start: async ({ defer, secrets, signal }) => {
      const log = createLog({ name: 'test', level: 'info', secrets });
      process.on('message', () => { for (const text of ['one', 'two']) { log.info(text); say(text); } process.send('said'); });
      defer('log', () => log.info('closing'));
    }`,
    { ipc: true },
  );
  await says('resolved');
  child.stdout?.destroy();
  for (let round = 0; round < 3; round++) {
    child.send('speak');
    await once(child, 'message');
  }
  child.kill('SIGTERM');
  expect(await ended()).toMatchObject({ code: 0, stderr: [''] });
});
