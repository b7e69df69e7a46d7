import { catalogue } from '@procore-mirror/catalogue';
import type { ProcoreAnswer, ProcoreClient } from '@procore-mirror/procore';
import { readItems } from '../run/read-answer.ts';

/** Ids of the company's active projects. Throws what the client throws, and ProcoreFormatError when the answer is no list of projects. */
export async function listProjects(client: ProcoreClient, companyId: string, signal: AbortSignal): Promise<string[]> {
  const ids: string[] = [];
  const path = `/rest/v1.1/projects?company_id=${companyId}`;
  const read = ({ text }: ProcoreAnswer) => {
    const items = readItems(text, catalogue.get('Projects'));
    return { items, ids: items.map(({ id }) => id), records: items.length, groups: items.length };
  };
  for await (const { items } of client.pages(path, { companyId, perPage: 1000, signal, read })) {
    ids.push(...items.map(({ id }) => id));
  }
  return ids;
}
