// Which parents the records of a run have, as far as our own rows tell before anybody is asked.
import { parentsOf } from '@procore-mirror/catalogue';
import { findHidden, findParentIds } from '@procore-mirror/database';
import { hasPlace } from '../ask/record-paths.ts';
import type { BatchRun } from '../run/batch-run.ts';

/** Our own rows remember the parent where the event did not name it. */
export async function addKnownParents(run: BatchRun): Promise<void> {
  const { entry, settings } = run;
  const ids = run.wanted().flatMap(({ id, parentId }) => (parentId === null ? [id] : []));
  const parents = await findParentIds(settings.database.pool, { ...run.batch, table: entry.table }, ids);
  for (const [id, parentId] of parents) run.placed(id, parentId);
  await forgetParents(run);
  // A parent whose own place nobody knows is no help: it is looked for with the others.
  for (const { id, parentId } of run.allNoted()) {
    if (parentId === null || entry.parent?.embeddedAs !== null) continue;
    if (!(await hasPlace(run, entry, parentId))) run.placed(id, null);
  }
}

/**
 * What was not found under the parent that we know may have another by now, so the second look is at all of them. Not where
 * news came of a child whose parent is hidden from us: it mostly is, too, and is looked at again later in any case.
 */
async function forgetParents(run: BatchRun): Promise<void> {
  const { entry, settings, batch } = run;
  const lost = run.wanted().filter(({ isSightedAbsent, isDeletedLast }) => isSightedAbsent && !isDeletedLast);
  if (lost.length === 0) return;
  const parentIds = lost.flatMap(({ parentId }) => parentId ?? []);
  const hidden = new Set<string>();
  for (const { table } of parentsOf(settings.catalogue, entry)) {
    const found = await findHidden(settings.database.pool, { ...batch, table }, parentIds);
    for (const id of found) hidden.add(id);
  }
  for (const record of lost) {
    const staysHidden = record.eventId !== null && record.parentId !== null && hidden.has(record.parentId);
    if (staysHidden) run.hiddenWithParent(record.id);
    else run.placed(record.id, null);
  }
}
