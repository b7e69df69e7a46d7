// For tests: writers that change what is counted, by chance and all at once, some of them killed on the way.
import pg from 'pg';
import { addFetches } from '../calls/fetches.ts';
import { type Database, openDatabase } from '../connection/open-database.ts';
import { inTransaction } from '../connection/transaction.ts';
import { giveUpRecords } from '../events/dead-letters.ts';
import { recordEvent } from '../events/record-event.ts';
import { markPending } from '../pending/mark-pending.ts';
import { noteBatch } from '../pending/note-batch.ts';
import { postponeRecords, postponeToDetail } from '../pending/postpone-records.ts';
import { settleRecords } from '../pending/settle-records.ts';
import { markAbsent } from '../rows/mark-absent.ts';
import { storeRecords } from '../rows/store-records.ts';
import type { BatchKey, Lane } from '../schedule/batch.ts';
import { addProof } from '../schedule/proofs.ts';
import type { MirroredTable } from '../schema/mirrored-table.ts';
import { anEvent, newsOf, pace } from '../testing/an-event.ts';
import { sampleTables } from '../testing/sample-mirror.ts';
import { foldCounts } from './fold-counts.ts';

const WRITER = 'writer of chance';
const LANES: readonly Lane[] = ['live', 'detail', 'repair', 'backfill'];
const RUNGS = ['count', 'window', 'bin', 'listing', 'sample'] as const;
const MOST_IDS = 30;

const below = (limit: number): number => Math.floor(Math.random() * limit);
const oneOf = <T>(of: readonly T[]): T => of[below(of.length)] as T;
const someIds = (): string[] => Array.from({ length: 1 + below(8) }, () => String(1 + below(MOST_IDS)));

type Place = BatchKey & { table: MirroredTable };

function somePlace(): Place {
  const table = oneOf(sampleTables);
  const projectId = table.scope === 'project' ? oneOf(['2', '3']) : null;
  return { table, companyId: oneOf(['1', '4']), projectId, resource: table.resource };
}

type Change = (database: Database, place: Place) => Promise<unknown>;

const noted = (database: Database, place: Place) =>
  noteBatch(database.pool, place, { delayMs: 0, absencePauseMs: 0, limit: 5 });

async function nextVersion(database: Database): Promise<string> {
  const { rows } = await database.pool.query<{ version: string }>(
    `select nextval('mirror.fetch_version')::text as version`,
  );
  return rows[0]?.version ?? '';
}

const changes: readonly Change[] = [
  async (database, place) => {
    const version = await nextVersion(database);
    const json = Buffer.from(
      JSON.stringify(someIds().map((id) => ({ id: place.table.idType === 'text' ? id : Number(id), title: id }))),
    );
    const answer = {
      ...place,
      version,
      json,
      wrapper: 'none',
      parentId: null,
      only: null,
      isPart: below(2) === 0,
    } as const;
    await inTransaction(database, async (client) => {
      await storeRecords(client, answer);
      abortAtTimes();
    });
  },
  async (database, place) => {
    const version = await nextVersion(database);
    const records = [...new Set(someIds())].map((id) => ({ id, parentId: null, bury: below(2) === 0, hasNews: true }));
    await inTransaction(database, (client) => markAbsent(client, { ...place, version, records }));
  },
  ({ pool }, { table, companyId }) =>
    pool.query(`delete from procore.${table.name} where company_id = $1 and id::text = any($2)`, [
      companyId,
      someIds(),
    ]),
  ({ pool }, { table }) =>
    pool.query(
      `update procore.${table.name} set _hidden_at = case when _hidden_at is null then now() end, _complete = not _complete where id::text = $1`,
      [oneOf(someIds())],
    ),
  ({ pool }) => pool.query(`update procore.notes set project_id = 5 - project_id where id = $1`, [below(MOST_IDS)]),
  (database, place) => {
    const news = someIds().map((recordId) => ({
      ...place,
      recordId,
      parentId: null,
      isDelete: false,
      isRelative: false,
    }));
    const once = news.filter(({ recordId }, at) => news.findIndex((other) => other.recordId === recordId) === at);
    return markPending(database.pool, { news: once, lane: oneOf(LANES), pace });
  },
  (database, place) => {
    const event = anEvent({
      ...place,
      id: oneOf([`KNOWN${below(50)}`, anEvent().id + Math.random()]),
      recordId: oneOf(someIds()),
    });
    const isIgnored = below(4) === 0;
    const ignored = isIgnored ? oneOf(['no_known_endpoint', 'not_mirrored']) : null;
    return recordEvent(database, { event, ignored, news: isIgnored ? [] : [newsOf(event)], pace });
  },
  async (database, place) => {
    const records = await noted(database, place);
    await inTransaction(database, async (client) => {
      await settleRecords(client, place, records, 0);
      abortAtTimes();
    });
  },
  async (database, place) => {
    const postponement = { pauseMs: 0, error: 'boom', counts: 'attempt', reread: false } as const;
    await postponeRecords(database.pool, place, await noted(database, place), postponement);
  },
  async (database, place) => postponeToDetail(database.pool, place, await noted(database, place), 0),
  async (database, place) =>
    giveUpRecords(database, place, await noted(database, place), {
      reason: 'test',
      detail: 'by chance',
      retryAfterMs: [],
    }),
  ({ pool }) => pool.query('delete from mirror.events where id like $1', [`%${below(20)}`]),
  (database, { companyId, projectId, resource }) =>
    addFetches(database, [
      {
        version: null,
        companyId,
        projectId,
        resource,
        lane: oneOf(LANES),
        route: '/',
        status: oneOf([200, 404, null]),
        ms: 1,
        bytes: 1,
        records: 1,
        agoMs: 0,
      },
    ]),
  (database, place) =>
    inTransaction(database, async (client) => {
      const asOf = new Date(Date.now() - below(1_000) * 1_000).toISOString();
      await addProof(client, place, {
        ...{ rung: oneOf(RUNGS), outcome: oneOf(['equal', 'differs', 'not proved']), asOf, detail: null },
        ...{ ours: null, theirs: null, missing: 0, changed: 0, extra: 0, calls: 1 },
      });
      abortAtTimes();
    }),
  ({ pool }) =>
    pool.query(`update mirror.proofs set outcome = 'not proved' where outcome = 'equal' and random() < 0.1`),
  ({ pool }) => pool.query('delete from mirror.proofs where random() < 0.1'),
  (database) =>
    below(10) === 0
      ? database.pool.query(`truncate ${oneOf(['procore.notes', 'mirror.pending', 'mirror.events', 'mirror.proofs'])}`)
      : foldCounts(database, { atOnce: 1 + below(20) }),
];

class ByChance extends Error {}

function abortAtTimes(): void {
  if (below(10) === 0) throw new ByChance('rolled back');
}

export type PlayOptions = { url: string; changes: number; writers: number; kills: number };

/** Has several writers make so many changes between them, and ends connections of theirs so often. Returns how many changes failed. */
export async function playChanges({ url, changes: wanted, writers, kills }: PlayOptions): Promise<number> {
  let left = wanted;
  let failed = 0;
  let killed = 0;
  const database = openDatabase({ url, applicationName: WRITER, max: writers });
  const killer = openDatabase({ url, applicationName: 'killer', max: 1 });
  const write = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const isTime = killed < kills && left <= wanted - ((killed + 1) * wanted) / (kills + 1);
      if (isTime) {
        killed += 1;
        await killer.pool.query(
          `select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1 and datname = current_database()
            order by state = 'active' desc, random() limit 1`,
          [WRITER],
        );
      }
      await oneOf(changes)(database, somePlace()).catch((error: unknown) => {
        if (!isExpected(error)) throw error;
        failed += 1;
      });
    }
  };
  try {
    await Promise.all(Array.from({ length: writers }, write));
    return failed;
  } finally {
    await Promise.all([database.close(), killer.close()]);
  }
}

/** Rolled back by chance, or in conflict with others again and again; or the connection was killed. */
function isExpected(error: unknown): boolean {
  if (error instanceof ByChance) return true;
  if (error instanceof pg.DatabaseError) return ['40P01', '57P01'].includes(error.code ?? '');
  return error instanceof Error && /terminated|ended|reset|connection/i.test(error.message);
}
