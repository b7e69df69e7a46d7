import { parseWithTextIds } from '@procore-mirror/procore';
import { z } from 'zod';

const record = z.looseObject({ id: z.string() });
const records = z.array(z.unknown());
const listing = z.union([records, z.looseObject({ data: records }).transform(({ data }) => data)]);

/** The ids in the text of a listing, v1 (bare) or v2 (in `data`); elements without an id are left out. */
export function readIds(text: string): string[] {
  const parsed = listing.safeParse(parseWithTextIds(text));
  if (!parsed.success) return [];
  return parsed.data.flatMap((element) => {
    const one = record.safeParse(element);
    return one.success ? [one.data.id] : [];
  });
}
