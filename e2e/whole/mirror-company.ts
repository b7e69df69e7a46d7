// What `npm start` does before events can come, for tests: hooks in a company and its projects, and a backfill.
import { openProcore } from '@procore-mirror/calls';
import { catalogue } from '@procore-mirror/catalogue';
import type { Database } from '@procore-mirror/database';
import { applyHooks, backfillResource, createNeighbours, type FetchSettings } from '@procore-mirror/mirror';
import { createHooksApi, type ProcoreClient } from '@procore-mirror/procore';
import type { System } from '@procore-mirror/testing';

export type Connection = { client: ProcoreClient; settings: FetchSettings; close: () => Promise<void> };

/** A client of the simulator with a budget of its own place in the shared one. */
export function connect(database: Database, system: System): Connection {
  const { clientId, clientSecret } = system.secrets;
  const url = new URL(system.simulatorUrl);
  const { client, close } = openProcore({
    account: { loginUrl: url, apiUrl: url, credentials: () => ({ clientId, clientSecret }) },
    ...{ database, holder: 'test' },
    onSecret: () => {},
    onTrouble: () => {},
  });
  const settings: FetchSettings = {
    database,
    client,
    catalogue,
    delayMs: 0,
    maxWaitMs: 60_000,
    absencePauseMs: 0,
    lateEventsMs: 0,
    pageSize: 1000,
    parking: { firstPauseMs: 1000, longestPauseMs: 1000 },
    random: Math.random,
    neighbours: createNeighbours(),
  };
  return { client, settings, close };
}

/** Every resource of the scope, parents before children. */
export async function fill(settings: FetchSettings, companyId: string, projectIds: readonly string[]): Promise<void> {
  const options = { signal: AbortSignal.timeout(300_000), now: new Date() };
  for (const { resource, scope } of catalogue.mirrored) {
    for (const projectId of scope === 'company' ? [null] : projectIds) {
      await backfillResource(settings, { companyId, projectId, resource }, options);
    }
  }
}

/** Hooks with all triggers in the company and each of its projects, sending bodies of the given version. */
export async function hook(
  system: System,
  client: ProcoreClient,
  scope: { companyId: string; projectIds: readonly string[]; payloadVersion: 'v2.0' | 'v3.0' | 'v4.0' },
): Promise<void> {
  const { authorization } = system.secrets;
  for (const projectId of [null, ...scope.projectIds]) {
    await applyHooks({
      hooks: createHooksApi(client),
      catalogue,
      selection: { resources: null },
      companyId: scope.companyId,
      projectId,
      namespace: 'procore-mirror',
      payloadVersion: scope.payloadVersion,
      destinationUrl: system.receiverUrl,
      authorization,
      signal: AbortSignal.timeout(60_000),
    });
  }
}
