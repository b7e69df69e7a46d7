import { afterAll, beforeAll, expect, test } from 'vitest';
import { findLate } from './find-late.ts';
import { type ScriptedProcore, scriptProcore, startTestMirror, type TestMirror } from './testing/test-mirror.ts';

let procore: ScriptedProcore;
let mirror: TestMirror;
beforeAll(async () => {
  procore = await scriptProcore();
  mirror = await startTestMirror(procore);
});
afterAll(() => mirror.close());

const asOf = new Date('2026-06-01T12:00:00Z');
const aDelivery = (timestamp: string, status = 'retrying') => ({
  ...{ id: timestamp, status },
  payload: { id: 'E', timestamp, reason: 'update', company_id: '1', resource_type: 'RFIs', resource_id: '5' },
});

test('the five busiest hooks are asked, whatever the order of what they have; events of two hours count', async () => {
  const { pool } = mirror.database;
  await pool.query(
    `insert into mirror.events (id, company_id, project_id, resource, record_id, kind, occurred_at, received_at, payload_version, raw, outcome)
      select 'E' || p || '-' || n, 1, p, 'RFIs', '5', 'update', now(), now(), 'v4.0', '{}', 'pending'
      from generate_series(1, 7) p, generate_series(1, 7) n where n <= p`,
  );
  const hooks = ['1', '2', '3', '4', '5', '6', '7'].map((id) => ({ companyId: '1', projectId: id, hookId: `${id}0` }));
  procore.answer = (path, query) => {
    if (path.includes('/projects/6/')) return { status: 404 };
    if (query.get('filter[status]') !== 'retrying') return { body: { data: [] } };
    const late = ['2026-06-01T11:00:00Z', '2026-06-01T09:30:00Z', '2026-06-01T11:30:00Z'].map((at) => aDelivery(at));
    const isLate = path.includes('/projects/7/') || path.includes('/projects/1/');
    return {
      body: {
        data: isLate ? late : [aDelivery('2026-06-01T11:00:00Z'), aDelivery('2026-06-01T01:00:00Z', 'delivered')],
      },
    };
  };
  const found = await findLate({
    ...{ client: mirror.settings.client, database: mirror.database, hooks, asOf },
    ...{ signal: AbortSignal.timeout(20_000), pausesMs: [] },
  });
  expect(found).toEqual([
    { companyId: '1', projectId: '7', hookId: '70', count: 3, oldestAt: new Date('2026-06-01T09:30:00Z') },
  ]);
  const asked = procore.calls.map((call) => /projects\/(\d)/.exec(call)?.[1]);
  expect([...new Set(asked)]).toEqual(['7', '6', '5', '4', '3']);
});
