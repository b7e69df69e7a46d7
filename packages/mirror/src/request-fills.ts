import { randomUUID } from 'node:crypto';
import type { Catalogue } from '@procore-mirror/catalogue';
import { type Database, requestBackfills } from '@procore-mirror/database';
import type { Scope } from './list-scopes.ts';
import { orderFills } from './plan/order-fills.ts';

/**
 * Has the workers fill every resource of these scopes. What is asked for already and not done yet is joined. Returns the names of the
 * requests under which the work is to be found.
 */
export async function requestFills(
  database: Database,
  { catalogue, scopes }: { catalogue: Catalogue; scopes: readonly Scope[] },
): Promise<string[]> {
  const positions = orderFills(catalogue);
  const wanted = scopes.flatMap(({ companyId, projectId, resources }) =>
    resources.map((resource) => ({ companyId, projectId, resource, position: positions.get(resource) ?? 0 })),
  );
  return requestBackfills(database, { request: randomUUID(), wanted });
}
