import type { FactPlace, Group } from '@procore-mirror/database';
import type { Finding } from './finding.ts';

/** A finding, and when that is over by itself, ISO 8601; null: not known. */
export type Judged = Finding & { until: string | null };

/** What a finding has in common with the scopes that it is about. */
export function about(
  group: FactPlace & Partial<Pick<Group, 'since'>>,
): Pick<Judged, 'companyId' | 'projectId' | 'resource' | 'since' | 'until'> {
  const { companyId, projectId, resource, since = null } = group;
  return { companyId, projectId, resource, since, until: null };
}

/** Of the whole mirror, or what all of it rests on. */
export const OF_ALL = { companyId: null, projectId: null, resource: null };
