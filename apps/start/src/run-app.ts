import { type ChildProcess, spawn } from 'node:child_process';
import { open, readFile, rename, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A log that has grown so large is put aside at the next start. */
const LARGE_LOG_BYTES = 10_000_000;
const apps = path.resolve(import.meta.dirname, '../..');

export type AppName = 'ingest' | 'worker' | 'simulator';

export type RunningApp = {
  /** Rejects, with the end of its log, when the app ends before it was told to. Never resolves. */
  failed: Promise<never>;
  /** Tells it to stop, and ends it after 5.5 s if it has not. */
  close: () => Promise<void>;
};

type AppOptions = {
  name: AppName;
  env: Record<string, string | undefined>;
  /** Everything it prints goes there, after what is there already: it may be what somebody looks for. */
  logFile: string;
  /** Answers 2xx once the app can do its work. */
  readyUrl: string;
  signal: AbortSignal;
};

/** Starts an app of ours as a process of its own and waits, a minute at most, until it can do its work. */
export async function runApp({ name, env, logFile, readyUrl, signal }: AppOptions): Promise<RunningApp> {
  await keepShort(logFile);
  const log = await open(logFile, 'a', 0o600);
  // A group of its own, so that Ctrl-C reaches it through us only; the channel tells it when we are gone.
  const child = spawn(process.execPath, [path.join(apps, name, 'src/main.ts')], {
    env: env as NodeJS.ProcessEnv,
    cwd: path.resolve(apps, '..'),
    stdio: ['ignore', log.fd, log.fd, 'ipc'],
    detached: true,
  });
  await log.close();
  let isClosing = false;
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const failed = ended.then(async () => {
    if (isClosing) return await new Promise<never>(() => {});
    throw new Error(`${name} has ended (exit code ${child.exitCode ?? child.signalCode}):\n${await endOf(logFile)}`);
  });
  failed.catch(() => {}); // whoever waits for it hears of it
  const close = async () => {
    isClosing = true;
    await stop(child, ended);
  };
  try {
    await Promise.race([untilReady(name, readyUrl, signal), failed]);
  } catch (error) {
    await close();
    throw error;
  }
  return { failed, close };
}

/** Puts aside a log that has grown large, in the place of the one put aside before. */
async function keepShort(logFile: string): Promise<void> {
  const { size } = await stat(logFile).catch(() => ({ size: 0 }));
  if (size > LARGE_LOG_BYTES) await rename(logFile, `${logFile}.old`);
}

async function endOf(logFile: string): Promise<string> {
  return (await readFile(logFile, 'utf8')).trimEnd().split('\n').slice(-15).join('\n');
}

async function untilReady(name: string, url: string, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + 60_000;
  let said = 'it does not answer';
  while (performance.now() < deadline) {
    try {
      const answer = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(6_000)]) });
      said = await answer.text();
      if (answer.ok) return;
    } catch {
      signal.throwIfAborted();
    }
    await sleep(100, undefined, { signal });
  }
  throw new Error(`${name} was not ready after a minute: ${said}`);
}

async function stop(child: ChildProcess, ended: Promise<void>): Promise<void> {
  const patience = new AbortController();
  child.kill('SIGTERM');
  const tooLate = sleep(5_500, undefined, { signal: patience.signal }).then(
    () => child.kill('SIGKILL'),
    () => {},
  );
  await ended;
  patience.abort();
  await tooLate;
}
