import { access, open, rename } from 'node:fs/promises';

/** Replaces the file's content and waits until it is on the disk. */
export async function writeDurably(file: string, content: string): Promise<void> {
  const handle = await open(file, 'w', 0o600);
  try {
    await handle.writeFile(content);
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

/** Waits until the names in this directory are on the disk: without it a synced file can be gone after a power failure. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Renames the file; false when there is none of that name (any more). */
export async function renamed(from: string, to: string): Promise<boolean> {
  return await unlessMissing(rename(from, to));
}

export async function exists(file: string): Promise<boolean> {
  return await unlessMissing(access(file));
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

async function unlessMissing(work: Promise<void>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
