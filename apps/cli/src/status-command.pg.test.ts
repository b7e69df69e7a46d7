// States that a person must know of, brought about for real beside a worker and a receiver, and those that only time brings about, by SQL.
import { once } from 'node:events';
import http, { type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type AppProcess,
  createTestDatabase,
  type System,
  startSystem,
  type TestDatabase,
} from '@procore-mirror/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { findingJson, runMirror } from './testing/run-mirror.ts';

const companyId = '598134325683880';
const patience = { timeout: 90_000, interval: 250 };

const statusJson = z.object({
  verdict: z.enum(['fine', 'healing', 'needs you']),
  findings: z.array(findingJson),
  healed_at: z.iso.datetime({ offset: true }).nullable(),
  queue: z.object({ waiting: z.number().nullable(), problem: z.string().nullable() }),
  totals: z.object({ rows: z.string(), pending: z.string() }),
  ...{ freshness: z.array(z.looseObject({})), parked: z.array(z.looseObject({})), upkeep: z.array(z.looseObject({})) },
});

/** The verdict, the exit code, and severity and code of each finding. */
async function statusOf(env: Record<string, string>, ...part: string[]) {
  const { code, stdout } = await runMirror(['status', '--json', ...part], env);
  const { verdict, findings } = statusJson.parse(JSON.parse(stdout));
  // What is merely worth knowing stays until workers have compared: here none does.
  const told = findings.filter(({ severity }) => severity !== 'info').map((one) => `${one.severity} ${one.code}`);
  return { code, verdict, told };
}

const fine = { code: 0, verdict: 'fine', told: [] };
const needsYou = (...told: string[]) => ({ code: 1, verdict: 'needs you', told });
const healing = (...told: string[]) => ({ code: 0, verdict: 'healing', told });

describe('beside a worker, a receiver and the simulator', () => {
  let database: TestDatabase;
  let system: System;
  let receiver: AppProcess;
  let worker: AppProcess;
  let door: Server;
  let env: Record<string, string>;
  let refusesPatches = false;

  beforeAll(async () => {
    database = await createTestDatabase();
    expect(await runMirror(['migrate'], { DATABASE_URL: database.url })).toMatchObject({ code: 0 });
    const simulator = { callsPerHour: null, callsPerTenSeconds: null };
    system = await startSystem({ databaseUrl: database.url, queueUrl: database.url, projects: 1, simulator });
    door = await openDoor();
    receiver = await system.startIngest();
    env = {
      ...{ DATABASE_URL: database.url, MIRROR_RESOURCES: 'RFIs,Locations,Projects', PROCORE_COMPANY_IDS: companyId },
      ...{ PROCORE_LOGIN_URL: system.simulatorUrl, PROCORE_API_URL: system.simulatorUrl },
      ...{ PROCORE_CLIENT_ID: system.secrets.clientId, PROCORE_CLIENT_SECRET: system.secrets.clientSecret },
    };
    worker = await startWorker();
  }, 120_000);
  afterAll(async () => {
    await system.close();
    door.close();
    await database.drop();
  });

  /** Procore, but for what the service account may not do. */
  async function openDoor(): Promise<Server> {
    const server = http
      .createServer((request, response) => {
        if (refusesPatches && request.method === 'PATCH') return void response.writeHead(403).end('{}');
        const chunks: Buffer[] = [];
        request.on('data', (chunk: Buffer) => chunks.push(chunk));
        request.on('end', () => {
          const {
            host: _,
            connection: __,
            'content-length': ___,
            'transfer-encoding': ____,
            ...headers
          } = request.headers;
          const onward = http.request(
            `${system.simulatorUrl}${request.url}`,
            { method: request.method, headers },
            (answer) => {
              response.writeHead(answer.statusCode ?? 500, answer.headers);
              answer.pipe(response);
            },
          );
          onward.on('error', () => response.destroy()).end(Buffer.concat(chunks));
        });
      })
      .listen(0, '127.0.0.1');
    await once(server, 'listening');
    return server;
  }

  const startWorker = () =>
    system.startWorker({
      ...{ MIRROR_RESOURCES: 'RFIs,Locations,Projects', PROCORE_COMPANY_IDS: companyId, VERIFY_EVERY_MS: '0' },
      ...{ WEBHOOK_URL: system.receiverUrl, WEBHOOK_AUTHORIZATION: system.secrets.authorization },
      ...{ CHECK_HOOKS_EVERY_MS: '400', FETCH_DELAY_MS: '0' },
      PROCORE_API_URL: `http://127.0.0.1:${(door.address() as AddressInfo).port}`, // it listens on TCP
    });
  const query = (sql: string) => database.pool.query(sql);
  const status = (...part: string[]) => statusOf(env, ...part);
  const until = (wanted: object) => expect.poll(() => status(), patience).toEqual(wanted);
  const untilFine = () => until(fine);
  const deliver = async (body: string) => {
    const headers = { authorization: system.secrets.authorization, 'content-type': 'application/json' };
    return (await fetch(system.receiverUrl, { method: 'POST', body, headers })).status;
  };
  const news = {
    ...{ id: 'EVENT00001', timestamp: new Date().toISOString(), reason: 'update', user_id: '1' },
    ...{ company_id: companyId, resource_type: 'Projects', resource_id: '1' },
  };
  const hookId = async () => (await system.control<{ id: string }[]>('GET', '/control/hooks'))[0]?.id;

  test('all is well, on one line and some sums', async () => {
    const shown = async () => (await runMirror(['status'], env)).stdout;
    await expect.poll(shown, patience).toMatch(/^fine\n\n(.*\n)*rounds +\d+: 2 hooks/m);
    const stdout = await shown();
    expect(stdout.split('\n').length).toBeLessThan(20);
  });

  test('a hook that is disabled, and may not be set right', async () => {
    refusesPatches = true;
    await system.control('PATCH', `/control/hooks/${await hookId()}`, { status: 'disabled' });
    await until(healing('warning hook-disabled'));
    await query(`update mirror.hooks set good_until = now() - interval '1 hour' where status = 'disabled'`);
    expect(await status()).toEqual(needsYou('error hook-disabled'));
    expect((await runMirror(['status'], env)).stdout).toMatch(
      /^needs you: 1 error\n\nerror hook-disabled, for 60 min: 1 hook is disabled, .*403.*\n {2}fix: pnpm mirror hooks apply\n/,
    );
    refusesPatches = false;
    await untilFine();
  }, 120_000);

  test('a receiver that was stopped', async () => {
    await receiver.end('SIGTERM');
    await until(needsYou('error receiver-silent'));
    receiver = await system.startIngest();
    await untilFine();
  }, 120_000);

  test('a body that nobody can read', async () => {
    expect(await deliver('{')).toBe(204);
    await until(needsYou('error dead-letters'));
    expect(await runMirror(['dead-letters', 'discard', '--all'], env)).toMatchObject({ code: 0 });
    expect(await status()).toEqual(fine);
  });

  test('a fill that fails', async () => {
    await system.control('PUT', '/control/faults', [{ resource: 'RFIs', kind: 'list', status: 400 }]);
    expect(await runMirror(['backfill', '--resource', 'RFIs'], env)).toMatchObject({ code: 1 });
    expect(await status()).toEqual(needsYou('error fill-failed'));
    expect(await status('--resource', 'Locations')).toEqual(fine);
    await system.control('DELETE', '/control/faults');
    expect(await runMirror(['backfill', '--resource', 'RFIs'], env)).toMatchObject({ code: 0 });
    await untilFine();
  }, 120_000);

  test('an hour whose calls are used up', async () => {
    await system.control('PATCH', '/control/settings', { callsPerHour: 1 });
    await until(healing('warning calls-used-up'));
    expect((await runMirror(['status'], env)).stdout).toMatch(/^healing by itself until about \d\d:\d\d UTC\n/);
    await system.control('PATCH', '/control/settings', { callsPerHour: null });
    // What an answer of before told is forgotten, too, though it comes late.
    const forgetting = () => query('delete from mirror.budget').then(() => status());
    await expect.poll(forgetting, patience).toEqual(fine);
  }, 120_000);

  test('a company that disconnected the app', async () => {
    await system.control('PATCH', `/control/companies/${companyId}`, { connected: false });
    expect(await deliver(JSON.stringify(news))).toBe(204);
    await until(healing('warning company-not-connected'));
    await query(`update mirror.scopes set parked_at = now() - interval '2 hours'`);
    expect(await status()).toEqual(needsYou('error company-not-connected'));
    await system.control('PATCH', `/control/companies/${companyId}`, { connected: true });
    await query('update mirror.scopes set probe_at = now()');
    await untilFine();
  }, 120_000);

  test('a client secret that is refused', async () => {
    const { clientId, clientSecret } = system.secrets;
    await system.control('PUT', `/control/clients/${clientId}`, { secret: 'a-secret-that-the-worker-does-not-have' });
    await system.control('DELETE', '/control/tokens');
    await expect.poll(async () => (await status()).told, patience).toContain('error credentials-refused');
    expect(await status()).toMatchObject({ code: 1, verdict: 'needs you' });
    await system.control('PUT', `/control/clients/${clientId}`, { secret: clientSecret });
    await worker.end('SIGTERM'); // it would ask again by itself, in half a minute
    worker = await startWorker();
    await untilFine();
  }, 120_000);

  test('a queue that cannot be reached', async () => {
    const away = { ...env, QUEUE_URL: 'redis://127.0.0.1:1' };
    expect(await statusOf(away)).toEqual({ ...needsYou('error queue-unreachable'), code: 3 });
  });

  test('a worker that stopped', async () => {
    // What the secret had parked ends with its next probe.
    await expect.poll(async () => (await query('select from mirror.scopes')).rowCount, patience).toBe(0);
    await worker.end('SIGTERM');
    expect(await status()).toEqual(needsYou('error worker-silent'));
    worker = await startWorker();
    await untilFine();
  }, 120_000);
});

describe('of many scopes', () => {
  let database: TestDatabase;
  let env: Record<string, string>;
  const tables =
    'selection, hooks, event_gaps, undelivered, repairs, delivery_looks, events, dead_letters, backfills, batches, budget, fetches, comparisons, proofs, differences, pending, scopes, workers, receivers, receiver_gaps';

  beforeAll(async () => {
    database = await createTestDatabase();
    env = { DATABASE_URL: database.url, PROCORE_COMPANY_IDS: '7' };
    await runMirror(['migrate'], env);
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    await database.pool.query(`truncate ${tables.split(', ').map((table) => `mirror.${table}`)}`);
    const report = { version: '1', looksAfterHooks: true, login: null, procoreAheadMs: 0, aheadMs: 0 };
    await database.pool.query(
      `insert into mirror.workers (holder, started_at, report) values ('w', now() - interval '1 day', $1)`,
      [JSON.stringify(report)],
    );
    await database.pool.query(`insert into mirror.receivers (id, host, pid, version, started_at, reported_at, report)
      values ('r', 'door', 1, '1', now(), now(), '{"spoolHolds": 0}')`);
    await database.pool.query(`insert into mirror.selection (company_id, project_id, is_selected, selected_at)
      values (7, null, true, now() - interval '9 days'), (7, 5, true, now() - interval '9 days')`);
    await database.pool.query(`insert into mirror.hooks (company_id, project_id, payload_version, hook_id, status, looked_at, good_until)
      values (7, null, 'v4.0', 'A', 'active', now(), now()), (7, 5, 'v4.0', 'B', 'active', now(), now())`);
  });

  test('what is wrong elsewhere is not told of a part', async () => {
    await database.pool.query(`insert into mirror.selection (company_id, project_id, is_selected) values (7, 6, true)`);
    await database.pool.query(
      `insert into mirror.hooks (company_id, project_id, payload_version, looked_at) values (7, 6, 'v4.0', now())`,
    );
    await database.pool.query(
      `insert into mirror.backfills (company_id, project_id, resource, state) values (7, 6, 'RFIs', 'failed')`,
    );
    await database.pool.query(
      `insert into mirror.scopes (company_id, project_id, resource, reason, probe_at) values (7, 6, 'RFIs', 'failing', now())`,
    );
    const both = needsYou('error fill-failed', 'warning scope-parked');
    expect(await statusOf(env)).toEqual(both);
    expect(await statusOf(env, '--project', '6')).toEqual(both);
    expect(await statusOf(env, '--resource', 'rfis')).toEqual(both);
    expect(await statusOf(env, '--project', '5')).toEqual(fine);
    expect(await statusOf(env, '--resource', 'Locations')).toEqual(fine);
  });

  test('whether anything was lost since then', async () => {
    const query = (sql: string) => database.pool.query(sql);
    const lossesOf = async (...args: string[]) => {
      const { stdout } = await runMirror(['status', '--json', ...args], env);
      return JSON.parse(stdout).losses;
    };
    await query(`insert into mirror.events (id, company_id, project_id, resource, record_id, kind, occurred_at, received_at, payload_version, raw,
        outcome, via) select 'E' || n, 7, 5, 'RFIs', n, 'update', now(), now() - n * interval '1 hour', 'v4.0', '{}', 'ignored',
        case when n < 3 then 'delivery log' else 'delivery' end from generate_series(1, 9) n`);
    await query(`update mirror.receivers set started_at = now() - interval '2 hours'`);
    await query(
      `insert into mirror.receiver_gaps values ('r', 'down', now() - interval '3 hours', now() - interval '2 hours', null, false)`,
    );
    expect(await lossesOf()).toMatchObject({
      ...{ lost: 'not known yet', because: ['log-not-read'], complete: null, gaps: [], dead_letters: 0 },
      ...{ events: { total: 9, repaired: 2, is_at_least: false }, missed: [{ is_read: false }] },
    });
    await query(`insert into mirror.delivery_looks (company_id, project_id, hook_id, status, day, looked_at)
      select 7, p, h, s, now()::date, now() - case when h = 'B' and s = 'failed' then interval '150 minutes' else interval '1 minute' end
      from (values (null, 'A'), (5, 'B')) v (p, h), unnest('{discarded,retrying,failed}'::text[]) s`);
    expect(await lossesOf()).toMatchObject({ because: ['log-not-read'] });
    await query(`update mirror.delivery_looks set looked_at = now() where status = 'failed'`);
    expect(await lossesOf()).toMatchObject({ lost: 'nothing known', missed: [{ is_read: true }] });
    await query('truncate mirror.delivery_looks');
    const day = `now()::date - 2, now(), now() - interval '5 days'`;
    for (const hook of ['A', 'B'])
      await query(`insert into mirror.delivery_looks (company_id, project_id, hook_id, status, day, looked_at, covers_from, covers_until)
        values (7, case '${hook}' when 'B' then 5 end, '${hook}', 'any', ${day}, now() - interval '1 minute')`);
    await query(`insert into mirror.backfills (company_id, project_id, resource, state, complete_since, requested_at)
      select 7, 5, r, 'done', case r when 'RFIs' then now() - interval '1 day' end, now() - interval '1 day' from unnest('{RFIs,Submittals}'::text[]) r`);
    expect(await lossesOf('--since', '90min')).toMatchObject({
      ...{ lost: 'nothing known', because: [], missed: [], events: { total: 1, repaired: 1 } },
      complete: { filled: 2, known: 1, earlier: 1, earliest: { resource: 'RFIs', project_id: '5' } },
    });
    expect(await lossesOf('--since', '12h', '--project', '5', '--resource', 'submittals')).toMatchObject({
      ...{ events: { total: 0 }, complete: { filled: 1, known: 0, earliest: null } },
    });
    const { stdout, code } = await runMirror(['status', '--since', '12h'], env);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^fine\n\nSince \d\d:\d\d UTC \(12 h\) nothing is known to be lost\n/);
    expect(stdout).toMatch(
      /^deliveries missed +1 time without receiver, or .*: \d\d:\d\d–\d\d:\d\d UTC \(Procore's log was read since\)$/m,
    );
    expect(stdout).toMatch(
      /^brought in +2 events that deliveries missed, from Procore's log, the last \d\d:\d\d UTC$/m,
    );
    expect((await runMirror(['status'], env)).stdout).toMatch(
      /^last 12 h +nothing is known to be lost, 1 time without receiver, 2 events brought in by repair$/m,
    );
    await query(`insert into mirror.event_gaps (company_id, project_id, since, until, because, heeded_at)
      values (7, 5, now() - interval '3 hours', now() - interval '1 hour', 'hook', now())`);
    await query(
      `insert into mirror.dead_letters (id, reason, raw, first_seen_at) values ('n', 'not_json', '{', now()), ('o', 'not_json', '(', '2026-01-01')`,
    );
    const lacking = await runMirror(['status', '--since', '20:00'], env);
    expect(lacking.stdout).toMatch(
      / something is lacking, or may be: table-standing, dead-letters, gap-not-compared\n/,
    );
    expect(lacking.stdout).toMatch(/^not comparable +\S.* and \d+ more: no list shows them/m);
    expect((await lossesOf('--since', '12h', '--resource', 'RFIs')).not_comparable).toEqual([]);
    await query(`update mirror.event_gaps set resource = 'rfis'`);
    expect((await lossesOf('--since', '12h')).not_comparable).toEqual([]);
    await query(`update mirror.event_gaps set resource = null`);
    expect(await lossesOf('--since', '12h')).toMatchObject({ dead_letters: 1, gaps: [{ because: 'hook', scopes: 1 }] });
    expect(await runMirror(['status', '--since', '2999-01-01'], env)).toMatchObject({ code: 2 });
    expect(await runMirror(['status', '--since', 'yesterday'], env)).toMatchObject({ code: 2 });
  });

  test('2,000 projects in which much is wrong are told on one screen', async () => {
    const each = 'generate_series(101, 2100) n';
    for (const statement of [
      `insert into mirror.selection (company_id, project_id, is_selected) select 7, n, true from ${each}`,
      `insert into mirror.hooks (company_id, project_id, payload_version, hook_id, status, finding) select 7, n, 'v4.0', n,
        (array['active', 'disabled', 'missing'])[n % 3 + 1], 'answered 403' from ${each}`,
      `insert into mirror.backfills (company_id, project_id, resource, state, detail, finished_at, request)
        select 7, n, r, (array['failed', 'done', 'waiting'])[n % 3 + 1], 'answered 403', now() - interval '9 days', 'a'
        from ${each}, unnest('{RFIs,Submittals,Locations,Meetings,Tasks,Drawings,Photos,Observations}'::text[]) r`,
      `insert into mirror.scopes (company_id, project_id, resource, reason, parked_at, probe_at)
        select 7, n, 'RFIs', (array['forbidden', 'failing', 'slow', 'unreachable'])[n % 4 + 1], now() - interval '2 h', now() from ${each}`,
      `insert into mirror.dead_letters (id, reason, raw, company_id, project_id, resource) select n, 'answer_' || n % 9, '{}', 7, n, 'RFIs' from ${each}`,
      `insert into mirror.pending (company_id, project_id, resource, record_id, ready_at)
        select 7, n, r, n, now() from ${each}, unnest('{RFIs,Submittals,Locations,Meetings,Tasks,Photos,Drawings,Observations}'::text[]) r`,
    ])
      await database.pool.query(statement);
    const { code, stdout } = await runMirror(['status'], env);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^needs you: \d+ errors\n/);
    expect(stdout.trimEnd().split('\n').length).toBeLessThanOrEqual(40);
    expect(stdout).toMatch(/^\(\d+ findings more: --all\)$/m);
  }, 60_000);
});
