// What follows when a list that was read to its end, twice, lacks records: they are gone, and what belongs to them is, too.
import { type CataloguedResource, dependentsOf } from '@procore-mirror/catalogue';
import {
  type LackingRow,
  lockChildren,
  lockLacking,
  type NotedRecord,
  type Transaction,
} from '@procore-mirror/database';
import { type BatchRun, scopeOf } from '../run/batch-run.ts';
import { concludeAbsentIn } from './conclude-absent.ts';

type Proof = {
  /** Taken before the first request of the last reading that lacked them, and of the first one. */
  version: string;
  since: string;
  /** Under which parent it was looked; null: the list is of all. */
  under: string | null;
};

/** Buries those of the records that nobody has seen or told of since. Returns how many of the resource itself are buried. */
export async function buryUnlisted(
  client: Transaction,
  run: BatchRun,
  entry: CataloguedResource,
  { version, since, under }: Proof,
  ids: readonly string[],
): Promise<number> {
  const reading = { ...scopeOf(run, entry), table: entry.table, since };
  const rows = await lockLacking(client, reading, ids);
  const here = rows.filter(({ parentId }) => under === null || parentId === under);
  await bury(client, run, entry, { version, since }, here);
  return here.length;
}

/** Children that send events of their own go along, too: nobody heard of the end of their parent, so nobody of theirs. */
async function bury(
  client: Transaction,
  run: BatchRun,
  entry: CataloguedResource,
  proof: Omit<Proof, 'under'>,
  rows: readonly LackingRow[],
): Promise<void> {
  for (const [under, group] of Map.groupBy(rows, ({ parentId }) => parentId)) {
    const gone = group.map(({ id }) => goneFor(run, id, under));
    await concludeAbsentIn(client, run, entry, { version: proof.version, under }, gone);
  }
  const ids = rows.map(({ id }) => id);
  if (ids.length === 0) return;
  for (const { entry: child, tie } of dependentsOf(run.settings.catalogue, entry)) {
    if (tie !== 'row') continue;
    const reading = { ...scopeOf(run, child), table: child.table, since: proof.since };
    await bury(client, run, child, proof, await lockChildren(client, reading, ids));
  }
}

/** As if its deletion had been told. */
function goneFor({ batch: { lane } }: BatchRun, id: string, parentId: string | null): NotedRecord {
  return {
    ...{ id, lane, parentId, generation: '-1', eventId: null, occurredAt: null, attempts: 0, ownFailures: 0 },
    ...{ isDelete: true, isDeletedLast: true, settles: true },
    ...{ reread: false, isSightedAbsent: false, isListed: false, listsChildren: false },
  };
}
