// The rung `bin`: what was deleted since it was last compared, each record by itself. What a bin lacks tells nothing.
import { isListedByParent } from '@procore-mirror/catalogue';
import { findLacking } from '@procore-mirror/database';
import { idFilter } from '../ask/listing-pages.ts';
import { lookAtList } from '../ask/look-at-list.ts';
import { askUnlisted } from '../ask/witness.ts';
import { type Comparison, type Found, type Part, readingOf } from './comparison.ts';
import { listParts } from './list-parts.ts';
import { type Doubt, doubtAll, failureOf, type Gone, type RungLooks } from './look-through.ts';
import { windowOf } from './window-looks.ts';

/** Of what a bin shows so many are asked for one by one, and so many of a list at once. */
const MOST_ASKED = 20;
const IDS_AT_ONCE = 100;
/** Before anybody used Procore. */
const EVER = '2000-01-01T00:00:00Z';

export async function binLooks(comparison: Comparison, base: string): Promise<RungLooks> {
  return { parts: await binParts(comparison, base), look, doubt, tellsByLacking: false };
}

async function binParts(comparison: Comparison, base: string): Promise<Part[]> {
  const { run, place } = comparison;
  const { bin } = run.entry;
  if (bin === null) return [];
  // Where counts say that something is gone that the bin does not show, it may be one whose deletion did not move `updated_at`.
  const isWhole = place.counts?.outcome === 'differs';
  const searchParams = [...Object.entries(bin.query)];
  if (bin.since === 'filters[deleted_at]' || (bin.since !== null && !isWhole))
    searchParams.push([bin.since, windowOf({ base: isWhole ? EVER : base, day: place.day })]);
  if (bin.path !== null) return [{ name: '000', parentId: null, also: bin.path, searchParams }];
  return (await listParts(comparison, [searchParams])).filter(({ also }) => also === undefined);
}

async function look(comparison: Comparison, { name: _, ...part }: Part): Promise<Found> {
  const { run } = comparison;
  const looked = await lookAtList(run, run.entry, part).catch((error: unknown) => failureOf(comparison, error));
  if (looked instanceof Error)
    return {
      differences: [],
      ids: new Set(),
      flaw: `its recycle bin: ${looked.message}`,
      isCounted: false,
      isRefused: true,
    };
  const { parentId } = part;
  const among = { under: parentId, isLive: true, among: [...looked.ids] };
  const live = await findLacking(run.settings.database.pool, readingOf(comparison), among);
  return {
    differences: live.map(({ id }) => ({ id, kind: 'extra', fields: null, parentId })),
    ids: looked.ids,
    flaw: looked.doubt === null ? null : `its recycle bin: ${looked.doubt}`,
    isCounted: looked.isCounted,
    isRefused: false,
  };
}

/** A bin that shows what is there proves nothing. */
async function doubt(comparison: Comparison, gone: Gone): Promise<Doubt> {
  return doubtAll(gone, await whyThere(comparison, gone));
}

async function whyThere(comparison: Comparison, { ids, parentId }: Gone): Promise<string | null> {
  const { run } = comparison;
  const told = await askUnlisted(run, run.entry, { ids: ids.slice(0, MOST_ASKED), isCounted: true });
  if (told === 'unknown') return 'Procore did not say whether what its recycle bin shows is there';
  const listed = told === 'shown' || (await isListed(comparison, ids, parentId));
  if (listed instanceof Error)
    return `whether what its recycle bin shows is in the list is not known: ${listed.message}`;
  return listed ? 'its recycle bin shows records that are there' : null;
}

/** Does the list show one of them? Not asked where that takes many calls and a show tells. */
async function isListed(
  comparison: Comparison,
  ids: readonly string[],
  parentId: string | null,
): Promise<boolean | Error> {
  const { run } = comparison;
  const { entry } = run;
  const takesIds = entry.list?.filterByIds != null;
  if ((!takesIds && entry.show !== null) || (isListedByParent(entry) && parentId === null)) return false;
  const step = takesIds ? IDS_AT_ONCE : ids.length;
  for (let at = 0; at < ids.length; at += step) {
    const searchParams = idFilter(entry, ids.slice(at, at + step));
    const looked = await lookAtList(run, entry, { parentId, searchParams }).catch((error: unknown) =>
      failureOf(comparison, error),
    );
    if (looked instanceof Error) return looked;
    if (ids.some((id) => looked.ids.has(id))) return true;
  }
  return false;
}
