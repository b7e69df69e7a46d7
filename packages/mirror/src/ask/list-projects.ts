import { catalogue } from '@procore-mirror/catalogue';
import { type ProcoreAnswer, type ProcoreClient, ProcoreResponseError } from '@procore-mirror/procore';
import type { ListedProject, ProjectListing } from '../plan/select-projects.ts';
import { readListedProjects } from '../run/read-answer.ts';

type Listed = { projects: ListedProject[]; isDoubtful: boolean };

const pathOf = (companyId: string) => `/rest/v1.1/projects?company_id=${companyId}`;
const HOW = {
  fields: new Set(['id', 'data', 'name', 'active']),
  purpose: { projectId: null, resource: null, lane: 'upkeep' },
  read: ({ text, total }: ProcoreAnswer) => {
    const { projects: items, records } = readListedProjects(text, catalogue.get('Projects'));
    return { items, total, ids: items.map(({ id }) => id), records, groups: records };
  },
} as const;

/** Asks for one project. Throws as `listProjects`. */
export async function showProject(
  client: Pick<ProcoreClient, 'pages'>,
  { companyId, signal }: { companyId: string; signal?: AbortSignal | undefined },
): Promise<void> {
  for await (const _ of client.pages(pathOf(companyId), { companyId, signal, perPage: 1, ...HOW })) return;
}

/**
 * The company's active projects. Where one of the `expected` is missing, the list of all projects, active or not, is to confirm it:
 * a list that is cut off, in doubt or empty says of none that it is gone. Throws what the client throws, and ProcoreFormatError
 * when the answer is no list of projects.
 */
export async function listProjects(
  client: ProcoreClient,
  companyId: string,
  { signal, expected = [] }: { signal: AbortSignal; expected?: readonly string[] },
): Promise<ProjectListing> {
  const { projects, isDoubtful } = await list(client, companyId, null, signal);
  const present = new Set(projects.map(({ id }) => id));
  const missing = expected.filter((id) => !present.has(id));
  if (missing.length === 0 || isDoubtful) return { projects, gone: new Set() };
  const all = await listAll(client, companyId, signal);
  const other = new Map(all.projects.map((project) => [project.id, project]));
  const isWhole = !all.isDoubtful && all.projects.length > 0;
  const isGone = (id: string) => (other.has(id) ? other.get(id)?.isActive === false : isWhole);
  return { projects, gone: new Set(missing.filter(isGone)) };
}

/** Where Procore does not take the filter, the active ones are listed a second time (docs/procore.md: What lists leave out). */
async function listAll(client: ProcoreClient, companyId: string, signal: AbortSignal): Promise<Listed> {
  try {
    return await list(client, companyId, 'All', signal);
  } catch (error) {
    if (!(error instanceof ProcoreResponseError)) throw error;
    return list(client, companyId, null, signal);
  }
}

async function list(
  client: ProcoreClient,
  companyId: string,
  status: 'All' | null,
  signal: AbortSignal,
): Promise<Listed> {
  const projects: ListedProject[] = [];
  let isDoubtful = false;
  const pages = client.pages(pathOf(companyId), {
    ...{ companyId, signal, perPage: 1000, ...HOW },
    ...(status !== null && { searchParams: [['filters[by_status]', status]] }),
    onDoubt: () => {
      isDoubtful = true;
    },
  });
  let told: number | null = null;
  for await (const { items, records, total } of pages) {
    projects.push(...items);
    isDoubtful ||= items.length < records;
    told = total;
  }
  isDoubtful ||= told !== null && told !== projects.length;
  return { projects, isDoubtful };
}
