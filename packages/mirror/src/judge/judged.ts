import type { FactPlace, Group } from '@procore-mirror/database';
import type { Finding, FindingCode } from './finding.ts';

/** A finding of the judge. */
export type Judged = Finding & {
  code: FindingCode;
  /** When that is over by itself, ISO 8601; null: not known. */
  until: string | null;
  /** Beyond its severity: it grows when somebody is to be told again. */
  step: number;
};

/** What a finding has in common with the scopes that it is about. */
export function about(
  group: FactPlace & Partial<Pick<Group, 'since'>>,
): Pick<Judged, 'companyId' | 'projectId' | 'resource' | 'since' | 'until' | 'step'> {
  const { companyId, projectId, resource, since = null } = group;
  return { companyId, projectId, resource, since, until: null, step: 0 };
}

/** Of the whole mirror, or what all of it rests on. */
export const OF_ALL = { companyId: null, projectId: null, resource: null };
