// The servers that are configured: each is asked by itself, so that one that is down hides no other.
import { access, constants, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import { isPostgres, serverOf } from '@procore-mirror/address';
import { lookAtServer } from '@procore-mirror/database';
import type { DoctorFacts } from '@procore-mirror/mirror';
import { lookAtRedis } from '@procore-mirror/queue';
import { queueAddress } from '@procore-mirror/runtime';
import type { Context } from '../context.ts';
import { queueSchema, spoolSchema } from '../env.ts';

type NamedServer = DoctorFacts['servers'][number];

/** Those that can be read. */
export type Addresses = {
  DATABASE_URL: string;
  DATABASE_URL_DIRECT?: string | undefined;
  QUEUE_URL?: string | undefined;
};

/** Each Postgres that a variable names: that of the mirror, its direct address, and that of the queue where it is another. */
export async function examineServers(env: Addresses): Promise<NamedServer[]> {
  const { DATABASE_URL: url, DATABASE_URL_DIRECT: direct, QUEUE_URL: queue } = env;
  const known = [url, direct];
  return await Promise.all([
    examine('DATABASE_URL', url, true),
    ...(direct === undefined ? [] : [examine('DATABASE_URL_DIRECT', direct, true)]),
    ...(queue !== undefined && isPostgres(queue) && !known.includes(queue) ? [examine('QUEUE_URL', queue, false)] : []),
  ]);
}

async function examine(variable: string, url: string, isMirror: boolean): Promise<NamedServer> {
  const named = { variable, address: serverOf(url), isMirror };
  try {
    return { ...named, facts: await lookAtServer(url, 'procore-mirror doctor'), problem: null };
  } catch (error) {
    return { ...named, facts: null, problem: reasonsOf(error) };
  }
}

/** All that is known of a failure, in one line. */
function reasonsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error instanceof AggregateError ? error.errors[0] : error.cause;
  return `${error.message || error.name}${cause === undefined ? '' : ` (${reasonsOf(cause)})`}`;
}

/** What the queue's server is; of one that gives no answer `status` tells. */
export async function examineQueue(context: Context): Promise<NonNullable<DoctorFacts['queue']>> {
  const env = context.read(queueSchema);
  const { url, variable } = queueAddress(env);
  const queue = { variable, address: serverOf(url), isVolatileAllowed: env.QUEUE_ALLOW_VOLATILE };
  if (isPostgres(url)) return { ...queue, redis: null };
  const redis = await lookAtRedis(url).catch(() => null); // why, the count of what waits tells
  return { ...queue, redis };
}

const SPOOL = 'the spool (INGEST_SPOOL_DIR)';

/** The spool, and the data of a Postgres that runs on this machine. A directory that is not here is of another machine. */
export async function examineDisks(
  context: Context,
  servers: readonly NamedServer[],
): Promise<Pick<DoctorFacts, 'disks' | 'notLooked'>> {
  const { INGEST_SPOOL_DIR: spool } = context.read(spoolSchema);
  const local = servers.find(({ address, facts }) => facts !== null && /^(localhost|127\.|\[::1\]|\/)/.test(address));
  const data = local?.facts?.dataDirectory ?? null;
  const directory = path.resolve(spool);
  const ofSpool = await examineDisk(SPOOL, directory, { isOurs: true });
  const ofData = data === null ? [] : await examineDisk('the data of Postgres', data, { isOurs: false });
  const why = `there is no ${directory} here; a receiver makes it, on its machine`;
  return { disks: [...ofData, ...ofSpool], notLooked: ofSpool.length > 0 ? [] : [{ check: `disk: ${SPOOL}`, why }] };
}

async function examineDisk(
  what: string,
  directory: string,
  { isOurs }: { isOurs: boolean },
): Promise<DoctorFacts['disks'][number][]> {
  const place = { what, path: directory };
  try {
    const { bavail, blocks, bsize } = await statfs(directory);
    const problem = isOurs ? await whyUnusable(directory) : null;
    return [{ ...place, problem, freeBytes: bavail * bsize, totalBytes: blocks * bsize }];
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || !isOurs) return [];
    return [{ ...place, problem: `it cannot be looked at (${code})`, freeBytes: null, totalBytes: null }];
  }
}

async function whyUnusable(directory: string): Promise<string | null> {
  if (!(await stat(directory)).isDirectory()) return 'it is no directory';
  return await access(directory, constants.W_OK | constants.X_OK).then(
    () => null,
    (error: unknown) => `this user may not write there (${codeOf(error)})`,
  );
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
