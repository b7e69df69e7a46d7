// Locks that change a table conflict with every reader of it, and one that waits lets all later ones queue behind it. So
// nobody waits long for one here: what was begun is rolled back, the readers go on, and it is tried again after a pause.
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Database } from '../connection/open-database.ts';
import type { Transaction } from '../connection/queryable.ts';
import { inTransaction } from '../connection/transaction.ts';

const LOCK_NOT_AVAILABLE = '55P03';
const DEADLOCK_DETECTED = '40P01';

const LOCK_TIMEOUT_MS = 2_000;
const LONGEST_PAUSE_MS = 5_000;
const LOOK_EVERY_MS = 400;
const TELL_EVERY_MS = 30_000;

/** No locks could be had in time; the message tells because of whom. */
export class LocksBusyError extends Error {
  override name = 'LocksBusyError' as const;
}

/** From now until the end of the transaction no lock is waited for longer than 2 s. */
export async function waitBriefly(client: pg.ClientBase): Promise<void> {
  await client.query(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
}

/**
 * Runs `work` in a transaction, and again from its start, with growing pauses, when a lock was not to be had in time; begins
 * no further try after `limitMs`, then throws LocksBusyError, which says to run `command` again. `onWait` is told now and then who is in the way.
 */
export async function whenLocksAreFree<T>(
  database: Database,
  work: (client: Transaction) => Promise<T>,
  { limitMs, onWait, command }: { limitMs: number; onWait: (line: string) => void; command: string },
): Promise<T> {
  const until = performance.now() + limitMs;
  let tellAt = 0;
  for (let attempt = 1; ; attempt += 1) {
    const tried = await tryOnce(database, work);
    if ('result' in tried) return tried.result;
    if (performance.now() > until) throw busy(tried.inTheWay, tried.cause, command);
    if (performance.now() >= tellAt) {
      tellAt = performance.now() + TELL_EVERY_MS;
      onWait(`${inWords(tried.inTheWay)} ${tried.inTheWay.length === 1 ? 'is' : 'are'} in the way; trying again`);
    }
    await sleep(Math.min(LONGEST_PAUSE_MS, 250 * 2 ** attempt) * (0.5 + Math.random() / 2));
  }
}

type Tried<T> = { result: T } | { inTheWay: readonly Session[]; cause: unknown };

async function tryOnce<T>(database: Database, work: (client: Transaction) => Promise<T>): Promise<Tried<T>> {
  const lookout = createLookout(database);
  try {
    const result = await inTransaction(database, async (client) => {
      await lookout.watch(client);
      return await work(client);
    });
    return { result };
  } catch (cause) {
    if (!isLockTrouble(cause)) throw cause;
    return { inTheWay: lookout.seen(), cause };
  } finally {
    await lookout.close();
  }
}

function isLockTrouble(error: unknown): boolean {
  return error instanceof pg.DatabaseError && (error.code === LOCK_NOT_AVAILABLE || error.code === DEADLOCK_DETECTED);
}

function busy(inTheWay: readonly Session[], cause: unknown, command: string): LocksBusyError {
  const end = inTheWay.filter(({ pid }) => pid !== 0).map(({ pid }) => `select pg_terminate_backend(${pid})`);
  return new LocksBusyError(
    `locks were not to be had, because ${inWords(inTheWay)} ${inTheWay.length === 1 ? 'was' : 'were'} always in the way: wait for the end of that` +
      `${end.length === 0 ? '' : `, or end it (\`${end.join('; ')}\`)`}, then run \`${command}\` again`,
    { cause },
  );
}

type Session = { pid: number; name: string | null; role: string | null; since: string | null };

function inWords(sessions: readonly Session[]): string {
  if (sessions.length === 0) return 'another session';
  return sessions
    .map(({ pid, name, role, since }) => {
      if (pid === 0) return 'a prepared transaction (pg_prepared_xacts)';
      const facts = [name, role && `role ${role}`, since && `since ${since}`].filter(Boolean);
      return `process ${pid} (${facts.join(', ')})`;
    })
    .join(' and ');
}

// Never its query: that may hold secrets. Of other roles' sessions not everybody may see since when they go on.
const WHO = `
select p.pid, a.application_name as name, a.usename::text as role, coalesce(a.xact_start, a.backend_start) as since
from unnest(pg_blocking_pids($1)) as p(pid) left join pg_stat_activity a on a.pid = p.pid`;

/** Looks, from another connection, whom a session waits for. */
function createLookout({ pool }: Database) {
  const closing = new AbortController();
  let last: Session[] = [];
  let looking = Promise.resolve();

  async function look(pid: number): Promise<void> {
    while (!closing.signal.aborted) {
      await sleep(LOOK_EVERY_MS, null, { signal: closing.signal }).catch(() => null);
      if (closing.signal.aborted) return;
      const { rows } = await pool.query<Session>(WHO, [pid]).catch(() => ({ rows: [] })); // it only tells
      if (rows.length > 0) last = rows;
    }
  }
  return {
    watch: async (client: pg.ClientBase): Promise<void> => {
      const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
      looking = look(rows[0]?.pid ?? 0);
    },
    seen: (): readonly Session[] => last,
    close: async (): Promise<void> => {
      closing.abort();
      await looking;
    },
  };
}
