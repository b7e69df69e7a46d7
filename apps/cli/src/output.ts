import { printable } from '@procore-mirror/runtime';
import Table from 'cli-table3';

export { counted } from '@procore-mirror/mirror';

export type Output = {
  /** The command's result: as JSON with --json, its keys in snake_case but for those of a Map; else in words. */
  result: (value: unknown, inWords: () => string) => void;
  /** What happens on the way; not part of the result. */
  note: (line: string) => void;
  /** How far the work is: on a terminal a line that changes, else nothing. The next note ends it. */
  live: (line: string) => void;
  /** How wide that line may be; null: there is no terminal. */
  columns: () => number | null;
};

/** Prints results on stdout, JSON or text, and notes on stderr. */
export function createOutput(options: {
  json: boolean;
  write: (text: string) => void;
  writeError: (text: string) => void;
  /** Of the terminal that errors and notes go to. */
  columns?: (() => number) | undefined;
}): Output {
  const { columns } = options;
  let isLive = false;
  const clear = () => {
    if (isLive) options.writeError(CLEAR_LINE);
    isLive = false;
  };
  return {
    result: (value, inWords) => {
      clear();
      options.write(`${options.json ? JSON.stringify(value, inSnakeCase, 2) : inWords()}\n`);
    },
    note: (line) => {
      clear();
      options.writeError(`${line}\n`);
    },
    live: (line) => {
      if (columns === undefined) return;
      options.writeError(`${CLEAR_LINE}${line.slice(0, Math.max(20, columns() - 1))}`);
      isLive = true;
    },
    columns: () => columns?.() ?? null,
  };
}

/** For JSON.stringify: keys as in SQL. Those of a Map are names of things, and stay as they are. */
function inSnakeCase(_: string, value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [snakeCase(key), each]));
}

function snakeCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

const CLEAR_LINE = '\r\x1b[K';

type Cell = string | number | null;

/** A table without lines, its columns as wide as they need to be. Numbers stand to the right. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const isNumber = head.map(
    (_, column) => rows.length > 0 && rows.every((row) => /^[\d,]*$/.test(shown(row[column] ?? null))),
  );
  const shape = new Table({
    head: [...head],
    colAligns: isNumber.map((numeric) => (numeric ? 'right' : 'left')),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2, compact: true },
    chars: Object.fromEntries(lines.map((line) => [line, ''])),
  });
  shape.push(...rows.map((row) => row.map(shown)));
  return shape
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

const lines = ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'].concat(
  ['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
);

function shown(cell: Cell): string {
  return printable(String(cell ?? ''));
}

/** How long ago a moment was: `3 min`. */
export function ago(moment: string | null, now: Date): string {
  if (moment === null) return '';
  const seconds = Math.max(0, Math.round((now.getTime() - Date.parse(moment)) / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`;
}
