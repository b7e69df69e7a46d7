// Trouble of one place that lasts, beside all else that is well: four RFIs whose addresses fail, each in its own way, and change
// events that one project refuses us. Nothing else may wait for these.
import type { Database } from '@procore-mirror/database';
import type { System } from '@procore-mirror/testing';
import { expect } from 'vitest';
import type { WorldRecord } from './compare-world.ts';

type Fault = Record<string, unknown>;

export type LastingTrouble = {
  /** Waits until nothing is pending but what is in trouble. */
  untilOthersQuiet: () => Promise<void>;
  /** Fails unless each address was asked again and again, and the refused place is parked. */
  expectItBit: () => Promise<void>;
  /** All answer again; the stumbles go on. */
  end: () => Promise<void>;
};

const SICK = 'RFIs';
const WAYS: Fault[] = [{ status: 503 }, { status: 500 }, { reset: true }, { hang: true }];
const REFUSED = 'Change Events';
/** They are inside of change events, and come with them. */
const REFUSED_WITH_THEM = 'Change Event Line Items';
const PATIENCE = { timeout: 300_000, interval: 200 };

/** Begins the trouble, beside the `stumbles` of all calls, and edits what is in it. `projectIds`: one for each way to fail, and one more. */
export async function startLastingTrouble(
  database: Database,
  system: System,
  { projectIds, stumbles }: { projectIds: readonly string[]; stumbles: readonly Fault[] },
): Promise<LastingTrouble> {
  const refusedIn = projectIds[WAYS.length];
  const sick: { projectId: string; id: string }[] = [];
  for (const projectId of projectIds.slice(0, WAYS.length)) {
    const rfis = await system.controlLines<WorldRecord>(`/control/world?resource=${SICK}&projectId=${projectId}`);
    const record = rfis.find(({ deleted, visible }) => !deleted && visible);
    if (record !== undefined) sick.push({ projectId, id: record.id });
  }
  expect(sick).toHaveLength(WAYS.length);
  expect(refusedIn).toBeDefined();
  const failing = sick.map(({ id }, index) => ({ kind: 'show', resource: SICK, recordId: id, ...WAYS[index] }));
  const refusing = { resource: REFUSED, projectId: refusedIn, status: 403 };
  // The last rules win, so that no stumble makes one of these answer.
  await system.control('PUT', '/control/faults', [...stumbles, ...failing, refusing]);
  await system.control('POST', '/control/edits', {
    edits: [
      ...sick.map((place) => ({ resource: SICK, action: 'update', ...place })),
      ...[REFUSED, REFUSED_WITH_THEM].map((resource) => ({ resource, action: 'update', projectId: refusedIn })),
    ],
  });

  async function othersPending(): Promise<unknown[]> {
    const { rows } = await database.pool.query(
      `select * from mirror.pending where not (resource = $1 and record_id = any($2))
        and not (resource = any($3) and project_id = $4) limit 20`,
      [SICK, sick.map(({ id }) => id), [REFUSED, REFUSED_WITH_THEM], refusedIn],
    );
    return rows;
  }

  async function struck(): Promise<number[]> {
    const rules = await system.control<{ struck: number }[]>('GET', '/control/faults');
    return rules.slice(stumbles.length).map((rule) => rule.struck);
  }

  async function parked(): Promise<unknown[]> {
    const { rows } = await database.pool.query(
      'select resource, project_id from mirror.scopes where resource = $1 and project_id = $2',
      [REFUSED, refusedIn],
    );
    return rows;
  }

  return {
    untilOthersQuiet: () => expect.poll(othersPending, PATIENCE).toEqual([]),
    expectItBit: async () => {
      expect(await parked()).toHaveLength(1);
      const metOnce = async () => (await struck()).flatMap((times, index) => (times > 1 ? [] : [index]));
      await expect.poll(metOnce, PATIENCE).toEqual([]); // one that hangs takes its time
    },
    end: async () => {
      await system.control('PUT', '/control/faults', stumbles);
    },
  };
}
