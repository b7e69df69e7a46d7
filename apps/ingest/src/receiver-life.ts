// What a receiver knows of its life before, in a file of its spool directory:
//
//   {"receiver":"<16 hex>","aliveAt":"<ISO 8601>","isStopped":false}
//
// Receivers that share a directory count as one. One that starts beside another reports the time since the last note as down, a
// minute at most, for it cannot tell a neighbour that lives from one that was killed a moment ago.
import { randomBytes } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { isMissing, renamed, syncDirectory, writeDurably } from './durable-files.ts';

const schema = z.object({
  receiver: z.string().regex(/^[0-9a-f]{16}$/),
  aliveAt: z.iso.datetime(),
  isStopped: z.boolean(),
});

export type ReceiverLife = {
  /** The receiver's number, the same as long as the file is there. */
  id: string;
  /** What was noted last before this start; null: nothing. */
  aliveAt: string | null;
  wasStopped: boolean | null;
  /** Notes that it runs, or that it stops now; resolves once that is on the disk. Leaves the last note when it fails. */
  note: (at: Date, isStopped: boolean) => Promise<void>;
};

/** Reads the last note; where there is none that can be read, the receiver gets a new number. */
export async function openReceiverLife(directory: string, onWarning: (message: string) => void): Promise<ReceiverLife> {
  const file = path.join(directory, 'receiver.json');
  const before = await read(file, onWarning);
  const id = before?.receiver ?? randomBytes(8).toString('hex');
  return {
    id,
    aliveAt: before?.aliveAt ?? null,
    wasStopped: before?.isStopped ?? null,
    async note(at, isStopped) {
      const next = `${file}.${randomBytes(4).toString('hex')}`;
      try {
        await writeDurably(next, JSON.stringify({ receiver: id, aliveAt: at.toISOString(), isStopped }));
        await renamed(next, file);
      } catch (error) {
        await rm(next, { force: true });
        throw error;
      }
      await syncDirectory(directory);
    },
  };
}

async function read(file: string, onWarning: (message: string) => void): Promise<z.infer<typeof schema> | null> {
  try {
    return schema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    if (!isMissing(error)) onWarning(`${file} cannot be read; the receiver counts as a new one`);
    return null;
  }
}
