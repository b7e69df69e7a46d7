// API calls are the scarce resource: bursts fold, and limits are kept without being hit. With each run of the tests
// (few-calls.test.ts), at full size as a proof (few-calls.prove.ts).
import type { Database } from '@procore-mirror/database';
import type { System } from '@procore-mirror/testing';
import type { ExpectStatic } from 'vitest';
import { compareWorld } from './compare-world.ts';
import { aBody, deliver, startMirror } from './start-mirror.ts';

type Made = { records: { id: string; companyId: string; projectId: string }[] };
type Calls = {
  total: number;
  byStatus: Record<string, number>;
  byKind: { login: number };
};

/** So many events for one record cost at most three calls. */
export async function foldBurst(expect: ExpectStatic, events: number): Promise<void> {
  const { database, system, untilQuiet, close } = await startMirror('redis', { projects: 1, fetchDelayMs: 1000 });
  try {
    await system.startIngest();
    await system.startWorker();
    const create = { edits: [{ resource: 'RFIs', action: 'create' }] };
    const { records } = await system.control<Made>('POST', '/control/edits', create);
    const { id, companyId, projectId } = records[0]!;
    await system.control('DELETE', '/control/calls');
    const scope = { company_id: companyId, project_id: projectId, resource_type: 'RFIs', resource_id: id };
    const answers = await Promise.all(Array.from({ length: events }, () => deliver(system, aBody(scope))));
    expect(new Set(answers)).toEqual(new Set([204]));
    await untilQuiet(events);
    const { total, byKind } = await system.control<Calls>('GET', '/control/calls');
    expect(total - byKind.login).toBeLessThanOrEqual(3);
    const { rows } = await database.pool.query(
      'select count(*)::int as events, (select count(*)::int from procore.rfis) as rows from mirror.events',
    );
    expect(rows).toEqual([{ events, rows: 1 }]);
  } finally {
    await close();
  }
}

/** Events for so many records are taken at once, and fetched within the limits. */
export async function keepWithinLimits(expect: ExpectStatic, count: number): Promise<void> {
  const { database, system, untilQuiet, close } = await startMirror('postgres', {
    projects: 1,
    simulator: { callsPerHour: 3600, callsPerTenSeconds: 25 },
  });
  try {
    await system.startIngest();
    await system.startWorker();
    const madeAt = new Date().toISOString(); // an answer that is clearly older than its event is read once more
    const create = { count, kinds: { create: 1 }, resources: ['RFIs'], silent: true };
    const { records } = await system.control<Made>('POST', '/control/edits', create);
    expect(records).toHaveLength(count);
    const answers = await Promise.all(
      records.map(({ id, companyId, projectId }) =>
        deliver(
          system,
          aBody({
            company_id: companyId,
            project_id: projectId,
            resource_type: 'RFIs',
            resource_id: id,
            reason: 'create',
            timestamp: madeAt,
          }),
        ),
      ),
    );
    expect(new Set(answers)).toEqual(new Set([204]));
    await untilQuiet(count);
    const { byStatus } = await system.control<Calls>('GET', '/control/calls');
    expect(byStatus['429'] ?? 0).toBeLessThanOrEqual(2);
    const { rows } = await database.pool.query('select count(*)::int as rows from procore.rfis');
    expect(rows).toEqual([{ rows: count }]);
    const { differences } = await compareWorld(database, system, {
      companyIds: [records[0]!.companyId],
      projectIds: [records[0]!.projectId],
    });
    const ours = new Set(records.map(({ id }) => id));
    expect(differences.filter(({ resource, id }) => resource === 'RFIs' && ours.has(id))).toEqual([]);
  } finally {
    await close();
  }
}

/** So many batches of a hundred records each are up to date after two calls for each, and complete after a show of each that `needsShow`. */
export async function fetchBatches(
  expect: ExpectStatic,
  { batches, resource, needsShow }: { batches: number; resource: string; needsShow: boolean },
): Promise<void> {
  const all = 100 * batches;
  const { database, system, untilQuiet, close } = await startMirror('postgres', {
    projects: batches,
    fetchDelayMs: 4000,
  });
  try {
    await system.startIngest();
    const projects = await system.controlLines<{ id: string; companyId: string }>('/control/world?resource=Projects');
    const madeAt = new Date().toISOString();
    const scopes: { companyId: string; projectId: string; id: string }[] = [];
    for (const { id: projectId } of projects) {
      const create = { count: 100, kinds: { create: 1 }, resources: [resource], projectId, silent: true };
      const { records } = await system.control<Made>('POST', '/control/edits', create);
      scopes.push(...records);
    }
    expect(scopes).toHaveLength(all);
    await system.control('DELETE', '/control/calls');
    const bodies = scopes.map(({ companyId, projectId, id }) =>
      aBody({
        company_id: companyId,
        project_id: projectId,
        resource_type: resource,
        resource_id: id,
        timestamp: madeAt,
      }),
    );
    // Not all at once: the receiver waits so long for a body, and this process has others to send.
    for (let next = 0; next < all; next += 100) {
      const answers = await Promise.all(bodies.slice(next, next + 100).map((body) => deliver(system, body)));
      expect(new Set(answers)).toEqual(new Set([204]));
    }
    await system.startWorker();
    const table = resource.toLowerCase();
    const count = async (condition: string) => {
      const { rows } = await database.pool.query(
        `select count(*)::int as count from procore.${table} where id = any($1) and ${condition}`,
        [scopes.map(({ id }) => id)],
      );
      return rows[0].count;
    };
    const calls = async () => {
      const { total, byKind } = await system.control<Calls>('GET', '/control/calls');
      return total - byKind.login;
    };
    await expect.poll(() => count('true'), { timeout: 120_000, interval: 100 }).toBe(all);
    expect(await calls()).toBeLessThanOrEqual(2 * batches);
    expect(await countRight(database, system, resource)).toBe(all);
    await system.control('PATCH', '/control/settings', { callsPerHour: 1_000_000, callsPerTenSeconds: 100_000 });
    await system.control('DELETE', '/control/limits');
    await untilQuiet(all);
    expect(await count('_complete')).toBe(all);
    expect(await calls()).toBeLessThanOrEqual(2 * batches + (needsShow ? all : 0));
  } finally {
    await close();
  }
}

/** Rows of the resource that hold nothing but what Procore's record holds. */
async function countRight(database: Database, system: System, resource: string): Promise<number> {
  const world = await system.controlLines<{ id: string; text: string }>(`/control/world?resource=${resource}`);
  const { rows } = await database.pool.query(
    `select count(*)::int as count from procore.${resource.toLowerCase()} t
      join unnest($1::bigint[], $2::text[]) as w(id, text) using (id)
      where t._data <@ w.text::jsonb and t.updated_at = (w.text::jsonb ->> 'updated_at')::timestamptz`,
    [world.map(({ id }) => id), world.map(({ text }) => text)],
  );
  return rows[0].count;
}
