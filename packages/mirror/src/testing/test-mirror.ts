// What tests of fetching share: a migrated database, and a client of a Procore that the test scripts or simulates.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { catalogue } from '@procore-mirror/catalogue';
import { type ClaimedBatch, type Database, openDatabase } from '@procore-mirror/database';
import { createMigratedDatabase } from '@procore-mirror/database/testing';
import { createProcoreClient, type ProcoreClient } from '@procore-mirror/procore';
import { type System, startSystem } from '@procore-mirror/testing';
import { type BatchReport, fetchBatch } from '../fetch-batch.ts';
import { recordDelivery } from '../record-delivery.ts';
import type { FetchSettings } from '../run/fetch-settings.ts';
import { createNeighbours } from '../run/neighbours.ts';

/** Where the test's Procore is, and how the service account signs in there. */
type Procore = { url: string; token: () => Promise<string>; close: () => Promise<void> };

/** `text`: instead of a body, as it stands. */
type Scripted = { status?: number; body?: unknown; text?: string; headers?: Record<string, string> };

export type ScriptedProcore = Procore & {
  /** Paths and queries asked for, decoded. */
  calls: string[];
  answer: (path: string, query: URLSearchParams) => Scripted | Promise<Scripted>;
};

export type TestMirror = {
  /** Of the database. */
  url: string;
  database: Database;
  settings: FetchSettings;
  /** Records an event of each record. */
  hear: (resource: string, ids: readonly (string | number)[], change?: Record<string, unknown>) => Promise<void>;
  /** One run over the batch. */
  run: (resource: string, scope?: Partial<ClaimedBatch>, own?: Partial<FetchSettings>) => Promise<BatchReport>;
  /** Rows with `deleted` and `hidden`, by id. */
  rows: (table: string, columns?: string) => Promise<Record<string, unknown>[]>;
  pendingIds: () => Promise<string[]>;
  /** Empties what tests leave behind. */
  clear: () => Promise<void>;
  close: () => Promise<void>;
};

/** A server that answers what the test says; 404 until it says something. */
export async function scriptProcore(): Promise<ScriptedProcore> {
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://procore');
    procore.calls.push(decodeURIComponent(request.url ?? ''));
    const { status = 200, body, text, headers = {} } = await procore.answer(url.pathname, url.searchParams);
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(text ?? JSON.stringify(body ?? { errors: 'no' }));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo; // listening on TCP, so this is its address
  const procore: ScriptedProcore = {
    url: `http://127.0.0.1:${port}`,
    token: async () => 'token-of-the-test',
    calls: [],
    answer: () => ({ status: 404 }),
    close: async () => void server.close(),
  };
  return procore;
}

/** The simulator with one project and without limits. */
export async function simulateProcore(): Promise<Procore & { system: System }> {
  const simulator = { callsPerHour: null, callsPerTenSeconds: null };
  const system = await startSystem({ databaseUrl: '', queueUrl: '', projects: 1, simulator });
  const { clientId, clientSecret } = system.secrets;
  const body = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret };
  const token = async () => {
    const answer = await system.control<{ access_token: string }>('POST', '/oauth/token', body);
    return answer.access_token;
  };
  return { url: system.simulatorUrl, token, system, close: () => system.close() };
}

/** A migrated database of the test's own, with calls in plenty. */
export async function openMigratedDatabase(options: { max?: number } = {}): Promise<{
  url: string;
  database: Database;
  close: () => Promise<void>;
}> {
  const { url, drop } = await createMigratedDatabase(catalogue.tables);
  const database = openDatabase({ url, applicationName: 'test', ...options });
  await database.pool.query(`insert into mirror.budget (window_name, call_limit, remaining, reset_at, known_by)
    values ('hour', 1000000, 1000000, now() + interval '1 day', 'header')`);
  const close = async () => {
    await database.close();
    await drop();
  };
  return { url, database, close };
}

/** Nothing waits, and nothing is left to chance. */
export function testSettings(database: Database, client: ProcoreClient): FetchSettings {
  return {
    database,
    client,
    catalogue,
    delayMs: 0,
    maxWaitMs: 60_000,
    absencePauseMs: 0,
    lateEventsMs: 0,
    pageSize: 100,
    parking: { firstPauseMs: 60_000, longestPauseMs: 600_000 },
    random: () => 0.5,
    neighbours: createNeighbours(),
  };
}

/** A mirror of company 1 and its project 7, unless the test says otherwise; with calls in plenty. */
export async function startTestMirror(
  procore: Procore,
  { companyId = '1', projectId = '7' }: { companyId?: string; projectId?: string } = {},
): Promise<TestMirror> {
  const { url, database, close } = await openMigratedDatabase();
  const { token } = procore;
  const client = createProcoreClient({
    apiUrl: new URL(procore.url),
    token,
    refuseToken: () => {},
    sleep: async () => {},
    roomBytes: 1, // one answer at a time, so that a test does not end in which one is not let go, or waits for another
  });
  const settings = testSettings(database, client);
  let events = 0;
  return {
    url,
    database,
    settings,
    hear: async (resource, ids, change = {}) => {
      for (const id of ids) {
        events += 1;
        const event = {
          id: `EVENT${events}`,
          timestamp: new Date().toISOString(),
          reason: 'update',
          company_id: companyId,
          project_id: projectId,
          resource_type: resource,
          resource_id: String(id),
          ...change,
        };
        const delivery = { body: Buffer.from(JSON.stringify(event)), receivedAt: new Date() };
        await recordDelivery({ ...settings, selection: { companyIds: null, resources: null } }, delivery);
      }
    },
    run: (resource, scope = {}, own = {}) =>
      fetchBatch(
        { ...settings, ...own },
        { companyId, projectId, resource, lane: 'live', ...scope },
        AbortSignal.timeout(60_000),
      ),
    rows: async (table, columns = 'id') => {
      const marks = '_deleted_at is not null as deleted, _hidden_at is not null as hidden';
      return (await database.pool.query(`select ${columns}, ${marks} from procore.${table} order by id`)).rows;
    },
    pendingIds: async () => {
      const { rows } = await database.pool.query('select record_id from mirror.pending order by record_id::numeric');
      return rows.map(({ record_id }) => record_id);
    },
    clear: async () => {
      const own = [
        'events',
        'pending',
        'batches',
        'scopes',
        'dead_letters',
        'absences',
        'lists',
        'walks',
        'backfills',
        'comparisons',
        'differences',
        'proofs',
        'selection',
      ].map((name) => `mirror.${name}`);
      const tables = catalogue.tables.map(({ name }) => `procore.${name}`);
      const filled = await database.pool.query<{ name: string }>(
        tables.map((name) => `select '${name}' as name where exists (select from ${name})`).join(' union all '),
      );
      await database.pool.query(`truncate ${[...own, ...filled.rows.map(({ name }) => name)].join(', ')}`);
    },
    close: async () => {
      await client.close();
      await procore.close();
      await close();
    },
  };
}
