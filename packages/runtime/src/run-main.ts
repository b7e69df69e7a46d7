// The life of a process:
//
//   start ──▶ running ──signal──▶ closing ──▶ exit 0
//     │          ├──unhandled error──▶ closing ──▶ exit 1
//     │          └──fail(error)──▶ closing ──▶ as a start that fails
//     ├──ConfigError──▶ closing ──▶ exit 2
//     └──any error────▶ closing ──▶ exit 1      (closing that hangs or fails: exit 1)
import { setTimeout as sleep } from 'node:timers/promises';
import { answerArguments } from './answer-arguments.ts';
import type { Log } from './create-log.ts';
import { ConfigError } from './errors.ts';
import { nodeProblem } from './node-problem.ts';
import { createSecrets, type Secrets } from './secrets.ts';
import { serializeError } from './serialize-error.ts';
import { createShutdown } from './shutdown.ts';

export type Lifetime = {
  /** Aborted when the process is to end. */
  signal: AbortSignal;
  /** Has this closed when the process ends; what was deferred last is closed first. */
  defer: (name: string, close: () => Promise<unknown> | unknown) => void;
};

export type MainLifetime = Lifetime & {
  /** The secrets of this process: hand them to `createLog`; what runMain prints passes them, too. */
  secrets: Secrets;
  /** From now on what goes wrong after the start is logged here, instead of printed on stderr. */
  useLog: (log: Log) => void;
  /** Ends the process with this error: message and exit code are those of a start that fails with it. */
  fail: (error: unknown) => void;
};

const CLOSING_LIMIT_MS = 10_000;
// npm hands a Ctrl-C on to children that the terminal has told already: that is one signal, not two.
const SAME_SIGNAL_MS = 1_000;
/** A process that others wait for does not wait for who reads its log. */
const SLOW_READER_MS = 2_000;
const outputs = [process.stdout, process.stderr];

/**
 * Runs a process from its start until SIGTERM, SIGINT, SIGHUP or, when it was spawned with an IPC channel, the end of its
 * parent; then closes what was deferred and exits, all within 10 s (`closeTimeoutMs`). When `start` resolves to a
 * number, the process closes down by itself and exits with it, once its readers have all that it printed or are gone; otherwise
 * it stays until it is told to end.
 * Exit codes: 0 ended as told, 1 failed (at the start, later, or while closing; or a command was told to end before it was done), 2 wrong
 * configuration.
 */
export async function runMain(options: {
  name: string;
  start: (lifetime: MainLifetime) => Promise<void> | Promise<number>;
  /** What the process does, in a sentence, for `--help`: it takes no arguments, and ends with exit code 2 when it is given some. */
  about?: string;
  log?: Log;
  closeTimeoutMs?: number;
  /** It comes to its end by itself: to be told to end before is to fail. */
  isCommand?: boolean;
}): Promise<void> {
  const problem = nodeProblem(process.version);
  if (problem !== null) {
    process.stderr.write(`${options.name}: ${problem}\n`);
    process.exit(2);
  }
  const answer =
    options.about === undefined
      ? null
      : answerArguments({ name: options.name, about: options.about }, process.argv.slice(2));
  if (answer !== null) {
    process[answer.code === 0 ? 'stdout' : 'stderr'].write(answer.text);
    process.exit(answer.code);
  }
  const secrets = createSecrets();
  const report = createReport(options.name, secrets, options.log);
  const shutdown = createShutdown(options.closeTimeoutMs ?? CLOSING_LIMIT_MS);
  const staysAlive = setInterval(() => {}, 2 ** 30);
  let exitCode = 0;
  /** Did it come to its end by itself? */
  let isWhole = false;
  /** Is everything closed, and only output on its way? */
  let isDone = false;
  let ending: Promise<never> | null = null;

  function end(code: number): Promise<never> {
    exitCode = Math.max(exitCode, code);
    ending ??= closeAndExit();
    return ending;
  }

  async function closeAndExit(): Promise<never> {
    for (const failure of await shutdown.run()) {
      report.failed(failure.message, failure.error);
      exitCode = Math.max(exitCode, 1);
    }
    clearInterval(staysAlive);
    isDone = true;
    await drained(isWhole ? undefined : SLOW_READER_MS);
    process.exit(exitCode);
  }

  // A reader or a terminal that is gone (`… | head`) is no failure of ours, and there is nobody left to tell.
  for (const stream of outputs) stream.on('error', () => {});
  endOnSignals((code) => (isDone ? process.exit(exitCode) : end(options.isCommand === true && !isWhole ? 1 : code)));
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      report.failed('an error that nobody caught', error);
      void end(1);
    });
  }
  function fail(error: unknown): void {
    if (ending !== null) return; // it has its reason
    report.endedBy(error);
    void end(exitCodeOf(error));
  }
  const lifetime = { signal: shutdown.signal, defer: shutdown.defer, secrets, useLog: report.useLog, fail };
  const started = Promise.try<unknown, []>(() => options.start(lifetime));
  shutdown.waitFor(started);
  try {
    const code = await started;
    isWhole = typeof code === 'number';
    if (typeof code === 'number') await end(code);
  } catch (error) {
    // Told to end while starting: that the start then fails is no news.
    if (ending !== null) await ending;
    report.startFailed(error);
    await end(exitCodeOf(error));
  }
}

function exitCodeOf(error: unknown): number {
  return error instanceof ConfigError ? 2 : 1;
}

/** Waits until those who read our output have it, or are gone; at most so long, ms. */
async function drained(limitMs: number | undefined): Promise<void> {
  const all = outputs.map((stream) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (stream.destroyed || stream.writableLength === 0) resolve();
    else stream.write('', () => resolve());
    return promise;
  });
  const written = Promise.all(all);
  await (limitMs === undefined ? written : Promise.race([written, sleep(limitMs)]));
}

function endOnSignals(end: (code: number) => Promise<never>): void {
  let firstAt: number | null = null;
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (firstAt !== null && performance.now() - firstAt > SAME_SIGNAL_MS) process.exit(1);
      firstAt ??= performance.now();
      void end(0);
    });
  }
  if (process.connected) process.once('disconnect', () => void end(0));
}

function createReport(name: string, secrets: Secrets, firstLog: Log | undefined) {
  let log = firstLog;
  const print = (lines: readonly string[]) => {
    for (const line of lines) process.stderr.write(`${secrets.redact(`${name}: ${line}`)}\n`);
  };
  const startFailed = (error: unknown) => print(error instanceof ConfigError ? error.problems : inWords(error));
  return {
    useLog(next: Log): void {
      log = next;
    },
    startFailed,
    endedBy(error: unknown): void {
      if (log === undefined) startFailed(error);
      else log.fatal({ error }, serializeError(error).message);
    },
    failed(message: string, error: unknown): void {
      if (log === undefined) print([message, ...(error === undefined ? [] : inWords(error))]);
      else log.fatal(error === undefined ? {} : { error }, message);
    },
  };
}

function inWords(error: unknown): string[] {
  const lines: string[] = [];
  for (let current = serializeError(error), more = true; more; ) {
    lines.push(`${lines.length === 0 ? '' : 'because: '}${current.message === '' ? current.name : current.message}`);
    for (const each of current.errors ?? []) lines.push(`because: ${each.message}`);
    more = current.cause !== undefined;
    if (current.cause !== undefined) current = current.cause;
  }
  return lines;
}
