// The names in a spool directory, which several processes may share:
//
//   <time>.<random>.<owner>.open     appended to by its owner
//   <time>.<random>.<owner>.sealed   complete; its owner adds what it holds to the queue, then deletes it
//   <time>.<random>.<owner>.damaged  was not as it was written; what could be read was added to the queue; kept for a person
//   <owner>.alive                    touched while the owner lives
import { randomBytes } from 'node:crypto';
import { readdir, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import { isMissing, renamed, writeDurably } from './durable-files.ts';
import { makeDirectoryDurably } from './make-directory.ts';

const SEGMENT_NAME = /^(?<identity>\d{15}\.[0-9a-f]{16})\.(?<owner>[0-9a-f]{12})\.(?:open|sealed)$/;
const ALIVE_NAME = /^(?<owner>[0-9a-f]{12})\.alive$/;

export type SpoolDirectory = {
  /** A name, sorting after those given before, for a segment of ours. */
  newSegment: () => string;
  /** Makes ours the segments of processes that were silent for `deadAfterMs`; returns their new names, sealed. */
  takeOverFromTheDead: () => Promise<string[]>;
  /** Rejects when nothing can be written. */
  check: () => Promise<void>;
  /** Others may take over at once what is left here. */
  close: () => Promise<void>;
};

/** Creates the directory and begins to show that this process lives; rejects when nothing can be written. */
export async function openSpoolDirectory(directory: string, deadAfterMs: number): Promise<SpoolDirectory> {
  const me = randomBytes(6).toString('hex');
  const aliveFile = path.join(directory, `${me}.alive`);
  await makeDirectoryDurably(directory);
  await writeDurably(aliveFile, '');
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(aliveFile, now, now).catch(() => {}); // then others take over what is ours, which is safe
  }, deadAfterMs / 5).unref();

  async function isDead(owner: string): Promise<boolean> {
    try {
      const { mtimeMs } = await stat(path.join(directory, `${owner}.alive`));
      return Date.now() - mtimeMs >= deadAfterMs;
    } catch (error) {
      if (isMissing(error)) return true;
      throw error;
    }
  }

  async function takeOver(name: string, identity: string): Promise<string[]> {
    const mine = `${identity}.${me}.sealed`;
    return (await renamed(path.join(directory, name), path.join(directory, mine))) ? [mine] : [];
  }

  return {
    newSegment: () => `${String(Date.now()).padStart(15, '0')}.${randomBytes(8).toString('hex')}.${me}.open`,
    async takeOverFromTheDead() {
      const names = await readdir(directory);
      const taken: string[] = [];
      for (const owner of ownersOf(names)) {
        if (owner === me || !(await isDead(owner))) continue;
        for (const name of names) {
          const parts = SEGMENT_NAME.exec(name)?.groups;
          if (parts?.owner === owner) taken.push(...(await takeOver(name, parts.identity ?? '')));
        }
        await rm(path.join(directory, `${owner}.alive`), { force: true });
      }
      return taken;
    },
    check: () => writeDurably(aliveFile, `${new Date().toISOString()}\n`),
    async close() {
      clearInterval(heartbeat);
      await rm(aliveFile, { force: true });
    },
  };
}

function ownersOf(names: readonly string[]): Set<string> {
  return new Set(names.flatMap((name) => (SEGMENT_NAME.exec(name) ?? ALIVE_NAME.exec(name))?.groups?.owner ?? []));
}
