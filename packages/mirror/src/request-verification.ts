import { randomUUID } from 'node:crypto';
import type { Catalogue } from '@procore-mirror/catalogue';
import {
  type ComparisonTask,
  countLiveRows,
  type Database,
  findOpenSample,
  requestComparisons,
  type WantedComparison,
} from '@procore-mirror/database';
import { orderFills } from './plan/order-fills.ts';
import { shareSample } from './plan/share-sample.ts';
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

/**
 * Has the workers compare so many records, chosen at random from all rows of these scopes that have a show. A sample of that size that is under
 * way is joined. Returns as above; nothing where there are no rows.
 */
export async function requestSample(
  database: Database,
  options: {
    catalogue: Catalogue;
    scopes: readonly Scope[];
    task: Omit<ComparisonTask, 'sample'> & { sample: number };
    random: () => number;
  },
): Promise<string[]> {
  const { catalogue, scopes, task, random } = options;
  const companyIds = [...new Set(scopes.map(({ companyId }) => companyId))];
  const open = await findOpenSample(database.pool, { task, companyIds });
  if (open.length > 0) return open;
  const tables: (WantedComparison & { rows: number })[] = [];
  for (const [index, entry] of catalogue.mirrored.entries()) {
    const { resource, table, show } = entry;
    const places = new Set(scopes.filter(({ resources }) => resources.includes(resource)).map(placeOf));
    if (show === null || places.size === 0) continue;
    const counts = await countLiveRows(database.pool, { table, companyIds });
    for (const { rows, ...place } of counts)
      if (places.has(placeOf(place))) tables.push({ ...place, resource, position: index, rows });
  }
  const shares = shareSample(
    tables.map(({ rows }) => rows),
    task.sample,
    random,
  );
  const wanted = tables
    .map(({ rows: _, ...table }, index) => ({ ...table, shows: shares[index] ?? 0 }))
    .filter(({ shows }) => shows > 0);
  return wanted.length === 0 ? [] : requestComparisons(database, { request: randomUUID(), task, wanted });
}

function placeOf({ companyId, projectId }: Pick<Scope, 'companyId' | 'projectId'>): string {
  return `${companyId}/${projectId ?? ''}`;
}
