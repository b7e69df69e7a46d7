// Postgres refuses to run as root. Started by root, it runs as the user `postgres`, who is made when missing.
import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The user that Postgres runs as; null stands for ourselves. */
export type Account = { uid: number; gid: number } | null;

/**
 * Decides who runs Postgres on this cluster: whoever owns it, else (by root) the user `postgres`, else ourselves.
 * Throws when the cluster belongs to somebody else and we are not root.
 */
export async function accountFor(cluster: string): Promise<Account> {
  const self = process.getuid?.();
  if (self === undefined) return null;
  const owner = await stat(cluster).catch(() => null);
  if (self !== 0) {
    if (owner === null || owner.uid === self) return null;
    throw new Error(
      `${cluster} belongs to another user (uid ${owner.uid}), and Postgres runs on a directory of its own user only. ` +
        `Start as that user (or as root, if root started it before), or remove the directory to begin with an empty database.`,
    );
  }
  if (owner !== null && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  return postgresUser();
}

async function postgresUser(): Promise<Account> {
  const known = await lookUp();
  if (known !== null) return known;
  try {
    await run('groupadd', ['--system', '--force', 'postgres']);
    await run('useradd', [
      '--system',
      '--gid',
      'postgres',
      '--no-create-home',
      '--shell',
      '/usr/sbin/nologin',
      'postgres',
    ]);
  } catch (cause) {
    throw new Error(
      'Postgres does not run as root, there is no user "postgres", and making one failed. Make one, or start as an ordinary user.',
      { cause },
    );
  }
  return lookUp();
}

async function lookUp(): Promise<Account> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', 'postgres']), run('id', ['-g', 'postgres'])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return null;
  }
}

/** Whether this account can run a command: each parent directory of the program lets it in, and so does `directory`. */
export async function canRun(account: Account, program: string, args: string[], directory = '/'): Promise<boolean> {
  try {
    // The account enters `directory` itself, after it has become that user: spawn's `cwd` would be entered as root.
    await run('/bin/sh', ['-c', 'cd "$0" && exec "$@"', directory, program, ...args], {
      ...account,
      cwd: '/',
      timeout: 30_000,
    });
    return true;
  } catch {
    return false;
  }
}
