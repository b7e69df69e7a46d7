// Lists in pages, as Procore cuts them: `page`, `per_page`; headers Link, Total, Per-Page
// (docs/procore.md: Pages and Totals).
import type { Call } from './http-exchange.ts';

export type Page<T> = { items: readonly T[]; perPage: number; headers: Record<string, string> };

/** v1 lists hold 100 a page and at most 2,000, v2 lists 10 and at most 100; asking for more gives the most. */
export function cutPage<T>(
  items: readonly T[],
  call: Call,
  options: { version2: boolean; maxPerPage?: number | undefined; totalAbove?: number },
): Page<T> {
  const most = options.maxPerPage ?? (options.version2 ? 100 : 2000);
  const perPage = Math.min(positive(call.query.get('per_page')) ?? Math.min(options.version2 ? 10 : 100, most), most);
  const page = positive(call.query.get('page')) ?? 1;
  const start = (page - 1) * perPage;
  const lastPage = Math.max(1, Math.ceil(items.length / perPage));
  const links = [
    ...(page > 1 ? [link(call, 'first', 1, perPage), link(call, 'prev', page - 1, perPage)] : []),
    ...(page < lastPage ? [link(call, 'next', page + 1, perPage), link(call, 'last', lastPage, perPage)] : []),
  ];
  return {
    items: items.slice(start, start + perPage),
    perPage,
    headers: {
      Total: String(items.length + (options.totalAbove ?? 0)),
      'Per-Page': String(perPage),
      ...(links.length > 0 && { Link: links.join(', ') }),
    },
  };
}

function positive(text: string | null): number | undefined {
  return text !== null && /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined;
}

function link({ origin, path, query }: Call, rel: string, page: number, perPage: number): string {
  const changed = new URLSearchParams(query);
  changed.set('page', String(page));
  changed.set('per_page', String(perPage));
  return `<${origin}${path}?${changed}>; rel="${rel}"`;
}
