// What holds for every command, whatever it does: one clear message, the exit code that is documented, no stack trace, and with --json
// one document or nothing on stdout. The commands are those of the command tree, so a new one is held to it by itself.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { catalogue } from '@procore-mirror/catalogue';
import { createMigratedDatabase } from '@procore-mirror/database/testing';
import { createSecrets } from '@procore-mirror/runtime';
import { createTestRedis, startScriptedProcore, type TestDatabase } from '@procore-mirror/testing';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, type ExpectStatic, expect, test } from 'vitest';
import { createProgram, mirrorCommand } from './mirror-command.ts';

const STACK = /^\s+at |node:internal|\w+Error\b|\bundefined\b|\[object |EPIPE/m;

/** Where nothing listens, and where something does that never says a word. */
let nobody: string;
let silence: string;

/** Stands for an argument that is needed; and what none can be. */
const ID = '1';
const GARBAGE = "x'\u001b[2J;";

/** What a command must be told to get to its work. */
const least: Record<string, string[]> = {
  'dead-letters replay': ['--all'],
  'dead-letters discard': ['D0'],
  'hooks rotate-secret': ['--wait', '1'],
  status: ['--company', '1'], // whose are no bodies, which would be something wrong
  forget: ['--company', '1'],
  reset: ['--environment', 'monthly-sandbox'],
};
/** Whose arguments are names, which are known or not, as those of options are. */
const names = ['explain'];
/** Which do something useful without any server, and which ask others than Postgres. */
const needsNothing = ['resources'];
const asksQueue = ['status', 'doctor', 'dead-letters replay'];
const asksProcore = [
  'backfill',
  'verify',
  'hooks plan',
  'hooks apply',
  'hooks status',
  'hooks rotate-secret',
  'doctor',
];
/** For which what is wrong with the settings is a finding, as long as there is a database to look at. */
const findsSettings = ['doctor'];

const commands = leavesOf(createProgram(async () => {}, { version: '1.2.3', write: () => {}, writeError: () => {} }));
const named = commands.map(({ name }) => name);

let database: TestDatabase;
let whole: Record<string, string>;
const cleanUps: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  const gone = createServer().listen(0, '127.0.0.1');
  await Promise.all([once(silent, 'listening'), once(gone, 'listening')]);
  [silence, nobody] = [addressOf(silent), addressOf(gone)];
  gone.close();
  cleanUps.push(async () => silent.close());
  database = await createMigratedDatabase(catalogue.tables);
  cleanUps.push(() => database.drop());
  await database.pool.query(
    `insert into mirror.dead_letters (id, reason, detail, raw) values ('D1', 'not_json', 'is no JSON', '{')`,
  );
  const procore = await startScriptedProcore();
  cleanUps.push(procore.close);
  whole = {
    DATABASE_URL: database.url,
    QUEUE_URL: await createTestRedis(),
    PROCORE_LOGIN_URL: procore.url,
    PROCORE_API_URL: procore.url,
    PROCORE_CLIENT_ID: 'client',
    PROCORE_CLIENT_SECRET: 'a-client-secret',
    PROCORE_COMPANY_IDS: '1',
    WEBHOOK_URL: 'https://mirror.example.com/webhooks/procore',
    WEBHOOK_AUTHORIZATION: 'Bearer of-tomorrow-and-long,Bearer of-today-and-long',
  };
});

afterAll(async () => {
  for (const cleanUp of cleanUps) await cleanUp();
});

type Leaf = { name: string; args: string[]; command: Command };
type Ran = { code: number; stdout: string; stderr: string };

function leavesOf(parent: Command, names: readonly string[] = []): Leaf[] {
  return parent.commands.flatMap((command) => {
    const path = [...names, command.name()];
    if (command.commands.length > 0) return leavesOf(command, path);
    const name = path.join(' ');
    const needed = command.registeredArguments.filter(({ required }) => required).map(() => ID);
    return [{ name, args: [...path, ...needed, ...(least[name] ?? [])], command }];
  });
}

function addressOf(server: Server): string {
  return `127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens on TCP
}

async function mirror(args: readonly string[], env: Record<string, string>): Promise<Ran> {
  const ran = { stdout: '', stderr: '' };
  const code = await mirrorCommand(args, {
    env,
    version: '1.2.3',
    startFile: '/nowhere/start.env',
    secrets: createSecrets(),
    signal: new AbortController().signal,
    write: (text) => {
      ran.stdout += text;
    },
    writeError: (text) => {
      ran.stderr += text;
    },
  });
  return { code, ...ran };
}

/** Runs it in words and with --json, and holds both to what holds for every command; returns what came of the first. */
async function run(args: readonly string[], env: Record<string, string>, expect: ExpectStatic): Promise<Ran> {
  const [inWords, asJson] = await Promise.all([mirror(args, env), mirror([...args, '--json'], env)]);
  expect(asJson.code).toBe(inWords.code);
  if (asJson.stdout !== '') JSON.parse(asJson.stdout);
  for (const { code, stdout, stderr } of [inWords, asJson]) {
    expect(stderr).not.toMatch(STACK);
    expect(stdout).not.toMatch(/^error: /m);
    if (code >= 2) expect(stderr).toMatch(/^error: /m);
  }
  if (inWords.code === 2) expect(inWords.stdout).toBe('');
  return inWords;
}

test('there are commands, and what is said of some of them here is said of commands that there are', () => {
  expect(commands.length).toBeGreaterThan(15);
  const known = [...Object.keys(least), ...names, ...needsNothing, ...asksQueue, ...asksProcore, ...findsSettings];
  expect(known.filter((name) => !named.includes(name))).toEqual([]);
});

/** One situation after the other: all at once would be an outage of its own. */
function situation(title: string, check: (leaf: Leaf, expect: ExpectStatic) => Promise<void>): void {
  describe(title, { timeout: 120_000 }, () => {
    test.concurrent.for(commands)('$name', async (leaf, context) => check(leaf, context.expect));
  });
}

situation('without configuration what is missing is named', async ({ name, args }, expect) => {
  const { code, stderr } = await run(args, {}, expect);
  if (needsNothing.includes(name)) expect(code).toBe(0);
  else {
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: DATABASE_URL is not set/m);
    expect(stderr).toMatch(/^fix: /m);
  }
});

situation('an unknown name in MIRROR_RESOURCES is refused, with all else that is wrong', async (leaf, expect) => {
  const wrong = { ...whole, MIRROR_RESOURCES: 'RFIz', QUEUE_URL: 'http://q' };
  const { code, stderr, stdout } = await run(leaf.args, wrong, expect);
  if (findsSettings.includes(leaf.name)) {
    expect(code).toBe(1);
    expect(stdout).toMatch(/^error setting-wrong: MIRROR_RESOURCES: there is no resource "RFIz"/m);
    expect(stdout).toMatch(/^error setting-wrong: QUEUE_URL/m);
    return;
  }
  expect(code).toBe(2);
  expect(stderr).toMatch(/^error: MIRROR_RESOURCES: there is no resource "RFIz"/m);
  if (!needsNothing.includes(leaf.name)) expect(stderr).toMatch(/^error: QUEUE_URL/m);
});

situation('a Postgres that is down is named', async ({ name, args }, expect) => {
  const { code, stderr } = await run(args, { ...whole, DATABASE_URL: `postgres://a:b@${nobody}/c` }, expect);
  expect(code).toBe(needsNothing.includes(name) ? 0 : 3);
  expect(stderr).toContain(nobody);
});

situation('a Postgres that is silent is named', async ({ name, args }, expect) => {
  const { code, stderr } = await run(args, { ...whole, DATABASE_URL: `postgres://a:b@${silence}/c` }, expect);
  expect(code).toBe(needsNothing.includes(name) ? 0 : 3);
  expect(stderr).toContain(silence);
});

situation('a queue that is down is named by what asks it', async ({ name, args }, expect) => {
  if (asksProcore.includes(name) && !asksQueue.includes(name)) return;
  const { code, stderr } = await run(args, { ...whole, QUEUE_URL: `redis://${nobody}` }, expect);
  if (!asksQueue.includes(name)) expect(code).not.toBe(3);
  else {
    expect(code).toBe(3);
    expect(stderr).toContain(nobody);
  }
});

for (const variable of ['PROCORE_LOGIN_URL', 'PROCORE_API_URL']) {
  situation(`a Procore that is down is named by what asks it: ${variable}`, async ({ name, args }, expect) => {
    const { code, stderr } = await run(args, { ...whole, [variable]: `http://${nobody}` }, expect);
    if (!asksProcore.includes(name)) expect(code).not.toBe(3);
    else {
      expect(code).toBe(3);
      expect(stderr).toContain(nobody);
    }
  });
}

situation('an option or argument that there is not is refused', async ({ args, command }, expect) => {
  const option = await run([...args, '--nonsense'], whole, expect);
  expect(option).toMatchObject({ code: 2, stderr: expect.stringContaining('--nonsense') });
  const argument = await run([...args, 'nonsense'], whole, expect);
  const takesMore = command.registeredArguments.some(({ variadic }) => variadic) && !args.includes('--all');
  expect(argument.code).toBe(takesMore ? 1 : 2);
});

situation('what is no id is refused', async ({ name, args, command }, expect) => {
  const options = command.options.filter(({ flags }) => /<id>/.test(flags) && !/record/.test(flags));
  for (const { long } of options) {
    for (const garbage of ['x', '', '1 or 1=1', '-1', '1e3']) {
      const { code, stderr } = await run([...args, `${long}=${garbage}`], whole, expect);
      expect(code).toBe(2);
      expect(stderr).toContain(long);
    }
  }
  if (command.registeredArguments.length === 0) return;
  const named = args.filter((arg) => !/^(D0|--all)$/.test(arg));
  const isTaken = named.includes(ID);
  const garbage = isTaken ? named.map((arg) => (arg === ID ? GARBAGE : arg)) : [...named, GARBAGE];
  const { code, stderr } = await run(garbage, whole, expect);
  expect(code).toBe(names.includes(name) ? 2 : 1);
  expect(stderr).toMatch(/^(error: )?[Tt]here is no|^The log has no/m);
  expect(stderr).not.toContain('\u001b');
});

situation('--help says how it is used', async ({ name, args }, expect) => {
  const { code, stdout, stderr } = await mirror([...args, '--help'], {});
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain(`Usage: mirror ${name}`);
  expect(stdout).toContain('--json');
});

test.each(commands)('$name ends as it would though nobody reads what it prints', async ({ args }) => {
  const env = { ...whole, PROCORE_LOGIN_URL: `http://${nobody}` };
  const { code: expected } = await run(args, env, expect);
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'main.ts'), ...args], {
    cwd: '/tmp',
    env: { ...process.env, ...env },
  });
  child.stdout.destroy();
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  expect(code).toBe(expected);
  expect(stderr).not.toMatch(STACK);
});

test.each([[], ['nonsense'], ['hooks'], ['hooks', 'nonsense'], ['--nonsense']])('%s is no command', async (...args) => {
  const { code, stdout, stderr } = await mirror(args, {});
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/^error: |^Usage: /);
});
