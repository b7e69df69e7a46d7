// Is a company or project still to be mirrored? What is may not be forgotten: it would come back, call by call.

/** What the operator chose: null stands for all companies, `active` for all active projects of theirs. */
type Wanted = { companyIds: readonly string[] | null; projects: 'active' | readonly string[] };

/** What is known of the project; null where nothing is. */
type Known = {
  /** As the worker last noted it. */
  isSelected: boolean | null;
  isActive: boolean | null;
  /** Does a worker run, and so does what it noted still hold, whatever this process is configured to? */
  isWorkerThere: boolean;
};

/** Why the place is selected, with what to do first; null when it is not. */
export function stillSelected(
  { companyId, projectId }: { companyId: string; projectId: string | null },
  { companyIds, projects }: Wanted,
  { isSelected, isActive, isWorkerThere }: Known,
): string | null {
  if (companyIds === null) {
    return 'PROCORE_COMPANY_IDS is not set, so every company is mirrored that sends events: set it to those that are to stay';
  }
  if (!companyIds.includes(companyId)) {
    if (isSelected !== true || !isWorkerThere) return null;
    return `company ${companyId} is still mirrored by workers that run: take it out of their PROCORE_COMPANY_IDS, and start them anew`;
  }
  if (projectId === null) {
    return `company ${companyId} is still mirrored: take it out of PROCORE_COMPANY_IDS, also of the workers, and start them anew`;
  }
  if (projects !== 'active') {
    return projects.includes(projectId)
      ? `project ${projectId} is still mirrored: take it out of MIRROR_PROJECTS, also of the workers, and start them anew`
      : null;
  }
  const isMirrored = isSelected ?? isActive ?? true;
  if (!isMirrored) return null;
  return `project ${projectId} is still mirrored, as it is active as far as the mirror knows: name in MIRROR_PROJECTS those that are to stay`;
}
