// How many records a list has, for one call: a page of one record tells the Total.
import type { CataloguedResource } from '@procore-mirror/catalogue';
import { expandPath } from '@procore-mirror/procore';
import type { BatchRun } from '../run/batch-run.ts';
import { checkPage } from '../run/read-answer.ts';
import { pathValues } from './record-paths.ts';

type CountedList = {
  /** Null: it does not say. */
  total: number | null;
  /** One of its records; null where none came. */
  firstId: string | null;
};

/** Asks for one record of a list, or of a further one (`also`), of a parent's where the path has one. Throws what the client throws, and ProcoreFormatError. */
export async function countList(
  run: BatchRun,
  entry: CataloguedResource,
  options: { parentId: string | null; searchParams: readonly (readonly [string, string])[]; also?: string },
): Promise<CountedList> {
  const { list } = entry;
  if (list === null) throw new Error(`${entry.resource} has no list in the catalogue`);
  const { parentId, searchParams, also } = options;
  const path = expandPath(also ?? list.path, await pathValues(run, entry, parentId));
  using answer = await run.settings.client.get(path, {
    ...{ companyId: run.batch.companyId, signal: run.signal },
    searchParams: [...Object.entries(list.showAll), ...searchParams, ['per_page', '1']],
  });
  const { records, ids } = checkPage(answer.text, entry);
  const [firstId = null] = ids;
  const { total, links } = answer;
  // Where nothing tells of more, what came is all of it; a page of one record may be the first of many.
  const untold = links.isGiven ? links.lastPage : records === 1 ? null : records;
  return { total: total ?? untold, firstId };
}
