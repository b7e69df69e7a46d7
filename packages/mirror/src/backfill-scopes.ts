import { type BatchKey, type Database, listBackfilled, noteBackfill } from '@procore-mirror/database';
import { tryCalls } from './ask/try-calls.ts';
import { backfillResource } from './backfill-resource.ts';
import { nameOf, type Scope } from './list-scopes.ts';
import type { FetchSettings } from './run/fetch-settings.ts';

type Options = {
  settings: FetchSettings;
  scopes: readonly Scope[];
  /** Leave out what has been filled before. */
  continues: boolean;
  signal: AbortSignal;
  /** Told how many of how many lists are done, and which is being read now; `stop` at the end, however it came about. */
  progress: { show: (done: number, total: number, now: string) => void; stop: () => void };
  say: (line: string) => void;
};

const SCOPES_AT_ONCE = 4;

/** Backfills every resource of every scope, companies before projects. What refuses is named, and left out. */
export async function backfillScopes({ settings, scopes, continues, signal, progress, say }: Options): Promise<void> {
  const { database } = settings;
  const filled = continues ? await filledBefore(database, scopes) : new Set<string>();
  const work = scopes.map((scope) =>
    scope.resources
      .map((resource) => ({ companyId: scope.companyId, projectId: scope.projectId, resource }))
      .filter((one) => !filled.has(keyOf(one))),
  );
  const total = work.flat().length;
  const refusals: string[] = [];
  let [done, stored, pending] = [0, 0, 0];

  async function fillOne(scope: BatchKey): Promise<void> {
    progress.show(done, total, `${scope.resource}, ${nameOf(scope)}`);
    await noteBackfill(database, scope, { state: 'running', rows: 0, detail: null });
    const outcome = await tryCalls(() => backfillResource(settings, scope, { signal, now: new Date() }), { signal });
    if ('refused' in outcome) {
      refusals.push(`${scope.resource} in ${nameOf(scope)}: ${outcome.refused}`);
      await noteBackfill(database, scope, { state: 'failed', rows: 0, detail: outcome.refused });
    } else {
      stored += outcome.done.stored;
      pending += outcome.done.pending;
      await noteBackfill(database, scope, {
        state: 'done',
        rows: outcome.done.stored + outcome.done.pending,
        detail: null,
      });
    }
    done += 1;
    progress.show(done, total, '');
  }

  try {
    const queue = [...work];
    const takeTurns = async () => {
      // Within a scope one after the other: children are found by way of their parents.
      for (let next = queue.shift(); next !== undefined; next = queue.shift())
        for (const one of next) await fillOne(one);
    };
    await Promise.all(Array.from({ length: SCOPES_AT_ONCE }, takeTurns));
  } finally {
    progress.stop();
  }
  for (const refusal of refusals.slice(0, 10)) say(`Not backfilled: ${refusal}`);
  if (refusals.length > 10) say(`Not backfilled: ${refusals.length - 10} more (select * from mirror.backfills)`);
  say(`Backfill: ${stored} records stored, ${pending} more that the worker completes`);
}

async function filledBefore(database: Database, scopes: readonly Scope[]): Promise<Set<string>> {
  const keys = new Set<string>();
  for (const companyId of new Set(scopes.map((scope) => scope.companyId))) {
    for (const scope of await listBackfilled(database.pool, companyId)) keys.add(keyOf(scope));
  }
  return keys;
}

function keyOf({ companyId, projectId, resource }: BatchKey): string {
  return `${companyId}/${projectId ?? ''}/${resource}`;
}
