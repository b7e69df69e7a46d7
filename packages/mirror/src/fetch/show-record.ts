// Shows one record and stores it, with the children that it carries. One that is not found is concluded on.
import type { CataloguedResource } from '@procore-mirror/catalogue';
import { takeVersion } from '@procore-mirror/database';
import { expandPath, ProcoreFormatError } from '@procore-mirror/procore';
import { isUnderParent, pathValues } from '../ask/record-paths.ts';
import { isNotFound } from '../plan/judge-failure.ts';
import type { BatchRun } from '../run/batch-run.ts';
import { checkShow, readHolders } from '../run/read-answer.ts';
import { concludeAbsent } from '../store/conclude-absent.ts';
import { storeAnswer } from '../store/store-answer.ts';

/** It would be asked for again at once, without end. */
const NOT_STORED = 'the record cannot be stored under this id';

export async function showRecord(
  run: BatchRun,
  entry: CataloguedResource,
  { id, parentId }: { id: string; parentId: string | null },
): Promise<void> {
  if (entry.show === null) throw new Error(`${entry.resource} has no show in the catalogue`);
  const version = await takeVersion(run.settings.database);
  const path = expandPath(entry.show, await pathValues(run, entry, parentId, id));
  try {
    using shown = await run.settings.client.get(path, { companyId: run.batch.companyId, signal: run.signal });
    const { text } = shown;
    const wrapper = checkShow(text, entry, id);
    run.seeAnswer();
    const stored = await storeAnswer(run, { entry, wrapper, version, text, parentId, only: [id] });
    if (!stored.has(id)) throw new ProcoreFormatError(`the show of ${entry.resource} ${id}`, { issues: [NOT_STORED] });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const under = isUnderParent(entry, entry.show) ? parentId : null;
    await concludeAbsent(run, entry, { version, under }, run.noted([id], entry));
  }
}

/** Shows and stores the parent with the children that it carries. Returns whether it came with its list of them, or is gone. */
export async function readParent(
  run: BatchRun,
  parent: CataloguedResource,
  id: string,
  version: string,
): Promise<boolean> {
  if (parent.show === null) throw new Error(`${parent.resource} has no show in the catalogue`);
  const path = expandPath(parent.show, await pathValues(run, parent, null, id));
  try {
    using shown = await run.settings.client.get(path, { companyId: run.batch.companyId, signal: run.signal });
    const { text } = shown;
    const wrapper = checkShow(text, parent, id);
    run.seeAnswer();
    await storeAnswer(run, { entry: parent, wrapper, version, text, parentId: null, only: [id] });
    return readHolders(text, parent, wrapper, run.entry.parent?.embeddedAs ?? '').has(id);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await concludeAbsent(run, parent, { version, under: null }, run.noted([id], parent));
    return true;
  }
}
