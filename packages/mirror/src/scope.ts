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

/** The same scope with those of its resources of which a record can be shown, also those that no list fills; where one resource is chosen, that one. */
export function withShows(
  { companyId, projectId, resources: chosen }: Scope,
  part: { catalogue: Catalogue; resources: readonly string[] | null; resource: string | undefined },
): Scope {
  const { catalogue, resource: only } = part;
  const kind = projectId === null ? 'company' : 'project';
  const shown = catalogue.mirrored.filter(
    (entry) =>
      entry.scope === kind &&
      entry.show !== null &&
      (only === undefined ? isSelected(entry, part) : chosen.includes(entry.resource)),
  );
  return { companyId, projectId, resources: shown.map(({ resource }) => resource) };
}

/** How a message names the scope. */
export function nameOf({ companyId, projectId }: Pick<Scope, 'companyId' | 'projectId'>): string {
  return projectId === null ? `company ${companyId}` : `project ${projectId}`;
}
