// What there is to mirror: each company with its resources, each of its projects with theirs.
import type { Catalogue } from '@procore-mirror/catalogue';
import type { ProcoreClient } from '@procore-mirror/procore';
import { listProjects } from './ask/list-projects.ts';
import { type Patience, tryCalls } from './ask/try-calls.ts';

/** A company (`projectId` null) or a project, and the resources to mirror there, parents before their children. */
export type Scope = { companyId: string; projectId: string | null; resources: readonly string[] };

/** The scopes of these companies, each company before its projects. A company that refuses is named. */
export async function listScopes(
  options: Pick<Patience, 'signal' | 'pausesMs'> & {
    client: ProcoreClient;
    companyIds: readonly string[];
    catalogue: Catalogue;
    /** Names of the resources to mirror, in any case; null for all. */
    resources: readonly string[] | null;
    say: (line: string) => void;
  },
): Promise<Scope[]> {
  const chosen = options.resources === null ? null : new Set(options.resources.map((name) => name.toLowerCase()));
  const resourcesOf = (scope: 'company' | 'project') =>
    options.catalogue.mirrored
      .filter((entry) => entry.scope === scope && entry.list !== null)
      .map(({ resource }) => resource)
      .filter((name) => chosen?.has(name.toLowerCase()) ?? true);
  const scopes: Scope[] = [];
  for (const companyId of options.companyIds) {
    scopes.push({ companyId, projectId: null, resources: resourcesOf('company') });
    const projects = await tryCalls(() => listProjects(options.client, companyId, options), options);
    if ('refused' in projects) options.say(`Projects of company ${companyId} are not mirrored: ${projects.refused}`);
    else
      for (const { id, isActive } of projects.done.projects)
        if (isActive) scopes.push({ companyId, projectId: id, resources: resourcesOf('project') });
  }
  return scopes;
}

/** How a message names the scope. */
export function nameOf({ companyId, projectId }: Pick<Scope, 'companyId' | 'projectId'>): string {
  return projectId === null ? `company ${companyId}` : `project ${projectId}`;
}
