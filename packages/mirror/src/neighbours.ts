// What other calls of this process got lately: one answer alone cannot tell whether a record, a resource, a company or
// everything is in trouble.

export type Neighbours = {
  /** A call of the company was answered. */
  answered: (companyId: string) => void;
  /** These records were not found. Returns how many of the company were not since a call was last answered; counts no further than it must. */
  recordsMissed: (companyId: string, records: readonly string[]) => number;
  /** A resource answers nothing in a company or project. Returns of how many that holds in the company since a call was last answered. */
  resourceFailed: (place: { companyId: string; projectId: string | null; resource: string }) => number;
  /** Nothing of the company is answered. Returns of how many companies that holds within seconds, since any call was last answered. */
  companyFailed: (companyId: string) => number;
};

const WITHIN_SECONDS_MS = 10_000;
const MOST_COUNTED = 100;

/** Remembers for as long as the process runs; `now` in ms. */
export function createNeighbours(now: () => number = Date.now): Neighbours {
  const missed = new Map<string, Set<string>>();
  const failedResources = new Map<string, Set<string>>();
  const failedCompanies = new Map<string, number>();
  return {
    answered: (companyId) => {
      missed.delete(companyId);
      failedResources.delete(companyId);
      failedCompanies.clear();
    },
    recordsMissed: (companyId, records) => {
      const all = missed.get(companyId) ?? new Set();
      missed.set(companyId, all);
      for (const record of records) if (all.size < MOST_COUNTED) all.add(record);
      return all.size;
    },
    resourceFailed: ({ companyId, projectId, resource }) => {
      const failed = failedResources.get(companyId) ?? new Set();
      failedResources.set(companyId, failed.add(`${projectId}/${resource}`));
      return failed.size;
    },
    companyFailed: (companyId) => {
      failedCompanies.set(companyId, now());
      return [...failedCompanies.values()].filter((at) => now() - at <= WITHIN_SECONDS_MS).length;
    },
  };
}
