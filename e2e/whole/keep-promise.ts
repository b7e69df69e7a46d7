// The promise of the system: whatever people edit and move, however Procore delivers it, whichever calls fail, for
// a moment or all the time, and whenever the worker dies, the mirror ends equal to the world, no event is lost and none is given up.
import { setTimeout as sleep } from 'node:timers/promises';
import { catalogue } from '@procore-mirror/catalogue';
import type { Database } from '@procore-mirror/database';
import type { System } from '@procore-mirror/testing';
import { expect } from 'vitest';
import { compareWorld } from './compare-world.ts';
import { expectNoSecretWritten } from './find-secrets.ts';
import { startLastingTrouble } from './lasting-trouble.ts';
import { connect, fill, hook } from './mirror-company.ts';
import { type Backend, startMirror } from './start-mirror.ts';

export type Size = {
  edits: number;
  spreadOverMs: number;
  /** How often the worker dies meanwhile. */
  kills: number;
  /** In the end little happens, so that records are asked for while they are not there yet. */
  calmEdits: number;
  calmMs: number;
};

/** What is proved now and then, and what each run of the tests has time for. */
export const FULL: Size = { edits: 5000, spreadOverMs: 30_000, kills: 5, calmEdits: 100, calmMs: 10_000 };
export const SMALL: Size = { edits: 500, spreadOverMs: 8_000, kills: 2, calmEdits: 40, calmMs: 4_000 };

const FETCH_DELAY_MS = 600;
/** For so long a record is not there yet, by turns; absence is believed when it was sighted twice, 5 to 15 s apart. */
const CREATE_LAGS_MS = [3000, FETCH_DELAY_MS / 2, 1500];

/** Four times what it takes on two cores; a machine that does other things, too, may be slow. */
export const PROMISE_WITHIN_MS = 1_200_000;

/** Lets three companies be edited, with the queue on this backend, and expects that the mirror ends equal to them. */
export async function keepPromise(backend: Backend, size: Size): Promise<void> {
  const { database, queueUrl, system, untilRecorded, untilQuiet, close } = await startMirror(backend, {
    projects: 0,
    fetchDelayMs: FETCH_DELAY_MS,
    simulator: {
      callsPerHour: 1_000_000,
      callsPerTenSeconds: 100_000,
      tokenSeconds: 3,
      parentSendsUpdate: true,
      deliveryConcurrency: 20,
    },
  });
  try {
    const hooked = await startCompanies(database, system);
    await untilQuiet();
    await system.control('PATCH', '/control/settings', {
      readLagMs: FETCH_DELAY_MS / 2,
      createLagMs: CREATE_LAGS_MS[0],
      duplicateShare: 0.1,
      reorderShare: 0.2,
      awkwardShare: 0.02,
    });
    const trouble = await startLastingTrouble(database, system, { projectIds: hooked.projectIds, stumbles });
    const made = await system.control<{ planned: number }>('POST', '/control/edits', {
      count: size.edits,
      spreadOverMs: size.spreadOverMs,
      kinds: { create: 2, update: 10, delete: 1, restore: 0.6, deactivate: 0.1, move: 0.6 },
      // A project that comes up meanwhile has no hook, so nothing would tell of what moves there.
      moveBetween: hooked.projectIds,
    });
    expect(made.planned).toBeGreaterThanOrEqual(size.edits);
    for (let kill = 1; kill <= size.kills; kill += 1) {
      await sleep(size.spreadOverMs / (size.kills + 1));
      const createLagMs = CREATE_LAGS_MS[kill % CREATE_LAGS_MS.length];
      await system.control('PATCH', '/control/settings', { createLagMs });
      await system.killWorker();
      await system.startWorker();
    }
    await system.control('GET', '/control/quiet?timeoutMs=100000');
    await untilRecorded();
    await trouble.untilOthersQuiet();
    await system.control('PATCH', '/control/settings', { createLagMs: CREATE_LAGS_MS[0] });
    await system.control('POST', '/control/edits', {
      count: size.calmEdits,
      spreadOverMs: size.calmMs,
      kinds: { create: 1, update: 1, delete: 1, restore: 1, move: 1 },
      moveBetween: hooked.projectIds,
    });
    await system.control('GET', '/control/quiet?timeoutMs=100000');
    await untilRecorded();
    await trouble.untilOthersQuiet();
    await trouble.expectItBit();
    await trouble.end();
    await untilQuiet();
    const { differences, compared } = await compareWorld(database, system, hooked);
    expect(differences).toEqual([]);
    expect(compared).toBeGreaterThan(1000);
    await expectNoEventLost(database, system, size);
    await expectNoSecretWritten({ database, queueUrl, system });
  } finally {
    await close();
  }
}

/** 5 % of all calls: each kind of stumble its share. And 0.5 % of them are answered with what was not asked for. */
const stumbles = [
  { kind: 'show', status: 429, retryAfterSeconds: 1, share: 0.0125 },
  { kind: 'show', status: 500, share: 0.0125 },
  { kind: 'show', status: 503, retryAfterSeconds: 1, share: 0.0125 },
  { kind: 'show', reset: true, share: 0.0125 },
  { kind: 'list', status: 429, retryAfterSeconds: 1, share: 0.0125 },
  { kind: 'list', status: 500, share: 0.0125 },
  { kind: 'list', status: 503, retryAfterSeconds: 1, share: 0.0125 },
  { kind: 'list', reset: true, share: 0.0125 },
  { kind: 'show', nonsense: true, share: 0.005 },
  { kind: 'list', nonsense: true, share: 0.005 },
];

/** No list tells of these, so nobody can know those that were there before the first event. */
const unlisted = catalogue.mirrored.filter(
  ({ list, parent }) => list?.shared === true || (list === null && parent?.embeddedAs === undefined),
);
const sizes = Object.fromEntries(unlisted.map(({ resource }) => [resource, 0]));

/** Three companies, each sending another format, hooked, filled and complete. */
async function startCompanies(database: Database, system: System): Promise<Parameters<typeof compareWorld>[2]> {
  const hooked: { companyIds: string[]; projectIds: string[] } = { companyIds: [], projectIds: [] };
  await system.startIngest();
  const connection = connect(database, system);
  const startCompany = async (payloadVersion: 'v2.0' | 'v3.0' | 'v4.0') => {
    const { companyId, projectIds } = await system.control<{ companyId: string; projectIds: string[] }>(
      'POST',
      '/control/seed',
      { name: `Company ${payloadVersion}`, projects: 2, sizes },
    );
    await hook(system, connection.client, { companyId, projectIds, payloadVersion });
    await fill(connection.settings, companyId, projectIds);
    hooked.companyIds.push(companyId);
    hooked.projectIds.push(...projectIds);
  };
  await Promise.all((['v2.0', 'v3.0', 'v4.0'] as const).map(startCompany));
  await connection.close();
  await system.startWorker();
  return hooked;
}

async function expectNoEventLost(database: Database, system: System, { edits }: Size): Promise<void> {
  const sent = await system.controlLines<{ id: string; deliveries: { status: string }[] }>('/control/events');
  const delivered = sent.filter(({ deliveries }) => deliveries.length > 0);
  expect(delivered.length).toBeGreaterThan(edits / 2);
  const { rows } = await database.pool.query(
    'select id from unnest($1::text[]) as id where id not in (select id from mirror.events)',
    [delivered.map(({ id }) => id)],
  );
  expect(rows).toEqual([]);
  const letters = await database.pool.query('select reason, detail from mirror.dead_letters');
  expect(letters.rows).toEqual([]);
  const parked = await database.pool.query('select * from mirror.scopes');
  expect(parked.rows).toEqual([]);
}
