// Which scopes a command is about: companies that are configured, and their projects, as Procore lists them.
import { type Catalogue, unknownResource } from '@procore-mirror/catalogue';
import type { Database } from '@procore-mirror/database';
import { isSelected, type Scope, withResources } from '@procore-mirror/mirror';
import type { ProcoreClient } from '@procore-mirror/procore';
import type { Context } from './context.ts';
import { UsageError } from './errors.ts';
import { listSelected } from './list-selected.ts';

type Part = {
  client: ProcoreClient;
  database: Database;
  catalogue: Catalogue;
  resources: readonly string[] | null;
  companyIds: readonly string[];
  /** As in MIRROR_PROJECTS. */
  wanted: 'active' | readonly string[];
  projectId: string | undefined;
  resource: string | undefined;
};

/**
 * The scopes, with the resources to fill there; `unlisted` names companies whose projects Procore does not list. Throws a UsageError for a
 * project or resource that there is not, ServerUnreachableError where Procore does not answer.
 */
export async function findScopes(
  context: Context,
  part: Part,
): Promise<{ scopes: Scope[]; unlisted: readonly string[] }> {
  const { database, catalogue, companyIds, projectId, wanted } = part;
  const chosen = chooseResource(part);
  const { client } = part;
  // A fill of a part takes nothing from the selection, so nothing is noted.
  const { scopes: selected, unlisted } = await listSelected(context, {
    ...{ client, database, companyIds, wanted, lane: 'backfill' },
  });
  const scopes = selected
    .map((scope) => withResources(scope, { catalogue, resources: chosen }))
    .filter((scope) => projectId === undefined || scope.projectId === projectId)
    .filter(({ resources }) => resources.length > 0);
  if (projectId !== undefined && scopes.length === 0 && unlisted.length === 0)
    throw new UsageError([
      `there is no active project ${projectId} that the service account sees and that is selected, or nothing of it is mirrored`,
    ]);
  return { scopes, unlisted };
}

/** Those that are configured, or the one that is asked for. Throws a UsageError for one that is not configured. */
export function companiesOf(configured: readonly string[], company: string | undefined): readonly string[] {
  if (company === undefined) return configured;
  if (configured.includes(company)) return [company];
  throw new UsageError([`company ${company} is not among PROCORE_COMPANY_IDS (${configured.join(', ')})`]);
}

/** The resources that are meant; null for all that are mirrored. */
function chooseResource({ catalogue, resource, resources }: Part): readonly string[] | null {
  if (resource === undefined) return resources;
  const problem = unknownResource(catalogue, resource);
  if (problem !== null) throw new UsageError([problem]);
  const entry = catalogue.find(resource);
  if (entry === undefined || entry.table === null || entry.list === null)
    throw new UsageError([`${resource} has no list of its own to be filled from`]);
  if (!isSelected(entry, { resources })) throw new UsageError([`${resource} is not among MIRROR_RESOURCES`]);
  return [entry.resource];
}
