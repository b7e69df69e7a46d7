import type { Batch, Database } from '@procore-mirror/database';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openMigratedDatabase } from '../testing/test-mirror.ts';
import { claimNext } from './claim-next.ts';

let database: Database;
let close: () => Promise<void>;

beforeAll(async () => {
  ({ database, close } = await openMigratedDatabase());
});
afterAll(() => close());

/** The resources of the batches that are claimed one after the other until none is left, so many at once. */
async function claimAll(due: Record<string, number>, concurrency: number, companyId?: string): Promise<string[]> {
  await database.pool.query('truncate mirror.batches');
  for (const [resource, projects] of Object.entries(due))
    await database.pool.query(
      `insert into mirror.batches (company_id, project_id, resource, due_at)
        select coalesce($3::bigint, 1 + n % 2), n, $1, now() - interval '1 hour' + n * interval '1 s' from generate_series(1, $2) as n`,
      [resource, projects, companyId],
    );
  const inHand: Batch[] = [];
  while (inHand.length < concurrency) {
    const batch = await claimNext(database, { holder: 'a', leaseMs: 60_000, inHand, concurrency });
    if (batch === null) break;
    inHand.push(batch);
  }
  return inHand.map(({ resource }) => resource);
}

test.each([
  [{ RFIs: 20, Tasks: 2, Meetings: 2 }, 16, { RFIs: 8, Tasks: 2, Meetings: 2 }],
  [{ RFIs: 20, Tasks: 20 }, 16, { RFIs: 8, Tasks: 8 }],
  [{ RFIs: 20 }, 16, { RFIs: 8 }],
  [{ RFIs: 20 }, 1, { RFIs: 1 }],
  [{ RFIs: 3 }, 16, { RFIs: 3 }],
  [{ RFIs: 20 }, 8, { RFIs: 4 }],
  [{ RFIs: 20, Tasks: 1 }, 4, { RFIs: 2, Tasks: 1 }],
])(
  'of what is due, %o, a worker of %i takes a share of each resource, and more when nothing else is due',
  async (due, concurrency, taken) => {
    const claimed = await claimAll(due, concurrency);
    expect(
      Object.fromEntries(
        Object.entries(Object.groupBy(claimed, (resource) => resource)).map(([name, all]) => [name, all?.length]),
      ),
    ).toEqual(taken);
  },
);

test('one company leaves room for the same resource of another, though nothing else is due', async () => {
  const first = await claimAll({ RFIs: 20 }, 16, '1');
  expect(first).toHaveLength(6);
});

test('others come before a resource has more than its quarter', async () => {
  const claimed = await claimAll({ RFIs: 20, Tasks: 2, Meetings: 2 }, 16);
  expect(claimed.slice(0, 8).filter((resource) => resource === 'RFIs')).toHaveLength(4);
});
