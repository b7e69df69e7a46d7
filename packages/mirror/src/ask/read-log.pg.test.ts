import { catalogue } from '@procore-mirror/catalogue';
import type { HookDelivery } from '@procore-mirror/procore';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { PlannedLook } from '../plan/plan-looks.ts';
import { recordDelivery } from '../record-delivery.ts';
import { openMigratedDatabase } from '../testing/test-mirror.ts';
import { readLog, seeTimes } from './read-log.ts';

let mirror: Awaited<ReturnType<typeof openMigratedDatabase>>;
beforeAll(async () => {
  mirror = await openMigratedDatabase();
});
afterAll(() => mirror.close());
beforeEach(() => mirror.database.pool.query('truncate mirror.events, mirror.pending, mirror.dead_letters'));

const look: PlannedLook = {
  ...{
    hookId: 'h',
    projectId: '7',
    status: 'any',
    fromMs: 0,
    because: 'turn',
    endsAtMs: null,
    coversFromMs: 0,
    calls: 1,
  },
};
const event = (fields: Record<string, unknown> = {}) => ({
  ...{ id: 'E', timestamp: '2026-06-01T10:00:00Z', reason: 'update', company_id: '1', project_id: '7' },
  ...{ resource_type: 'RFIs', resource_id: '5', ...fields },
});
const { project_id: _, ...homeless } = event();

/** Events that a look at such a log handed over, recorded before it is looked at again. */
async function lookTwice(body: string): Promise<number[]> {
  const settings = { database: mirror.database, catalogue, selection: { companyIds: null, resources: null } };
  const delivery = { id: 'd', status: 'delivered', body } as HookDelivery;
  const counts: number[] = [];
  for (const _ of [1, 2]) {
    const read = await readLog({
      hooks: {
        deliveryPages: async function* () {
          yield [delivery];
        },
      },
      ...{ database: mirror.database, companyId: '1', look, signal: AbortSignal.timeout(60_000) },
      handOver: async (one) => {
        await recordDelivery({ ...settings, delayMs: 0, maxWaitMs: 60_000 }, { ...one, via: 'delivery log' });
      },
    });
    counts.push(read.newEvents);
  }
  return counts;
}

test.each([
  ['an event that can be used', event()],
  ['one that names no project', homeless],
  ['one with an odd id', event({ resource_id: '01JMYXMZRBVKK0PC6XS8SA4QRE' })],
  ['one of a resource that nobody knows', event({ resource_type: 'Teapots' })],
])('%s is handed over once, whatever becomes of it', async (_, body) => {
  expect(await lookTwice(JSON.stringify(body))).toEqual([1, 0]);
});

const MINUTE = 60_000;
const see = (minutes: readonly number[]) => {
  const times = seeTimes();
  for (const at of minutes) times.see(at * MINUTE);
  return times;
};

test('events come newest first though some minutes are out of order; then all before are older than these minutes, too', () => {
  const times = see([100, 97, 99, 90, 95, 94, 70]);
  expect(times.seen().inOrder).not.toBeNull();
  expect(times.reachBackTo(75 * MINUTE)).toBe(false);
  expect(times.reachBackTo(80 * MINUTE)).toBe(true);
});

test.each([
  ['one of an hour later', [100, 40, 99]],
  ['small steps to the newer', [100, 103, 106, 109, 112]],
])('%s is no disorder of minutes', (_, minutes) => {
  const times = see(minutes);
  expect(times.seen().inOrder).toBeNull();
  expect(times.reachBackTo(1_000 * MINUTE)).toBe(false);
});
