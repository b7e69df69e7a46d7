// Where envelopes wait on the local disk while the queue is down. An append is written, synced, and acknowledged only if
// afterwards its segment still has its name; whoever takes over a segment renames it first and reads it then. So either the
// append came before the renaming, and is read, or it is not acknowledged but written again elsewhere. That makes it safe
// to take over from a process that only seems dead: at worst an envelope is added twice, which does no harm.
import { type FileHandle, open, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { createGroupCommit, type SealedEnvelope } from '@procore-mirror/queue';
import { exists, isMissing, renamed, syncDirectory } from './durable-files.ts';
import { openSpoolDirectory } from './spool-directory.ts';
import { fromLines, toLine } from './spool-line.ts';

const ADDED_AT_ONCE = 64;

export type Spool = {
  /** Resolves once the envelope is on the disk; rejects within `timeoutMs`. */
  append: (envelope: SealedEnvelope) => Promise<void>;
  /**
   * Adds what waits here, oldest first, and what dead processes left behind; deletes what was added. Rejects with the first
   * error of `add`; what was not deleted then waits for the next call. One call at a time.
   */
  drain: (add: (envelope: SealedEnvelope) => Promise<void>) => Promise<void>;
  /** Envelopes that wait here. */
  count: () => number;
  /** Rejects when nothing can be written. */
  check: () => Promise<void>;
  /** What waits here is left to the next process. */
  close: () => Promise<void>;
};

export type SpoolOptions = {
  directory: string;
  /** Told about damage. */
  onWarning: (message: string) => void;
  /** Default 2 s. */
  timeoutMs?: number;
  /** A segment that has grown this large is sealed. Default 8 MiB. */
  segmentBytes?: number;
  /** What a process that was silent for so long left behind is taken over. Default 3 s. */
  deadAfterMs?: number;
};

type Segment = { name: string; file: FileHandle; bytes: number; count: number };

/** Opens the spool, creating the directory; rejects when nothing can be written there. */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  const { directory, onWarning, timeoutMs = 2_000, segmentBytes = 8 * 1024 * 1024, deadAfterMs = 3_000 } = options;
  const names = await openSpoolDirectory(directory, deadAfterMs);
  const inDirectory = (name: string) => path.join(directory, name);
  /** Our sealed segments, and how many envelopes each holds. */
  const sealed = new Map<string, number>();
  let current: Segment | null = null;
  const inTurn = oneAfterTheOther();

  async function openSegment(): Promise<Segment> {
    const name = names.newSegment();
    const segment = { name, file: await open(inDirectory(name), 'ax', 0o600), bytes: 0, count: 0 };
    try {
      await syncDirectory(directory);
      return segment;
    } catch (error) {
      await leave(segment);
      throw error;
    }
  }

  async function write(envelopes: readonly SealedEnvelope[]): Promise<void> {
    const lines = Buffer.from(envelopes.map(toLine).join(''));
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      current ??= await openSegment();
      const segment = current;
      try {
        await segment.file.appendFile(lines);
        await segment.file.datasync();
      } catch (error) {
        // It may end in half a line, and after a failed sync nobody knows what is on the disk: nothing more goes in there.
        current = null;
        await leave(segment).catch(() => {});
        throw error;
      }
      if (await exists(inDirectory(segment.name))) {
        segment.bytes += lines.length;
        segment.count += envelopes.length;
        if (segment.bytes >= segmentBytes) await seal();
        return;
      }
      current = null;
      await segment.file.close();
    }
    throw new Error('the spool was taken over while it was written to');
  }

  /** Closes a segment that gets no more envelopes, and deletes it if it never got one. */
  async function leave(segment: Segment): Promise<void> {
    await segment.file.close();
    if (segment.count === 0) {
      await rm(inDirectory(segment.name), { force: true });
      return;
    }
    const name = segment.name.replace(/open$/, 'sealed');
    if (await renamed(inDirectory(segment.name), inDirectory(name))) sealed.set(name, segment.count);
  }

  async function seal(): Promise<void> {
    if (current === null) return;
    const segment = current;
    current = null;
    await leave(segment);
  }

  /** What the sealed segment holds; null when another process has taken it over. */
  async function read(name: string): Promise<ReturnType<typeof fromLines> | null> {
    try {
      return fromLines(await readFile(inDirectory(name), 'utf8'));
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  async function drainSegment(name: string, add: (envelope: SealedEnvelope) => Promise<void>): Promise<void> {
    const content = await read(name);
    if (content !== null) {
      for (let from = 0; from < content.envelopes.length; from += ADDED_AT_ONCE) {
        await Promise.all(content.envelopes.slice(from, from + ADDED_AT_ONCE).map(add));
      }
      if (content.damaged === 0) await rm(inDirectory(name), { force: true });
      else await keepDamaged(name, content.damaged);
    }
    sealed.delete(name);
  }

  async function keepDamaged(name: string, lines: number): Promise<void> {
    const file = inDirectory(name.replace(/sealed$/, 'damaged'));
    await renamed(inDirectory(name), file);
    onWarning(
      `${lines} spooled lines are not as they were written; the rest was added to the queue; they are in ${file}`,
    );
  }

  async function drainSealed(add: (envelope: SealedEnvelope) => Promise<void>): Promise<void> {
    for (const name of [...sealed.keys()].sort()) await drainSegment(name, add);
  }

  return {
    append: createGroupCommit({
      commit: (envelopes) => inTurn(() => write(envelopes)),
      sizeOf: ({ body }) => body.length,
      maxItems: 1_000,
      maxSize: segmentBytes,
      timeoutMs,
      what: 'writing to the spool',
    }),
    async drain(add) {
      for (const name of await names.takeOverFromTheDead()) {
        sealed.set(name, (await read(name))?.envelopes.length ?? 0);
      }
      // Sealed last, so that while the queue is down one segment grows instead of many.
      await drainSealed(add);
      await inTurn(seal);
      await drainSealed(add);
    },
    count: () => [...sealed.values()].reduce((sum, count) => sum + count, current?.count ?? 0),
    check: () => names.check(),
    async close() {
      await inTurn(seal);
      await names.close();
    },
  };
}

function oneAfterTheOther(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work, work);
    last = turn;
    return turn;
  };
}
