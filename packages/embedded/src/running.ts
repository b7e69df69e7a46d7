// A Postgres that runs on a cluster already, found by the pid file it keeps there.
import { execFile } from 'node:child_process';
import { readFile, readlink, realpath, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

export type Running = { pid: number; port: number };

/**
 * The Postgres that runs on this cluster, or null. A pid file that a killed Postgres left behind is removed: its number
 * may meanwhile belong to any other process (in a container it nearly always does), and Postgres would refuse to start.
 */
export async function findRunning(cluster: string): Promise<Running | null> {
  const pidFile = path.join(cluster, 'postmaster.pid');
  const lines = await readFile(pidFile, 'utf8').then(
    (text) => text.split('\n'),
    () => null,
  );
  if (lines === null) return null;
  const [pid, port] = [Number(lines[0]), Number(lines[3])];
  if (Number.isSafeInteger(pid) && pid > 1 && (await runsOn(pid, cluster))) return { pid, port };
  await rm(pidFile, { force: true });
  return null;
}

/** Stops whatever Postgres runs on this cluster, all it has committed safe on disk. */
export async function stopRunning(cluster: string): Promise<void> {
  const running = await findRunning(cluster);
  if (running === null) return;
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    process.kill(running.pid, signal);
    if (await endsWithin(8_000, () => runsOn(running.pid, cluster))) return;
  }
  throw new Error(`Postgres (process ${running.pid}) on ${cluster} does not end; end it by hand.`);
}

async function endsWithin(timeoutMs: number, isAlive: () => Promise<boolean>): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (await isAlive()) {
    if (Date.now() > deadline) return false;
    await sleep(50);
  }
  return true;
}

async function runsOn(pid: number, cluster: string): Promise<boolean> {
  try {
    if (process.platform === 'linux') {
      // Postgres changes into its cluster. Of a zombie, or another user's process, neither link can be read.
      const [program, directory] = await Promise.all([readlink(`/proc/${pid}/exe`), readlink(`/proc/${pid}/cwd`)]);
      return /\/postgres( \(deleted\))?$/.test(program) && directory === (await realpath(cluster));
    }
    const { stdout } = await promisify(execFile)('ps', ['-ww', '-o', 'command=', '-p', String(pid)]);
    return stdout.includes('postgres') && stdout.includes(cluster);
  } catch {
    return false;
  }
}
