import type { Catalogue } from '@procore-mirror/catalogue';
import { isSelected } from './plan/news-of-event.ts';

/** A company (`projectId` null) or a project, and the resources to mirror there, parents before their children. */
export type Scope = { companyId: string; projectId: string | null; resources: readonly string[] };

/** The scope with those resources that a list fills. `resources`: names of those to mirror, in any case; null for all. */
export function withResources(
  { companyId, projectId }: Pick<Scope, 'companyId' | 'projectId'>,
  { catalogue, resources }: { catalogue: Catalogue; resources: readonly string[] | null },
): Scope {
  const kind = projectId === null ? 'company' : 'project';
  const filled = catalogue.mirrored.filter(
    (entry) => entry.scope === kind && entry.list !== null && isSelected(entry, { resources }),
  );
  return { companyId, projectId, resources: filled.map(({ resource }) => resource) };
}

/** How a message names the scope. */
export function nameOf({ companyId, projectId }: Pick<Scope, 'companyId' | 'projectId'>): string {
  return projectId === null ? `company ${companyId}` : `project ${projectId}`;
}
