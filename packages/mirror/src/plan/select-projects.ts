import type { ProjectChoice } from '@procore-mirror/database';

/** A project as a list of projects shows it. */
export type ListedProject = { id: string; name: string | null; isActive: boolean };

export type ProjectListing = {
  projects: readonly ListedProject[];
  /** Those that were expected, and surely are not there any more: not active, or not to be seen. Others that are missing are in doubt. */
  gone: ReadonlySet<string>;
};

/** Projects to mirror: these ids, or all that are active and that the service account sees. */
export type WantedProjects = 'active' | readonly string[];

/**
 * What is selected of a company's projects, given which were `known` before and a listing. One that is missing in it and not known to
 * be gone stays as it is.
 */
export function selectProjects(
  known: readonly Pick<ProjectChoice, 'projectId' | 'isSelected'>[],
  { projects, gone }: ProjectListing,
  wanted: WantedProjects,
): ProjectChoice[] {
  const isWanted = (id: string) => wanted === 'active' || wanted.includes(id);
  const listed = new Set(projects.map(({ id }) => id));
  const missing = known.filter(({ projectId, isSelected }) => isSelected && !listed.has(projectId));
  return [
    ...projects.map(({ id, name, isActive }) => ({
      projectId: id,
      name,
      isActive,
      isSelected: isActive && isWanted(id),
      isSeen: true,
    })),
    ...missing.map(({ projectId }) => ({
      projectId,
      name: null,
      isActive: !gone.has(projectId),
      isSelected: !gone.has(projectId) && isWanted(projectId),
      isSeen: false,
    })),
  ];
}
