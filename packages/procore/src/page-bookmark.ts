// Where the reading of a list stopped, so that somebody else can go on there. Of the records before it those of the first and of the
// last page are known by id, which tells a page that comes again.
import { z } from 'zod';
import type { Seen } from './page-ends.ts';
import type { Place } from './page-place.ts';

const count = z.number().int().min(0);
const ids = z.array(z.string()).readonly();

/** A bookmark as it comes back from where it was kept, as JSON. */
export const bookmark = z.object({
  place: z.object({
    path: z.string(),
    number: count.nullable(),
    size: count,
    toldBy: z.enum(['link', 'total', 'fullness']),
    isAfterFull: z.boolean(),
  }),
  seen: z.object({
    pages: count,
    hasLinks: z.boolean(),
    records: count,
    badInARow: count,
    bytes: count,
    firstIds: ids,
    lastIds: ids,
    asked: z.object({ size: count, pages: count, first: count }),
    most: count,
    isShort: z.boolean(),
    told: count,
    ignoresSize: z.boolean(),
    heedsSize: z.boolean(),
    hasGoneBack: z.boolean(),
  }),
});

export type Bookmark = z.infer<typeof bookmark>;

export function bookmarkAt({ change: _, ...place }: Place, { ids: _ids, paths: _paths, ...seen }: Seen): Bookmark {
  return { place, seen: { ...seen, asked: { ...seen.asked } } };
}

export function reopen({ place, seen }: Bookmark): { place: Place; seen: Seen } {
  const known = new Set([...seen.firstIds, ...seen.lastIds]);
  return {
    place: { ...place, change: null },
    seen: { ...seen, asked: { ...seen.asked }, ids: known, paths: new Set() },
  };
}
