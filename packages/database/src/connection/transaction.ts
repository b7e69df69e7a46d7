import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Database } from './open-database.ts';
import type { Transaction } from './queryable.ts';
import { liftAbove, VersionBehindError } from './version-gap.ts';

const ATTEMPTS = 5;
const SERIALIZATION_FAILURE = '40001';
const DEADLOCK_DETECTED = '40P01';

/**
 * Runs `work` in a transaction: commits when it resolves, rolls back when it rejects. After a deadlock or a serialization
 * failure `work` runs again from the start, up to five times in all, so it must do nothing but query. Numbers of fetches that a
 * row has outrun are lifted (`version-gap.ts`) before VersionBehindError is thrown.
 */
export async function inTransaction<T>(database: Database, work: (client: Transaction) => Promise<T>): Promise<T> {
  return afterConflicts(database, () => attemptOnce(database, work));
}

/** The same for a single statement, which is a transaction by itself. */
export async function afterConflicts<T>(database: Database, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (error instanceof VersionBehindError) await liftAbove(database, error);
      if (attempt === ATTEMPTS || !isConflict(error)) throw error;
    }
    await sleep(Math.random() * 10 * 2 ** attempt);
  }
}

async function attemptOnce<T>(database: Database, work: (client: Transaction) => Promise<T>): Promise<T> {
  const client = await database.pool.connect();
  let broken = false;
  try {
    await client.query('begin');
    const result = await work(client as pg.PoolClient & Transaction); // begun by the line before
    const { command } = await client.query('commit');
    // Postgres answers COMMIT with ROLLBACK, and no error, when a statement had failed and `work` went on regardless.
    if (command !== 'COMMIT') throw new Error('the transaction was rolled back: a statement in it failed before');
    return result;
  } catch (error) {
    broken = !(await rollBack(client));
    throw error;
  } finally {
    client.release(broken);
  }
}

async function rollBack(client: pg.PoolClient): Promise<boolean> {
  try {
    await client.query('rollback');
    return true;
  } catch {
    return false; // The connection is gone, and the transaction with it; the first error tells why.
  }
}

function isConflict(error: unknown): boolean {
  return (
    error instanceof pg.DatabaseError && (error.code === SERIALIZATION_FAILURE || error.code === DEADLOCK_DETECTED)
  );
}
