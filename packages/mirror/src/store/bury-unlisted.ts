// What follows when a list that was read to its end, twice, lacks records: they are gone, and what belongs to them is, too.
import { type CataloguedResource, dependentsOf } from '@procore-mirror/catalogue';
import {
  countAllRows,
  type LackingRow,
  lockChildren,
  lockLacking,
  type NotedRecord,
  type Transaction,
} from '@procore-mirror/database';
import { deleteCap } from '../plan/delete-cap.ts';
import { type BatchRun, scopeOf } from '../run/batch-run.ts';
import { concludeAbsentIn } from './conclude-absent.ts';
import { fetchInRepair } from './mark-for-repair.ts';
import { tellRelatives } from './tell-parents.ts';

type Proof = {
  /** Taken before the first request of the last reading that lacked them, and of the first one. */
  version: string;
  since: string;
  /** Under which parent it was looked; null: the list is of all. */
  under: string | null;
  /** Do all children go along, more than DELETE_CAP allows, too? */
  buriesAll: boolean;
};

/** Buries those of the records that nobody has seen or told of since. Returns how many of the resource itself are buried. */
export async function buryUnlisted(
  client: Transaction,
  run: BatchRun,
  entry: CataloguedResource,
  { under, ...proof }: Proof,
  ids: readonly string[],
): Promise<number> {
  const reading = { ...scopeOf(run, entry), table: entry.table, since: proof.since };
  const rows = await lockLacking(client, reading, ids);
  const here = rows.filter(({ parentId }) => under === null || parentId === under);
  await bury(client, run, entry, proof, here);
  await tellRelatives(client, run, entry, here, { lane: 'repair', happenedAt: run.happenedAt });
  return here.length;
}

/**
 * Children that send events of their own go along, too: nobody heard of the end of their parent, so nobody of theirs. More of them than
 * DELETE_CAP allows are fetched instead, and are hidden where Procore does not show them.
 */
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
    const children = await lockChildren(client, reading, ids);
    const cap = deleteCap(await countAllRows(client, reading), run.settings.deleteCap);
    if (proof.buriesAll || children.length <= cap) await bury(client, run, child, proof, children);
    else await fetchInRepair(client, run, children, { resource: child.resource, happenedAt: run.happenedAt });
  }
}

/** As if its deletion had been told. */
function goneFor({ batch: { lane } }: BatchRun, id: string, parentId: string | null): NotedRecord {
  return {
    ...{ id, lane, parentId, generation: '-1', eventId: null, attempts: 0, ownFailures: 0 },
    ...{ occurredAt: null, happenedAt: null },
    ...{ isDelete: true, isDeletedLast: true, settles: true },
    ...{ reread: false, isSightedAbsent: false, isListed: false, listsChildren: false },
  };
}
