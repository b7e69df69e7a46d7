import { randomUUID } from 'node:crypto';
import type { Catalogue } from '@procore-mirror/catalogue';
import { type ComparisonTask, type Database, requestComparisons } from '@procore-mirror/database';
import { orderFills } from './plan/order-fills.ts';
import type { Scope } from './scope.ts';

/**
 * Has the workers compare every resource of these scopes with Procore. What is asked for already, with the same task, is joined. Returns the
 * names of the requests under which the work is to be found.
 */
export async function requestVerification(
  database: Database,
  { catalogue, scopes, task }: { catalogue: Catalogue; scopes: readonly Scope[]; task: ComparisonTask },
): Promise<string[]> {
  const positions = orderFills(catalogue);
  const wanted = scopes.flatMap(({ companyId, projectId, resources }) =>
    resources
      .filter((resource) => catalogue.get(resource).list?.shared === false)
      .map((resource) => ({ companyId, projectId, resource, position: positions.get(resource) ?? 0 })),
  );
  return requestComparisons(database, { request: randomUUID(), task, wanted });
}
