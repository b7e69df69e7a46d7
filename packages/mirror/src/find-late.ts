// A pause of Procore's deliveries concerns the whole address, so the hooks that send most tell of it.
import { type Database, listBusyScopes } from '@procore-mirror/database';
import { createHooksApi, type ProcoreClient } from '@procore-mirror/procore';
import { type Patience, tryCalls } from './ask/try-calls.ts';
import { findUndelivered } from './ask/undelivered.ts';

type PlacedHook = { companyId: string; projectId: string | null; hookId: string };

export type LateDeliveries = PlacedHook & { count: number; oldestAt: Date };

const MOST_HOOKS = 5;
/** Procore tries again within an hour at last, and throws away after twelve (docs/procore.md: Deliveries). */
const LATE_AFTER_MS = 2 * 3_600_000;

/**
 * Of the five busiest of these hooks, those for which Procore has held an event for more than two hours. Two calls a hook; one whose log
 * cannot be asked is passed over.
 */
export async function findLate(
  options: Pick<Patience, 'signal' | 'pausesMs'> & {
    client: ProcoreClient;
    database: Database;
    hooks: readonly PlacedHook[];
    asOf: Date;
  },
): Promise<LateDeliveries[]> {
  const { client, database, asOf, signal, pausesMs } = options;
  const api = createHooksApi(client);
  const busy = await listBusyScopes(database.pool);
  const rank = ({ companyId, projectId }: PlacedHook) => {
    const at = busy.findIndex((scope) => scope.companyId === companyId && scope.projectId === projectId);
    return at < 0 ? busy.length : at;
  };
  const late: LateDeliveries[] = [];
  for (const hook of options.hooks.toSorted((one, other) => rank(one) - rank(other)).slice(0, MOST_HOOKS)) {
    const tried = await tryCalls(() => findUndelivered(api, { ...hook, now: asOf, signal }), { signal, pausesMs });
    const { count = 0, oldestAt = null } = ('done' in tried && tried.done) || {};
    if (oldestAt !== null && asOf.getTime() - oldestAt.getTime() > LATE_AFTER_MS)
      late.push({ ...hook, count, oldestAt });
  }
  return late;
}
