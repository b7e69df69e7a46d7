import { ProcoreFormatError } from './errors.ts';
import type { ProcoreAnswer, ProcoreClient } from './procore-client.ts';

/** The pages of a list from path and query of its first one, one request each, as `ProcoreClient.pages` promises. */
export async function* pagesOf(
  get: ProcoreClient['get'],
  firstPath: string,
  o: { companyId: string; signal?: AbortSignal | undefined; maxPages?: number | undefined },
): AsyncGenerator<ProcoreAnswer, void, undefined> {
  const { companyId, signal, maxPages = 10_000 } = o;
  const refuse = (issue: string): ProcoreFormatError =>
    new ProcoreFormatError(`the list ${firstPath.split('?')[0]} of company ${companyId}`, { issues: [issue] });
  const seen = new Set<string>();
  let path = firstPath;
  for (let page = 1; ; page += 1) {
    seen.add(path);
    const answer = await get(path, { companyId, signal });
    yield answer;
    const { next } = answer.links;
    if (next === undefined) return;
    if (seen.has(next)) throw refuse(`the next link of page ${page} leads back to a page seen before`);
    if (page >= maxPages) throw refuse(`it goes on after ${maxPages} pages`);
    path = next;
  }
}
