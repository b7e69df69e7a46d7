// What was given up is tried again: by itself when its time has come, or because an operator replays it.
import {
  type Database,
  type DeadLetterChoice,
  findGivenUp,
  findUnread,
  type GivenUpRecord,
  inTransaction,
  markPending,
  type Pace,
  type Queryable,
  type Transaction,
  takeDueTries,
  timeToFirstTry,
} from '@procore-mirror/database';
import { bodyOf } from './plan/dead-letter.ts';
import type { FetchSettings } from './run/fetch-settings.ts';

type RetrySettings = Pick<FetchSettings, 'database' | 'catalogue' | keyof Pace | 'retryDeadLettersAfterMs'>;

const RECORDS_AT_ONCE = 1000;
/** A body may be 1 MiB. */
const BODIES_AT_ONCE = 20;
/** What others gave up, or an operator made due, is seen within this time. */
const LONGEST_WAIT_MS = 60_000;
const SHORTEST_WAIT_MS = 1_000;

/**
 * Marks given-up records pending whose next try is due, up to a thousand. Their dead letters go when they are settled. Safe in
 * several processes at once. Returns how many there are to fetch.
 */
export async function retryDeadLetters(settings: RetrySettings): Promise<number> {
  const portion = { limit: RECORDS_AT_ONCE, retryAfterMs: settings.retryDeadLettersAfterMs ?? [] };
  return inTransaction(settings.database, async (client) => {
    const { known } = mirrored(settings, await takeDueTries(client, portion));
    await markAgain(client, settings, known);
    return known.length;
  });
}

/**
 * How long to wait before the next `retryDeadLetters`, ms: until the first try is due, and no longer than it takes until one of
 * those is that are given up meanwhile.
 */
export async function timeToNextTry({ database, retryDeadLettersAfterMs = [] }: RetrySettings): Promise<number> {
  const firstMs = (await timeToFirstTry(database.pool)) ?? LONGEST_WAIT_MS;
  return Math.max(SHORTEST_WAIT_MS, Math.min(LONGEST_WAIT_MS, firstMs, ...retryDeadLettersAfterMs));
}

export type Replayed = {
  /** Ids of the dead letters whose record is pending now, and of those whose body was handed over. */
  records: string[];
  deliveries: string[];
  /** Ids of those whose resource is not mirrored any more. */
  notMirrored: string[];
};

/**
 * Tries the chosen dead letters again: records become pending, bodies are handed over to be recorded. Their dead letters go
 * when that succeeded, and the schedule of tries stays as it is. Throws what `handOver` throws; the bodies before are handed
 * over then.
 */
export async function replayDeadLetters(
  settings: RetrySettings & { handOver: (delivery: { body: Buffer; receivedAt: Date }) => Promise<void> },
  choice: DeadLetterChoice,
): Promise<Replayed> {
  const { database } = settings;
  const replayed: Replayed = { records: [], deliveries: [], notMirrored: [] };
  for await (const letters of portions(findGivenUp, database, choice, RECORDS_AT_ONCE)) {
    const { known, unknown } = mirrored(settings, letters);
    await inTransaction(database, (client) => markAgain(client, settings, known));
    replayed.records.push(...known.map(({ id }) => id));
    replayed.notMirrored.push(...unknown.map(({ id }) => id));
  }
  for await (const letters of portions(findUnread, database, choice, BODIES_AT_ONCE)) {
    await Promise.all(
      letters.map(({ raw, firstSeenAt }) =>
        settings.handOver({ body: bodyOf(raw), receivedAt: new Date(firstSeenAt) }),
      ),
    );
    replayed.deliveries.push(...letters.map(({ id }) => id));
  }
  return replayed;
}

async function* portions<Letter extends { id: string }>(
  find: (client: Queryable, choice: DeadLetterChoice, portion: { after: string; limit: number }) => Promise<Letter[]>,
  database: Database,
  choice: DeadLetterChoice,
  limit: number,
): AsyncGenerator<Letter[]> {
  let after = '';
  for (;;) {
    const letters = await find(database.pool, choice, { after, limit });
    const last = letters.at(-1);
    if (last === undefined) return;
    yield letters;
    after = last.id;
  }
}

function mirrored(
  { catalogue }: RetrySettings,
  letters: readonly GivenUpRecord[],
): { known: GivenUpRecord[]; unknown: GivenUpRecord[] } {
  const { known = [], unknown = [] } = Object.groupBy(letters, ({ resource }) =>
    catalogue.find(resource)?.table == null ? 'unknown' : 'known',
  );
  return { known, unknown };
}

/** Parent, time and deletion stay in the dead letter, where a fetch finds them. */
async function markAgain(client: Transaction, pace: Pace, letters: readonly GivenUpRecord[]): Promise<void> {
  const news = letters.map(({ companyId, projectId, resource, recordId }) => ({
    ...{ companyId, projectId, resource, recordId },
    ...{ parentId: null, isDelete: false, isRelative: true },
  }));
  await markPending(client, { news, lane: 'repair', pace });
}
