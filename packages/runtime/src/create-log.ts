import { type Logger, pino } from 'pino';
import { prettyFactory } from 'pino-pretty';
import type { Secrets } from './secrets.ts';
import { serializeError } from './serialize-error.ts';

/** A pino logger, as made by `createLog`. */
export type Log = Logger;

/**
 * A log that writes one JSON line per entry to stdout at once, or readable lines when stdout is a terminal (`pretty`
 * decides otherwise, `write` takes the lines elsewhere). Every line passes `secrets.redact`. Errors given as a value of
 * any key are written with name, message, status, code and causes, never with bodies.
 */
export function createLog(options: {
  name: string;
  level: string;
  secrets: Secrets;
  pretty?: boolean;
  write?: (line: string) => void;
}): Log {
  const write = options.write ?? writeToStdout();
  const pretty = options.pretty ?? (options.write === undefined && process.stdout.isTTY);
  const render = pretty ? prettyFactory({ colorize: process.stdout.isTTY, ignore: 'pid,hostname,name' }) : String;
  return pino(
    {
      name: options.name,
      level: options.level,
      timestamp: pino.stdTimeFunctions.isoTime,
      errorKey: 'error',
      serializers: { error: plain },
      formatters: { level: (level) => ({ level }), log: withPlainErrors },
    },
    { write: (line: string) => write(render(options.secrets.redact(line))) },
  );
}

// Synchronous, so that the last words before an exit are not lost; pino falls silent when the reader is gone.
function writeToStdout(): (line: string) => void {
  const stdout = pino.destination({ dest: 1, sync: true });
  return (line) => {
    stdout.write(line);
  };
}

function withPlainErrors(entry: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(entry).map(([key, value]) => [key, plain(value)]));
}

function plain(value: unknown): unknown {
  return value instanceof Error ? serializeError(value) : value;
}
