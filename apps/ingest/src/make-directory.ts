import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { isMissing, syncDirectory } from './durable-files.ts';

/**
 * Creates the directory, and those above it that are missing, and waits until all of their names are on the disk. Not by Node's own
 * way, which tries without end where a file system takes no directories, as `/proc` does.
 */
export async function makeDirectoryDurably(directory: string): Promise<void> {
  const missing: string[] = [];
  for (let at = path.resolve(directory); !(await isDirectory(at)); at = path.dirname(at)) missing.unshift(at);
  for (const each of missing) {
    await mkdir(each, { mode: 0o700 }).catch((error: unknown) => unlessDirectory(each, error));
    await syncDirectory(path.dirname(each));
  }
}

async function isDirectory(at: string): Promise<boolean> {
  try {
    return (await stat(at)).isDirectory() || at === path.dirname(at);
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Another process may have made it meanwhile. */
async function unlessDirectory(at: string, error: unknown): Promise<void> {
  if (!(await isDirectory(at).catch(() => false))) throw error;
}
