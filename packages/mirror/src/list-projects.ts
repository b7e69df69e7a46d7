import type { ProcoreClient } from '@procore-mirror/procore';
import { readIds } from './read-ids.ts';

/** Ids of the company's active projects. */
export async function listProjects(client: ProcoreClient, companyId: string, signal: AbortSignal): Promise<string[]> {
  const ids: string[] = [];
  const path = `/rest/v1.1/projects?company_id=${companyId}`;
  for await (const page of client.pages(path, { companyId, perPage: 1000, signal })) ids.push(...readIds(page.text));
  return ids;
}
