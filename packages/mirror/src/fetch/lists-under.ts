// Where no row says which records belong to another one, the lists under it do. They are read when it moved or came back.
import { type CataloguedResource, dependentsOf } from '@procore-mirror/catalogue';
import { inTransaction, noteListsUnder } from '@procore-mirror/database';
import { insistOnAll, readListing } from '../ask/listing.ts';
import { InDoubtError } from '../errors.ts';
import { isNotFound, judgeFailure } from '../plan/judge-failure.ts';
import type { BatchRun } from '../run/batch-run.ts';
import { lookAtListed } from '../store/children-in-doubt.ts';

/**
 * Marks what the lists under this record of the run name pending, as far as it is not here yet. Throws InDoubtError when one cannot be
 * read: the record then waits, and the others of the run do not. Where one is not found, the record is not here, or not yet.
 */
export async function readListsUnder(run: BatchRun, id: string): Promise<void> {
  const notes = run.noted([id]);
  for (const { entry, tie } of dependentsOf(run.settings.catalogue, run.entry)) {
    if (tie === 'list' && !(await readListUnder(run, entry, id))) return;
  }
  await inTransaction(run.settings.database, (client) =>
    noteListsUnder(client, run.batch, notes, { areToBeRead: false }),
  );
  run.listedUnder(id);
}

/** Returns whether there is such a list. */
async function readListUnder(run: BatchRun, child: CataloguedResource, parentId: string): Promise<boolean> {
  try {
    const listing = await readListing(run, child, { parentId }, async ({ ids }) => {
      await inTransaction(run.settings.database, (client) => lookAtListed(client, run, child, { parentId, ids }));
    });
    insistOnAll(child, listing);
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    const failure = run.signal.aborted ? null : judgeFailure(error);
    if (failure?.kind !== 'trouble') throw error;
    throw new InDoubtError(`the listing of ${child.resource}`, { issues: [failure.trouble.detail] });
  }
}
