import type { WorldRecord } from './world-record.ts';

export type Page = { records: readonly WorldRecord[]; headers: Record<string, string> };

/**
 * The page of these records that the query asks for. Total tells that a list shifted while it was read: where as many came
 * as went it says one more, because what leaves no trace at all in a listing nobody can be asked to see.
 */
export function pageOf(records: readonly WorldRecord[], { pathname, searchParams }: URL): Page {
  const number = Number(searchParams.get('page') ?? 1);
  const perPage = Number(searchParams.get('per_page') ?? 10);
  const ids = records.map(({ id }) => id);
  const idsAtFirst = searchParams.get('ids_at_first')?.split('.') ?? ids;
  const isSecret = ids.length === idsAtFirst.length && ids.some((id) => !idsAtFirst.includes(id));
  const next = new URLSearchParams(searchParams);
  next.set('page', String(number + 1));
  next.set('ids_at_first', idsAtFirst.join('.'));
  return {
    records: records.slice((number - 1) * perPage, number * perPage),
    headers: {
      total: String(records.length + (isSecret ? 1 : 0)),
      'per-page': String(perPage),
      ...(number * perPage < records.length && { link: `<${pathname}?${next}>; rel="next"` }),
    },
  };
}
