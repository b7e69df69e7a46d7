import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export type AppProcess = {
  pid: number;
  /** Everything it wrote, stdout and stderr. */
  output: () => string;
  /** The first line on stdout, past or to come, that is a JSON object with this key. Fails when the process ends first. */
  line: (key: string) => Promise<Record<string, unknown>>;
  isRunning: () => boolean;
  /** Stops it where it stands, as a machine does that is suspended; its connections stay open. */
  pause: () => void;
  /** Lets it go on. */
  resume: () => void;
  /** Sends the signal and waits for the end; SIGKILL follows after 15 s. Resolves to the exit code, null when killed. */
  end: (signal: 'SIGTERM' | 'SIGKILL') => Promise<number | null>;
};

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const LINE_WITHIN_MS = 120_000; // beside others that start at the same time

/** Starts an app of ours as the operator would, with nothing in its environment but PATH and what is given. */
export function startApp(
  app: 'ingest' | 'worker' | 'simulator' | 'cli',
  env: Record<string, string>,
  options: { args?: readonly string[]; directory?: string } = {},
): AppProcess {
  const main = path.join(ROOT, 'apps', app, 'src', 'main.ts');
  const child = spawn(process.execPath, [main, ...(options.args ?? [])], {
    cwd: options.directory ?? '/tmp',
    env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const written: string[] = [];
  const entries: Record<string, unknown>[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    written.push(line);
    const entry = asObject(line);
    if (entry !== null) entries.push(entry);
  });
  createInterface({ input: child.stderr }).on('line', (line) => written.push(line));
  const output = () => written.join('\n');
  const isRunning = () => child.exitCode === null && child.signalCode === null;

  async function line(key: string): Promise<Record<string, unknown>> {
    const until = Date.now() + LINE_WITHIN_MS;
    for (;;) {
      const found = entries.find((entry) => key in entry);
      if (found !== undefined) return found;
      if (!isRunning() || Date.now() > until) throw new Error(`${app} wrote no line with "${key}":\n${output()}`);
      await sleep(20);
    }
  }

  return {
    pid: child.pid ?? -1,
    output,
    line,
    isRunning,
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    end: (signal) => end(child, signal),
  };
}

async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exited = once(child, 'exit');
  child.kill(signal);
  child.kill('SIGCONT'); // a process that was paused would not hear of SIGTERM
  const hard = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await exited;
  clearTimeout(hard);
  return child.exitCode;
}

function asObject(line: string): Record<string, unknown> | null {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : null;
  } catch {
    return null;
  }
}
