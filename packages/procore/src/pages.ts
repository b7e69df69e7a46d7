import { ProcoreFormatError } from './errors.ts';
import type { CallPurpose, ProcoreAnswer, ProcoreClient } from './procore-client.ts';

/** The pages of a list from path and query of its first one, one request each, as `ProcoreClient.pages` promises. */
export async function* pagesOf(
  get: ProcoreClient['get'],
  firstPath: string,
  o: {
    companyId: string;
    signal?: AbortSignal | undefined;
    purpose?: CallPurpose | undefined;
    fields?: ReadonlySet<string> | undefined;
    maxPages?: number | undefined;
  },
): AsyncGenerator<ProcoreAnswer, void, undefined> {
  const { companyId, signal, purpose, fields, maxPages = 10_000 } = o;
  const refuse = (issue: string): ProcoreFormatError =>
    new ProcoreFormatError(`the list ${firstPath.split('?')[0]} of company ${companyId}`, { issues: [issue] });
  const seen = new Set<string>();
  let path = firstPath;
  let expectedBytes = 0;
  for (let page = 1; ; page += 1) {
    seen.add(path);
    using answer = await get(path, { companyId, signal, purpose, fields, expectedBytes });
    expectedBytes = answer.text.bytes.length;
    yield answer;
    const next = answer.links.next ?? nextByCount(firstPath, page, answer);
    if (next === undefined) return;
    if (seen.has(next)) throw refuse(`the next link of page ${page} leads back to a page seen before`);
    if (page >= maxPages) throw refuse(`it goes on after ${maxPages} pages`);
    path = next;
  }
}

/** Total and Per-Page tell of further pages where an answer has no links. */
function nextByCount(firstPath: string, page: number, { total, perPage }: ProcoreAnswer): string | undefined {
  if (total === null || perPage === null || page * perPage >= total) return undefined;
  const [path, query] = firstPath.split('?');
  const searchParams = new URLSearchParams(query);
  searchParams.set('page', String(page + 1));
  return `${path}?${searchParams}`;
}
