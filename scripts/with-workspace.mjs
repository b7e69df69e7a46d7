// Runs a command inside the workspace, from a bare clone: installs what is missing, then runs the rest of the arguments
// with the Node of the workspace first on the path. Plain JavaScript, because it starts on whatever Node (≥ 20) is there.
//
//   terminal ─Ctrl-C─▶ npm ─▶ this ──one signal──▶ the command (a process group of its own) ─▶ its children
//
// The command has its own group, so that Ctrl-C reaches it once, through us (npm repeats the terminal's signal), and so
// that nothing of it is left when it has ended.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const modules = path.join(root, 'node_modules');
const programs = path.join(modules, '.bin');
const stampFile = path.join(modules, '.installed-by-with-workspace');
const lockFile = path.join(modules, '.installing');
const [program, ...args] = process.argv.slice(2);

if (program === undefined) fail('usage: node scripts/with-workspace.mjs <program> [arguments]');
if (Number.parseInt(process.versions.node, 10) < 20)
  fail(
    `Node ${process.versions.node} is too old to install the workspace: Node 20 or newer is needed (https://nodejs.org).`,
  );

if (!isInstalled()) await install();
checkNode();
process.exit(await run());

/** @param {string} message @returns {never} */
function fail(message) {
  console.error(message);
  process.exit(2);
}

function isInstalled() {
  return existsSync(path.join(programs, 'node')) && readText(stampFile) === wantedStamp();
}

function wantedStamp() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\n`);
  for (const name of ['pnpm-lock.yaml', 'pnpm-workspace.yaml']) hash.update(readFileSync(path.join(root, name)));
  return hash.digest('hex');
}

async function install() {
  mkdirSync(modules, { recursive: true });
  if (!(await takeLock())) return; // another process has installed meanwhile
  const home = temporaryHome();
  let said = '';
  let isDone = false;
  for (const [command, ...commandArgs] of pnpmCommands()) {
    if (isDone) break;
    const { code, output } = await runInstall(command, commandArgs, installEnvironment(home));
    isDone = code === 0;
    said += `${output}\n(exit code ${code})\n`;
  }
  if (isDone) writeFileSync(stampFile, wantedStamp()); // before the lock goes: the next one looks for it
  rmSync(lockFile, { force: true });
  if (home !== null) rmSync(home, { recursive: true, force: true });
  if (!isDone) fail(`${said}Installing the packages failed; what was tried is above.`);
}

/**
 * What to try in turn: the pnpm of the workspace when it is the pinned one (this needs no network, but it cannot replace
 * the directory it runs from), then the pinned one through npm.
 */
function pnpmCommands() {
  const [, version] = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')).packageManager.split('@');
  const install = ['install', '--frozen-lockfile', '--prod=false', '--prefer-offline', '--reporter=append-only'];
  const own = path.join(modules, 'pnpm');
  const isPinned = JSON.parse(readText(path.join(own, 'package.json')) ?? '{}').version === version;
  return [
    ...(isPinned ? [[stockNode(), path.join(own, 'bin/pnpm.cjs'), ...install]] : []),
    [...npmCommand(), 'exec', '--yes', '--prefer-offline', `--package=pnpm@${version}`, '--', 'pnpm', ...install],
  ];
}

/**
 * A Node from outside of node_modules, which the install may replace. We may well run on the one inside: npm puts the
 * programs of the workspace first on the path.
 */
function stockNode() {
  const onPath = stockPath().map((directory) => path.join(directory, 'node'));
  const found = [process.env.npm_node_execpath, process.execPath, ...onPath].find(
    (file) => file !== undefined && existsSync(file) && !realpathSync(file).startsWith(modules + path.sep),
  );
  return found ?? process.execPath;
}

function stockPath() {
  return (process.env.PATH ?? '').split(path.delimiter).filter((directory) => !directory.startsWith(modules));
}

function npmCommand() {
  const own = process.env.npm_execpath;
  return own?.endsWith('npm-cli.js') ? [stockNode(), own] : ['npm'];
}

/** npm and pnpm keep their stores in HOME; without one that can be written, a temporary one serves. */
function temporaryHome() {
  try {
    accessSync(process.env.HOME ?? '', constants.W_OK);
    return null;
  } catch {
    return mkdtempSync(path.join(tmpdir(), 'procore-mirror-home-'));
  }
}

/** @param {string | null} home */
function installEnvironment(home) {
  const env = { ...process.env, PATH: stockPath().join(path.delimiter), CI: 'true' }; // CI: ask nothing
  if (home !== null) env.HOME = home;
  // What npm tells its scripts about this package is wrong for the packages that get installed.
  for (const name of Object.keys(env))
    if (/^npm_(package|lifecycle|config_(local|global)_prefix|config_prefix|command)/.test(name)) delete env[name];
  return env;
}

/**
 * @param {string} command @param {string[]} commandArgs @param {NodeJS.ProcessEnv} env
 * @returns {Promise<{ code: number, output: string }>}
 */
async function runInstall(command, commandArgs, env) {
  const startedAt = Date.now();
  const isTerminal = process.stderr.isTTY === true;
  let output = '';
  let latest = '';
  const child = spawn(command, commandArgs, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => {
      output = `${output}${text}`.slice(-20_000);
      latest =
        output
          .match(/Progress: [^\n]*/g)
          ?.at(-1)
          ?.slice('Progress: '.length) ?? latest;
    });
  const line = () => `Installing packages, ${Math.round((Date.now() - startedAt) / 1000)} s  ${latest}`;
  if (!isTerminal) process.stderr.write('Installing packages (once, about a minute)\n');
  const timer = isTerminal
    ? setInterval(() => process.stderr.write(`\r\x1b[K${line().slice(0, process.stderr.columns - 1)}`), 250)
    : undefined;
  const stop = () => {
    killGroup(child.pid, 'SIGTERM');
    rmSync(lockFile, { force: true });
    process.exit(130);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, stop);
  const code = await ended(child);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(signal, stop);
  clearInterval(timer);
  if (isTerminal) process.stderr.write('\r\x1b[K');
  if (code === 0) process.stderr.write(`Packages installed in ${Math.round((Date.now() - startedAt) / 1000)} s\n`);
  return { code, output };
}

/** Waits while another process installs. False when it has done what we wanted. */
async function takeLock() {
  for (let waited = 0; ; waited++) {
    if (makeLock()) {
      if (!isInstalled()) return true;
      rmSync(lockFile, { force: true });
      return false;
    }
    const owner = lockOwner();
    if (owner !== null && !isAlive(owner)) removeStaleLock();
    else if (owner !== null && waited === 0) console.error(`Process ${owner} is installing; waiting for it`);
    else if (waited > 1200)
      fail(`Process ${owner} has been installing for ten minutes; end it, or remove ${lockFile}.`);
    await sleep(500);
  }
}

/** Makes the lock with our id in it, at once: nobody sees it empty. False when there is one. */
function makeLock() {
  const ours = `${lockFile}-${process.pid}`;
  writeFileSync(ours, String(process.pid));
  try {
    linkSync(ours, lockFile);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return false;
  } finally {
    rmSync(ours, { force: true });
  }
}

/** @returns {number | null} the process that installs, null when none does (any more) */
function lockOwner() {
  const text = readText(lockFile);
  return text === undefined ? null : Number(text);
}

/** One process at a time looks again and removes, so that nobody removes a lock that was made meanwhile. */
function removeStaleLock() {
  const turn = `${lockFile}-stale`;
  try {
    mkdirSync(turn);
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    const age = Date.now() - (statSync(turn, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > 10_000) rmSync(turn, { recursive: true, force: true }); // its process was killed in between
    return;
  }
  const owner = lockOwner();
  if (owner !== null && !isAlive(owner)) rmSync(lockFile, { force: true });
  rmSync(turn, { recursive: true, force: true });
}

/** @param {number} pid */
function isAlive(pid) {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function checkNode() {
  const { stdout, error } = spawnSync(path.join(programs, 'node'), ['--version'], { encoding: 'utf8' });
  const version = (stdout ?? '').trim();
  if (error === undefined && Number.parseInt(version.slice(1), 10) >= 24) return;
  rmSync(stampFile, { force: true });
  fail(
    `The Node of the workspace (${programs}/node) is ${version || 'not usable'}, and 24 or newer is needed.\n` +
      'Its install script was perhaps not run: remove node_modules and start again.',
  );
}

/** @returns {Promise<number>} the exit code */
async function run() {
  const env = { ...process.env, PATH: `${programs}${path.delimiter}${process.env.PATH ?? ''}` };
  // The channel tells the command when we are gone, even by SIGKILL.
  const child = spawn(program, args, {
    cwd: root,
    env,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    detached: true,
  });
  let lastSignalAt = 0;
  /** @param {NodeJS.Signals} signal */
  const pass = (signal) => {
    if (Date.now() - lastSignalAt < 1000) return; // npm repeats what the terminal sent us already
    lastSignalAt = Date.now();
    if (child.exitCode === null) child.kill(signal);
  };
  process.on('SIGINT', () => pass('SIGINT'));
  process.on('SIGTERM', () => pass('SIGTERM'));
  process.on('SIGHUP', () => pass('SIGTERM'));
  if (process.env.npm_lifecycle_event !== undefined) {
    const parent = process.ppid;
    setInterval(() => process.ppid !== parent && pass('SIGTERM'), 500).unref(); // npm was killed
  }
  const code = await ended(child);
  await endGroup(child.pid);
  return code;
}

/** @param {import('node:child_process').ChildProcess} child @returns {Promise<number>} the exit code, as a shell gives it */
function ended(child) {
  return new Promise((resolve) => {
    child.once('error', (error) => {
      console.error(`${child.spawnfile}: ${error.message}`);
      resolve(127);
    });
    child.once('close', (code, signal) =>
      resolve(code ?? 128 + (signal === 'SIGINT' ? 2 : signal === 'SIGKILL' ? 9 : 15)),
    );
  });
}

/** Ends what a command left in its group. @param {number | undefined} pid */
async function endGroup(pid) {
  for (let tries = 0; tries < 100; tries++) {
    if (!killGroup(pid, tries === 0 ? 'SIGTERM' : tries === 80 ? 'SIGKILL' : 0)) return;
    await sleep(50);
  }
}

/** @param {number | undefined} pid @param {NodeJS.Signals | 0} signal @returns {boolean} whether anybody is there */
function killGroup(pid, signal) {
  try {
    if (pid === undefined) return false;
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** @param {string} file */
function readText(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  }
}
