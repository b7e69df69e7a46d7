import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { catalogue } from '@procore-mirror/catalogue';
import { createSecrets } from '@procore-mirror/runtime';
import { createTestDatabase, createTestRedis, type TestDatabase } from '@procore-mirror/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { mirrorCommand } from './mirror-command.ts';

let database: TestDatabase;
let directory: string;

beforeAll(async () => {
  database = await createTestDatabase();
  directory = await mkdtemp('/tmp/procore-mirror-cli-');
  expect(await mirror(['migrate'])).toMatchObject({ code: 0 });
});

afterAll(async () => {
  await database.drop();
  await rm(directory, { recursive: true });
});

beforeEach(async () => {
  await database.pool.query(
    'truncate mirror.events, mirror.pending, mirror.dead_letters, mirror.scopes, mirror.unfit_values, mirror.fetches, mirror.schema_drift, mirror.lists, mirror.batches, mirror.backfills, mirror.selection, mirror.event_gaps, procore.rfis, procore.projects, mirror.workers, mirror.receivers',
  );
  await othersRun();
});

/** A worker and a receiver, as far as the mirror knows. */
async function othersRun(): Promise<void> {
  await database.pool.query(`insert into mirror.workers (holder) values ('worker')`);
  await database.pool.query(`insert into mirror.receivers (id, host, pid, version, started_at, reported_at, report)
    values ('1', 'door', 1, '1', now(), now(), '{}')`);
}

type Ran = { code: number; stdout: string; stderr: string };

async function mirror(args: string[], env: Record<string, string> = { DATABASE_URL: database.url }): Promise<Ran> {
  const ran = { stdout: '', stderr: '' };
  const code = await mirrorCommand(args, {
    env: { QUEUE_URL: await createTestRedis(), ...env },
    version: '1.2.3',
    startFile: path.join(directory, 'start.env'),
    secrets: createSecrets(),
    signal: new AbortController().signal,
    write: (text) => {
      ran.stdout += text;
    },
    writeError: (text) => {
      ran.stderr += text;
    },
  });
  return { code, ...ran };
}

async function anEvent(event: {
  id: string;
  outcome?: string;
  reason?: string | null;
  resource?: string;
  companyId?: string;
  projectId?: number;
}): Promise<void> {
  await database.pool.query(
    `insert into mirror.events (id, company_id, project_id, resource, record_id, kind, occurred_at, received_at,
       payload_version, raw, outcome, reason)
     values ($1, $5, $6, $2, '13', 'update', now(), now(), 'v4.0', '{"n": 9007199254740993}', $3, $4)`,
    [
      event.id,
      event.resource ?? 'RFIs',
      event.outcome ?? 'pending',
      event.reason ?? null,
      event.companyId ?? '9007199254740993',
      event.projectId ?? 12,
    ],
  );
}

const aDeadLetter = (id: string, detail = 'is no JSON') =>
  database.pool.query(`insert into mirror.dead_letters (id, reason, detail, raw) values ($1, 'not_json', $2, '{')`, [
    id,
    detail,
  ]);

test('migrate says when there is nothing to do', async () => {
  expect(await mirror(['migrate'])).toMatchObject({ code: 0, stdout: 'The database is up to date.\n' });
  expect(JSON.parse((await mirror(['migrate', '--json'])).stdout)).toEqual({ applied: [] });
});

test('status of a mirror without news is fine', async () => {
  const { code, stdout } = await mirror(['status']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^fine\n/);
  expect(stdout).toMatch(/queue +0 waiting/);
  expect((await mirror(['status', '--all'])).stdout).toContain('The mirror holds nothing yet.');
});

test('events list that finds nothing says what it looked for, and where else to look', async () => {
  await anEvent({ id: 'E1' });
  expect(
    await mirror(['events', 'list', '--resource', 'RFIs', '--record', '42', '--outcome', 'ignored']),
  ).toMatchObject({
    ...{ code: 0, stderr: '' },
    stdout: expect.stringMatching(
      /^The log holds no event of RFIs of record 42 with outcome ignored\.\n`pnpm mirror explain RFIs 42` tells why/,
    ),
  });
  expect((await mirror(['events', 'list', '--record', '42', '--json'])).stdout).toBe('[]\n');
  await database.pool.query('truncate mirror.events');
  expect((await mirror(['events', 'list'])).stdout).toMatch(/^The log holds no event\.\n`pnpm mirror status` tells/);
});

test('status counts per company, project and resource, with every digit of an id', async () => {
  await anEvent({ id: 'E1' });
  await database.pool.query(
    `insert into procore.rfis (company_id, project_id, id, _data, _fetched_at, _version)
     values (9007199254740993, 12, 13, '{}', now(), 1)`,
  );
  await database.pool.query(
    `insert into mirror.pending (company_id, project_id, resource, record_id, ready_at) values (9007199254740993, 12, 'RFIs', '14', now())`,
  );
  const { code, stdout } = await mirror(['status', '--json']);
  const status = JSON.parse(stdout);
  expect(status.freshness).toEqual([
    expect.objectContaining({
      company_id: '9007199254740993',
      project_id: '12',
      resource: 'RFIs',
      rows: '1',
      pending: '1',
    }),
  ]);
  expect(status).toMatchObject({
    totals: { rows: '1', pending: '1' },
    events: { total: '1' },
    pending: { total: '1' },
  });
  expect(status.queue).toEqual({ waiting: 0, problem: null });
  expect(code).toBe(0);
  expect((await mirror(['status', '--all'])).stdout).toMatch(/9007199254740993 +12 +RFIs +1 +1 /);
});

test('--version tells the version', async () => {
  expect(await mirror(['--version'])).toEqual({ code: 0, stdout: '1.2.3\n', stderr: '' });
});

test('status tells what calls were made, and how many an event took', async () => {
  for (const id of ['E1', 'E2']) await anEvent({ id });
  await database.pool.query(
    `insert into mirror.fetches (company_id, project_id, resource, called_at, lane, route, status, ms)
     select 9007199254740993, project_id, resource, now() - ago::interval, lane::mirror.lane, 'GET /x', status, 1
     from (values (12, 'RFIs', '10 min', 'live', 200, 3), (12, 'RFIs', '10 min', 'backfill', 404, 1),
       (null, null, '10 min', null, 200, 5), (12, 'RFIs', '2 h', 'backfill', 200, 10))
       as f(project_id, resource, ago, lane, status, count), generate_series(1, count)`,
  );
  const status = JSON.parse((await mirror(['status', '--json'])).stdout);
  expect(status.calls).toEqual({ last_hour: '9', last_hour_failed: '1', paused_until: null });
  expect(status.freshness).toMatchObject([{ calls_last_hour: '4', calls_per_event: '1.50' }]);
  const { stdout } = await mirror(['status', '--all']);
  expect(stdout).toMatch(/9007199254740993 +12 +RFIs +0 +0 .* 4 +1\.50$/m);
  expect(stdout).toMatch(/calls +9 in the last hour, failed 1/);
  expect(stdout).toMatch(/^Tables that took most calls in the last hour\n.*\n +4 +1\.50 +9007199254740993 +12 +RFIs$/m);
  const pauses = [
    { companyId: '9007199254740993', now: true },
    { companyId: '7', now: true },
    { companyId: '9007199254740993', now: false },
  ];
  for (const { companyId, now } of pauses) {
    await database.pool.query(
      `insert into mirror.budget (window_name, company_id, call_limit, remaining, reset_at, known_by)
       values ('pause', $1, 0, 0, now() + case when $2 then interval '5 min' else interval '-1 s' end, 'refusal')`,
      [companyId, now],
    );
    const only = (await mirror(['status', '--all', '--company', '9007199254740993'])).stdout;
    expect(only.includes('says Procore')).toBe(now && companyId !== '7');
    expect((await mirror(['status', '--all'])).stdout.includes('says Procore')).toBe(now);
    await database.pool.query('delete from mirror.budget');
  }
});

test('status tells what is left of the limits, whose they are, and what others use of them', async () => {
  await anEvent({ id: 'E1' });
  expect((await mirror(['status', '--all'])).stdout).not.toContain('Calls that Procore allows');
  await database.pool.query(
    `insert into mirror.budget (window_name, company_id, call_limit, remaining, reset_at, known_by, calls, calls_of_others)
      values ('hour', null, 600, 412, '2099-01-01T22:23:00Z', 'header', 68, 120),
        ('spike', null, 25, 3, now() - interval '1 s', 'header', 22, 0),
        ('hour', 7, 600, 590, now() + interval '10 min', 'assumed', 10, 0)`,
  );
  const { stdout, code } = await mirror(['status', '--all', '--company', '9007199254740993']);
  expect(code).toBe(0);
  expect(stdout).toContain('whose limits they are is not known yet');
  expect(stdout).toContain('all: 412 of 600 left in this hour, next at 22:23 UTC; others used 120 calls of this hour');
  expect(stdout).toContain('all: 25 in ten seconds, from the next call on');
  expect(stdout).not.toContain('7: ');
  await database.pool.query(`insert into mirror.budget_owner (owner, because) values ('company', 'answers')`);
  expect((await mirror(['status', '--all'])).stdout).toMatch(
    /each company has limits of its own.*\n(.*\n)*7: 590 of 600 .*assumed/,
  );
  expect(JSON.parse((await mirror(['status', '--json'])).stdout).budget).toMatchObject({
    owner: 'company',
    windows: [
      { company_id: null, window: 'hour', limit: 600, left: 412, is_told: true, calls: 68, calls_of_others: 120 },
      { window: 'spike', left: 25, ends_at: null },
      { company_id: '7', is_told: false },
    ],
  });
  await database.pool.query('truncate mirror.budget, mirror.budget_owner');
});

test('status says how long rounds of upkeep take', async () => {
  expect((await mirror(['status', '--all'])).stdout).not.toContain('Workers look');
  await database.pool.query(
    `insert into mirror.selection (company_id, project_id, is_selected) values (5, null, true)`,
  );
  await database.pool.query(`insert into mirror.hooks (company_id, project_id, hook_id, payload_version)
    select 5, nullif(n, 0), 'H' || n, 'v4.0' from generate_series(0, 2000) n`);
  await database.pool.query(`insert into mirror.backfills (company_id, project_id, resource, state)
    select 5, n, 'R' || r, 'done' from generate_series(1, 2000) n, generate_series(1, 36) r`);
  await database.pool.query(
    `insert into mirror.budget (window_name, call_limit, remaining, reset_at, known_by) values ('hour', 600, 1, now() + interval '1 h', 'header')`,
  );
  const { stdout } = await mirror(['status', '--all', '--company', '5']);
  expect(stdout).toContain(
    '5: 2001 hooks: 3.0 days, their log: 35 h, proofs of 72000 tables: 51.4 days (at 600 calls an hour)',
  );
  const [upkeep] = JSON.parse((await mirror(['status', '--json', '--company', '5'])).stdout).upkeep;
  expect(upkeep).toMatchObject({ company_id: '5', hooks: 2001, tables: 72_000, calls_per_table: null });
  expect(upkeep.proofs_ms / 86_400_000).toBeCloseTo(51.4, 1);
  await database.pool.query('truncate mirror.budget, mirror.selection, mirror.hooks, mirror.backfills');
});

test('status finds something wrong: dead letters', async () => {
  await aDeadLetter('D1');
  const { code, stdout } = await mirror(['status', '--all']);
  expect(code).toBe(1);
  expect(stdout).toMatch(/not_json +1 /);
});

test('status tells of lists that are not as usual', async () => {
  await database.pool.query(`insert into mirror.lists (company_id, project_id, resource, parent_id, page_size,
    larger_page_at, total_difference, total_readings) values
    (1, 2, 'Meeting Topics', null, 10, '2026-06-02T10:00:00Z', null, 0), (1, 2, 'Meeting Topics', '5', null, null, 3, 2),
    (1, 2, 'Meeting Topics', '6', null, null, 4, 7), (1, 2, 'RFIs', null, null, null, 4, 1)`);
  const { code, stdout } = await mirror(['status', '--all']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ *1 +2 +Meeting Topics +10 +2026-06-02T10:00:00\S* +7 +2$/m);
  const { lists } = JSON.parse((await mirror(['status', '--json'])).stdout);
  expect(lists).toMatchObject([{ resource: 'Meeting Topics', page_size: 10, with_total_above: 2, total_above: 7 }]);
});

test('status finds something wrong: parked scopes', async () => {
  await database.pool.query(
    `insert into mirror.scopes (company_id, reason, detail, parked_at, probe_at)
      values (11, 'not_connected', 'the app is off', now() - interval '2 h', now()), (null, 'no_token', 'signing in fails', now(), now())`,
  );
  const { code, stdout } = await mirror(['status', '--all']);
  expect(code).toBe(1);
  expect(stdout).toMatch(/11 +all +all +not_connected/);
  expect(stdout).toMatch(/all +all +all +no_token/);
});

describe('a status of a part', () => {
  const parks = (scopes: string) =>
    database.pool.query(
      `insert into mirror.scopes (company_id, project_id, resource, reason, parked_at, probe_at)
        select company::bigint, project::bigint, resource, 'forbidden', now() - interval '2 h', now()
        from (values ${scopes}) as s(company, project, resource)`,
    );
  const status = async (...filter: string[]) => {
    const { code, stdout } = await mirror(['status', '--json', ...filter]);
    return { code, ...JSON.parse(stdout) };
  };

  test.each<[filter: string, scopes: string, seen: boolean]>([
    ['--company 11', `(12, null, null)`, false],
    ['--company 11', `(12, 7, 'RFIs')`, false],
    ['--company 11', `(11, null, null)`, true],
    ['--company 11', `(11, 5, 'RFIs')`, true],
    ['--company 11', `(null, null, null)`, true],
    ['--project 5', `(11, 5, 'RFIs')`, true],
    ['--project 5', `(11, 6, 'RFIs')`, false],
    ['--project 5', `(11, null, null)`, true],
    ['--project 5', `(11, null, 'Company Users')`, false],
    ['--project 5', `(12, null, null)`, false],
    ['--project 5', `(null, null, null)`, true],
    ['--resource rfis', `(12, 7, 'RFIs')`, true],
    ['--resource rfis', `(11, 5, 'Tasks')`, false],
    ['--resource rfis', `(12, null, null)`, true],
    ['--company 11 --project 5 --resource rfis', `(11, 5, 'Tasks'), (11, 6, 'RFIs'), (12, 5, 'RFIs')`, false],
    ['--company 11 --project 5 --resource rfis', `(11, 5, 'RFIs')`, true],
  ])('%s tells of parked scopes that cover or belong to it: of %s %s', async (filter, scopes, seen) => {
    await anEvent({ id: 'E1', companyId: '11', projectId: 5 });
    await database.pool.query(
      'insert into mirror.selection (company_id, project_id, is_selected) values (11, 5, true)',
    );
    await parks(scopes);
    const { code, parked } = await status(...filter.split(' '));
    expect({ code, parked: parked.length }).toEqual(seen ? { code: 1, parked: 1 } : { code: 0, parked: 0 });
  });

  test('counts and names only what belongs to it', async () => {
    for (const [companyId, project] of [
      ['11', 5],
      ['11', 6],
      ['12', 7],
    ] as const) {
      for (const resource of ['RFIs', 'Tasks']) {
        const values = [companyId, project, resource];
        await anEvent({
          id: `E/${values.join('/')}`,
          companyId,
          projectId: project,
          resource,
          outcome: 'ignored',
          reason: 'no',
        });
        await database.pool.query(
          `insert into mirror.pending (company_id, project_id, resource, record_id, ready_at, attempts)
            values ($1, $2, $3, '14', now(), 1)`,
          values,
        );
        await database.pool.query(
          `insert into mirror.dead_letters (id, kind, reason, raw, company_id, project_id, resource, record_id)
            values (concat_ws('/', $1::bigint, $2::bigint, $3::text), 'record', 'answer_422', '{}', $1, $2, $3, '13')`,
          values,
        );
        await database.pool.query(
          `insert into mirror.fetches (company_id, project_id, resource, called_at, lane, route, status, ms)
            values ($1, $2, $3, now() - interval '10 min', 'live', 'GET /x', 500, 1)`,
          values,
        );
        await database.pool.query(
          `insert into mirror.lists (company_id, project_id, resource, page_size) values ($1, $2, $3, 10)`,
          values,
        );
      }
    }
    await aDeadLetter('D1');
    await database.pool.query(
      `insert into mirror.unfit_values (resource, column_name, last_record_id) values ('RFIs', 'due_date', '13'), ('Tasks', 'due_date', '13'), ('Meetings', 'x', '1')`,
    );
    await database.pool.query(
      `insert into mirror.schema_drift (resource, field, kind, count, example_record_id)
        values ('RFIs', 'mood', 'unknown', 3, '13'), ('Meetings', 'mood', 'unknown', 3, '13')`,
    );
    const counts = async (...filter: string[]) => {
      const all = await status(...filter);
      expect(all.code).toBe(1);
      const sum = (rows: Record<string, string>[], key: string) =>
        rows.reduce((total, row) => total + Number(row[key]), 0);
      return {
        ...{ freshness: all.freshness.length, events: all.events.total, pending: all.pending.total },
        ...{ failing: all.pending.failing, calls: all.calls.last_hour, failed: all.calls.last_hour_failed },
        ...{ ignored: sum(all.ignored, 'events'), dead: sum(all.dead_letters, 'count'), lists: all.lists.length },
        ...{ unfit: all.unfit_values.length, drift: all.schema_drift.length },
      };
    };
    const each = (count: number) => ({
      ...{ freshness: count, events: `${count}`, pending: `${count}`, failing: `${count}`, calls: `${count}` },
      ...{ failed: `${count}`, ignored: count, dead: count, lists: count },
    });
    expect(await counts()).toEqual({ ...each(6), dead: 7, unfit: 3, drift: 2 });
    expect(await counts('--company', '11')).toEqual({ ...each(4), unfit: 2, drift: 1 });
    expect(await counts('--project', '7')).toEqual({ ...each(2), unfit: 2, drift: 1 });
    expect(await counts('--resource', 'rfis')).toEqual({ ...each(3), unfit: 1, drift: 1 });
    expect(await counts('--company', '11', '--project', '5', '--resource', 'TASKS')).toEqual({
      ...each(1),
      ...{ unfit: 1, drift: 0 },
    });
  });
});

test('events tell what became of the record of each', async () => {
  const events = ['pending', 'given up', 'gone', 'ignored'];
  for (const [index, became] of events.entries()) {
    const ignored = { outcome: 'ignored', reason: 'unknown_resource' };
    await anEvent({ id: `E${index}`, projectId: 20 + index, ...(became === 'ignored' ? ignored : {}) });
  }
  await database.pool.query(
    `insert into mirror.pending (company_id, project_id, resource, record_id, ready_at)
     values (9007199254740993, 20, 'RFIs', '13', now())`,
  );
  await database.pool.query(
    `insert into mirror.dead_letters (id, kind, reason, raw, company_id, project_id, resource, record_id)
     values ('9007199254740993/21/RFIs/13', 'record', 'answer_422', '{}', 9007199254740993, 21, 'RFIs', '13')`,
  );
  const outcomes = async (args: string[]) =>
    JSON.parse((await mirror(['events', 'list', '--json', ...args])).stdout)
      .map((event: Record<string, string | null>) => `${event.id} ${event.outcome}`)
      .toSorted();
  expect(await outcomes([])).toEqual(events.map((became, index) => `E${index} ${became}`));
  expect(await outcomes(['--outcome', 'ignored'])).toEqual(['E3 ignored']);
  expect((await mirror(['events', 'list'])).stdout).toMatch(/ignored: unknown_resource$/m);
  expect((await mirror(['events', 'show', 'E1'])).stdout).toContain(
    'given up: dead letter 9007199254740993/21/RFIs/13',
  );
  expect(await mirror(['events', 'list', '--outcome', 'lost'])).toMatchObject({ code: 2 });
});

test('ignored events and values that did not fit are shown, and are nothing wrong', async () => {
  await anEvent({ id: 'E1', outcome: 'ignored', reason: 'unknown_resource', resource: 'Teapots' });
  await database.pool.query(
    `insert into mirror.unfit_values (resource, column_name, last_record_id) values ('RFIs', 'due_date', '13')`,
  );
  const { code, stdout } = await mirror(['status', '--all']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/Teapots +unknown_resource +1 /);
  expect(stdout).toMatch(/RFIs +due_date +1 +13/);
});

test('fields that came or went are shown, and are nothing wrong', async () => {
  await database.pool.query(
    `insert into mirror.schema_drift (resource, field, kind, json_type, count, example_record_id)
     values ('RFIs', 'mood', 'unknown', 'string', 3, '13'), ('RFIs', 'prefix', 'vanished', null, 20, '14')`,
  );
  const { code, stdout } = await mirror(['status', '--all']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/RFIs +mood +unknown +string +3 +13/);
  expect(stdout).toMatch(/RFIs +prefix +vanished +20 +14/);
  await database.pool.query(
    `insert into mirror.schema_drift (resource, field, kind, count, example_record_id)
     select 'RFIs', 'field_' || n, 'unknown', 1, '13' from generate_series(1, 40) n`,
  );
  expect((await mirror(['status', '--all'])).stdout).toContain('(12 more: ');
  expect(JSON.parse((await mirror(['status', '--json'])).stdout).schema_drift).toHaveLength(42);
});

test('many projects that are behind are one line for each resource, unless all are wanted', async () => {
  await database.pool.query(
    `insert into procore.rfis (company_id, project_id, id, _data, _fetched_at, _version)
     select 11, n, n, '{}', now(), 1 from generate_series(1, 61) n`,
  );
  await database.pool.query(
    `insert into mirror.pending (company_id, project_id, resource, record_id, ready_at)
      select 11, n, 'RFIs', 100 + n, now() from generate_series(1, 5) n`,
  );
  expect((await mirror(['status'])).stdout).toMatch(/^RFIs +11 +61 +5 +\d+ s +since first event$/m);
  expect((await mirror(['status', '--all'])).stdout.match(/^ *11 +\d+ +RFIs/gm)).toHaveLength(61);
});

test('a queue that is down is shown, the rest of the status, too', async () => {
  const { code, stdout } = await mirror(['status', '--all'], {
    DATABASE_URL: database.url,
    QUEUE_URL: 'redis://127.0.0.1:1',
  });
  expect(code).toBe(3);
  expect(stdout).toContain('The mirror holds nothing yet.');
});

test.each([['status'], ['dead-letters', 'replay', '--all']])(
  'a Redis without the database that is asked for is a wrong QUEUE_URL: %s',
  async (...args) => {
    await aDeadLetter('D1');
    const url = Object.assign(new URL(await createTestRedis()), { pathname: '/99999' }).href;
    const { code, stdout, stderr } = await mirror(args, { DATABASE_URL: database.url, QUEUE_URL: url });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error: QUEUE_URL: at 127\.0\.0\.1:\S+ there is no such database/);
  },
);

test('with --json all keys are in snake_case, and names of things are as they are', async () => {
  await anEvent({ id: 'E1' });
  await aDeadLetter('D1');
  const commands = [
    'status',
    'events list',
    'events show E1',
    'dead-letters list',
    'dead-letters show D1',
    'resources',
  ];
  for (const command of commands) {
    const { stdout } = await mirror([...command.split(' '), '--json']);
    const keys = [...stdout.matchAll(/^ *"([^"]+)":/gm)].map(([, key]) => key);
    expect(keys.length).toBeGreaterThan(3);
    expect(keys.filter((key) => !/^[a-z]+(_[a-z]+)*$/.test(key ?? ''))).toEqual([]);
  }
});

test('events are listed newest first and filtered', async () => {
  await anEvent({ id: 'E1' });
  await anEvent({ id: 'E2', resource: 'Submittals' });
  const all = JSON.parse((await mirror(['events', 'list', '--json'])).stdout);
  expect(all.map(({ id }: { id: string }) => id)).toEqual(['E2', 'E1']);
  expect(all[0]).toMatchObject({ company_id: '9007199254740993', record_id: '13', kind: 'update' });
  const some = await mirror(['events', 'list', '--resource', 'rfis', '--limit', '5', '--since', '2026-01-01']);
  expect(some.stdout).toContain('E1');
  expect(some.stdout).not.toContain('E2');
});

test('an event is shown with its body, number for number', async () => {
  await anEvent({ id: 'E1' });
  const { code, stdout } = await mirror(['events', 'show', 'E1']);
  expect(code).toBe(0);
  expect(stdout).toContain('{"n": 9007199254740993}');
  for (const more of [[], ['--json']]) {
    const gone = await mirror(['events', 'show', 'E9', ...more]);
    expect(gone).toEqual({ code: 1, stdout: '', stderr: 'The log has no event E9.\n' });
  }
});

test('dead letters are listed without letting their text steer the terminal', async () => {
  expect(await mirror(['dead-letters', 'list'])).toMatchObject({ code: 0, stdout: 'There are no dead letters.\n' });
  await aDeadLetter('D1', 'red: \u001b[31m');
  const { code, stdout } = await mirror(['dead-letters', 'list']);
  expect(code).toBe(1);
  expect(stdout).toContain('red: ·[31m');
});

const aRecordsDeadLetter = (id: string, fields: { nextTryAt?: string | null; raw?: string; resource?: string } = {}) =>
  database.pool.query(
    `insert into mirror.dead_letters (id, kind, reason, detail, raw, company_id, project_id, resource, record_id, next_try_at,
       delete_seen) values ($1, 'record', 'answer_422', 'GET /x: HTTP 422', $2, 9007199254740993, 12, $3, '13', $4, true)`,
    [id, fields.raw ?? '{"n": 9007199254740993}', fields.resource ?? 'RFIs', fields.nextTryAt ?? null],
  );
const remaining = async () => {
  const { rows } = await database.pool.query('select id from mirror.dead_letters order by id');
  return rows.map(({ id }) => id);
};

test('dead letters are listed with what they are about and their next try, and filtered', async () => {
  await aDeadLetter('D1');
  await aRecordsDeadLetter('R1', { nextTryAt: '2099-06-01T10:00:00Z' });
  const { stdout } = await mirror(['dead-letters', 'list']);
  expect(stdout).toMatch(/^R1 +9007199254740993 +12 +RFIs +13 .* 2099-06-01T10:00:00Z +answer_422 +GET/m);
  const listed = async (...filter: string[]) =>
    JSON.parse((await mirror(['dead-letters', 'list', '--json', ...filter])).stdout);
  expect(await listed('--company', '9007199254740993', '--project', '12', '--resource', 'rfis')).toEqual([
    expect.objectContaining({ id: 'R1', kind: 'record', company_id: '9007199254740993', record_id: '13', tries: 0 }),
  ]);
  expect(await listed('--reason', 'not_json')).toMatchObject([{ id: 'D1', kind: 'delivery', next_try_at: null }]);
  expect(await listed('--resource', 'Submittals')).toEqual([]);
});

describe('a part of which nothing is known', () => {
  const commands = [
    'status',
    'events list',
    'dead-letters list',
    'dead-letters replay --all',
    'dead-letters discard --all',
  ];
  const run = (line: string, env: Record<string, string> = {}) =>
    mirror(line.split(' '), { DATABASE_URL: database.url, ...env });

  test.each(commands)('%s names it with the nearest that is known, and changes nothing', async (command) => {
    await anEvent({ id: 'E1', companyId: '562949953425831', projectId: 70_001 });
    await database.pool.query(
      `insert into mirror.batches (company_id, project_id, resource) values (562949953425831, 70001, 'RFIs')`,
    );
    await aRecordsDeadLetter('R1');
    const unknown: [options: string, said: string[]][] = [
      ['--resource=RFI', ['there is no resource "RFI", did you mean "RFIs"?']],
      ['--resource=zzzzzzzzzz', ['there is no resource "zzzzzzzzzz"; docs/tables.md lists all']],
      ['--company 562949953425813', ['the mirror knows no company 562949953425813, did you mean 562949953425831?']],
      ['--company 8', ['the mirror knows no company 8; it knows 562949953425831, 9007199254740993']],
      ['--project 13', ['the mirror knows no project 13, did you mean 12?']],
      [
        '--company 8 --project 9 --resource Submital',
        [
          'there is no resource "Submital", did you mean "Submittals"?',
          'the mirror knows no company 8; it knows 562949953425831, 9007199254740993',
          'the mirror knows no project 9; it knows 12, 70001',
        ],
      ],
      ['--company 562949953425831 --project 12', ['project 12 is of company 9007199254740993, not 562949953425831']],
    ];
    for (const [options, said] of unknown) {
      expect(await run(`${command} ${options}`)).toEqual({
        code: 2,
        stdout: '',
        stderr: said.map((line) => `error: ${line}\n`).join(''),
      });
    }
    expect(await remaining()).toEqual(['R1']);
  });

  test('of an empty mirror there is nothing to name but the companies that are configured', async () => {
    expect(await run('status --company 1')).toMatchObject({
      code: 2,
      stderr: 'error: the mirror knows no company 1; it knows none yet\n',
    });
    expect(await run('status --company 1', { PROCORE_COMPANY_IDS: '2,1' })).toMatchObject({ code: 0, stderr: '' });
    expect(await run('status --company 12', { PROCORE_COMPANY_IDS: '2,1' })).toMatchObject({
      code: 2,
      stderr: 'error: the mirror knows no company 12, did you mean 2?\n',
    });
    expect(await run('status --company 1 --project 5', { PROCORE_COMPANY_IDS: '1' })).toMatchObject({
      code: 2,
      stderr: 'error: the mirror knows no project 5 of company 1; it knows none yet\n',
    });
  });

  test.each<[source: string, insert: string]>([
    ['a batch', `mirror.batches (company_id, project_id, resource) values (21, 22, 'RFIs')`],
    ['a backfill', `mirror.backfills (company_id, project_id, resource, state) values (21, 22, 'RFIs', 'failed')`],
    ['a list', `mirror.lists (company_id, project_id, resource) values (21, 22, 'RFIs')`],
    [
      'a parked scope',
      `mirror.scopes (company_id, project_id, resource, reason, probe_at) values (21, 22, 'RFIs', 'failing', now())`,
    ],
    [
      'a dead letter',
      `mirror.dead_letters (id, reason, raw, company_id, project_id) values ('D', 'missing_field', '{', 21, 22)`,
    ],
    [
      'news',
      `mirror.pending (company_id, project_id, resource, record_id, ready_at) values (21, 22, 'RFIs', '1', now())`,
    ],
    [
      'an event that was ignored',
      `mirror.events (id, company_id, project_id, resource, record_id, kind, occurred_at, received_at, payload_version, raw,
        outcome) values ('E', 21, 22, 'Teapots', '1', 'update', now(), now(), 'v4.0', '{}', 'ignored')`,
    ],
    [
      'a row',
      `procore.rfis (company_id, project_id, id, _data, _fetched_at, _version) values (21, 22, 1, '{}', now(), 1)`,
    ],
    [
      'the list of projects',
      `procore.projects (company_id, id, _data, _fetched_at, _version) values (21, 22, '{}', now(), 1)`,
    ],
  ])('%s makes a company and a project known', async (_, insert) => {
    await database.pool.query(`insert into ${insert}`);
    for (const part of ['--company 21', '--project 22', '--company 21 --project 22', '--project 22 --resource tasks'])
      expect((await run(`events list ${part}`)).stderr, part).toBe('');
    for (const part of ['--company 22', '--project 21', '--company 23 --project 22'])
      expect(await run(`events list ${part}`), part).toMatchObject({ code: 2, stdout: '' });
  });

  test('resources are known in any case, and those that only events or dead letters name are, too', async () => {
    await anEvent({ id: 'E1', resource: 'Teapots', outcome: 'ignored', reason: 'unknown_resource' });
    await aRecordsDeadLetter('R1', { resource: 'Kettles' });
    for (const name of ['rfis', 'DAILY LOG/ENTRIES', 'draw requests', 'teapots', 'KETTLES'])
      expect((await mirror(['events', 'list', '--resource', name])).stderr, name).toBe('');
    expect((await mirror(['events', 'list', '--resource', 'teapots'])).stdout).toContain('E1');
    expect((await mirror(['events', 'list', '--resource', 'Teapot'])).stderr).toContain('did you mean "Teapots"?');
  });

  test('resources of the operator are known', async () => {
    const file = path.join(directory, 'crates.json');
    const show = '/rest/v1.0/projects/{project_id}/crates/{id}';
    await writeFile(file, JSON.stringify([{ resource: 'Crates', scope: 'project', show }]));
    expect(await run('events list --resource crates')).toMatchObject({ code: 2 });
    expect(await run('events list --resource crates', { MIRROR_CATALOGUE: file })).toMatchObject({ code: 0 });
  });
});

test('a dead letter is shown with everything and its body', async () => {
  await aRecordsDeadLetter('R1');
  const { code, stdout } = await mirror(['dead-letters', 'show', 'R1']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^recordId +13$/m);
  expect(stdout).toMatch(/^deleteSeen +yes$/m);
  expect(stdout).toContain('It is not tried again by itself any more');
  expect(stdout).toContain('{"n": 9007199254740993}');
  await aDeadLetter('D1');
  await database.pool.query(`update mirror.dead_letters set raw = E'two\n\x1b[31mlines' where id = 'D1'`);
  expect((await mirror(['dead-letters', 'show', 'D1'])).stdout).toContain('two\n·[31mlines');
  expect(JSON.parse((await mirror(['dead-letters', 'show', 'D1', '--json'])).stdout)).toMatchObject({
    raw: 'two\n\u001b[31mlines',
  });
  for (const more of [[], ['--json']]) {
    const gone = await mirror(['dead-letters', 'show', 'D9', ...more]);
    expect(gone).toEqual({ code: 1, stdout: '', stderr: 'There is no dead letter D9.\n' });
  }
});

test('replayed records are pending, bodies go to the queue, and what is not there is named', async () => {
  const env = { DATABASE_URL: database.url, QUEUE_URL: await createTestRedis() };
  await aRecordsDeadLetter('9007199254740993/12/RFIs/13');
  await aDeadLetter('D1');
  const { code, stdout, stderr } = await mirror(
    ['dead-letters', 'replay', '9007199254740993/12/RFIs/13', 'D1', 'D9'],
    env,
  );
  expect(code).toBe(1);
  expect(stdout).toBe('1 record will be fetched again, 1 body handed to the workers again.\n');
  expect(stderr).toBe('There is no dead letter D9.\n');
  const { rows } = await database.pool.query('select record_id, lane, ready_at > now() as rests from mirror.pending');
  expect(rows).toEqual([{ record_id: '13', lane: 'repair', rests: true }]);
  expect(JSON.parse((await mirror(['status', '--json'], env)).stdout).queue.waiting).toBe(1);
  expect((await mirror(['dead-letters', 'show', '9007199254740993/12/RFIs/13'])).stdout).toContain('waits for a fetch');
  // They go when the workers have done it.
  expect(await remaining()).toHaveLength(2);
});

test('all that fit are replayed; a queue that is down is exit code 3 for bodies, and none of the records’ business', async () => {
  const env = { DATABASE_URL: database.url, QUEUE_URL: 'redis://127.0.0.1:1' };
  await aRecordsDeadLetter('R1');
  await aRecordsDeadLetter('R2', { resource: 'Teapots' });
  await aDeadLetter('D1');
  const some = await mirror(['dead-letters', 'replay', '--all', '--resource', 'RFIs', '--json'], env);
  expect(some.code).toBe(0);
  expect(JSON.parse(some.stdout)).toEqual({ records: 1, deliveries: 0, not_mirrored: [], unknown: [] });
  const others = await mirror(['dead-letters', 'replay', '--all', '--resource', 'Teapots'], env);
  expect(others).toMatchObject({ code: 1, stderr: 'R2 is of a resource that is not mirrored.\n' });
  const all = await mirror(['dead-letters', 'replay', '--all'], env);
  expect(all).toMatchObject({ code: 3, stderr: expect.stringContaining('fix: start that server') });
  expect(await remaining()).toHaveLength(3);
});

test('discarded dead letters are gone, and counted', async () => {
  for (const id of ['D1', 'D2']) await aDeadLetter(id);
  await aRecordsDeadLetter('R1');
  expect(await mirror(['dead-letters', 'discard', 'D1', 'D9'])).toMatchObject({
    code: 1,
    stdout: 'Discarded 1 dead letter.\n',
    stderr: 'There is no dead letter D9.\n',
  });
  const some = await mirror(['dead-letters', 'discard', '--all', '--reason', 'answer_422', '--json']);
  expect(some.code).toBe(0);
  expect(JSON.parse(some.stdout)).toEqual({ discarded: 1, unknown: [] });
  expect(await remaining()).toEqual(['D2']);
  expect(await mirror(['dead-letters', 'discard', '--all'])).toMatchObject({
    code: 0,
    stdout: 'Discarded 1 dead letter.\n',
  });
});

test.each(['replay', 'discard'])('%s needs ids or --all, and not both', async (command) => {
  await aDeadLetter('D1');
  for (const wrong of [[], ['D1', '--all'], ['D1', '--reason', 'not_json'], ['--reason', 'not_json']]) {
    expect(await mirror(['dead-letters', command, ...wrong])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--all'),
    });
  }
  expect(await remaining()).toEqual(['D1']);
});

test('status tells when the first dead letter is tried again', async () => {
  await aRecordsDeadLetter('R1', { nextTryAt: '2099-06-02T10:00:00Z' });
  await aRecordsDeadLetter('R2', { nextTryAt: '2099-06-01T10:00:00Z' });
  await aDeadLetter('D1');
  const { stdout } = await mirror(['status', '--all']);
  expect(stdout).toMatch(/answer_422 +2 .* 2099-06-01T10:00:00\S*$/m);
  expect(stdout).toMatch(/not_json +1 .* by replay only$/m);
});

test('wrong use is exit code 2, and says what is right', async () => {
  expect(await mirror(['no-such-command'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('unknown command'),
  });
  expect(await mirror(['events', 'list', '--limit', 'x'])).toMatchObject({ code: 2 });
  expect(await mirror(['status', '--all', '--company', '1;2'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('digits'),
  });
  expect(await mirror(['status', '--all'], {})).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('DATABASE_URL is not set'),
  });
});

test('resources says of each how it is read, whether it is selected and how much there is', async () => {
  await database.pool.query(
    `insert into procore.rfis (company_id, project_id, id, _data, _fetched_at, _version)
     select 11, n, n, '{}', now(), 1 from generate_series(1, 3) n`,
  );
  const { code, stdout } = await mirror(['resources']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^RFIs +project +procore\.rfis +show, list +create, update, delete +yes +3 +0$/m);
  expect(stdout).toMatch(/^Meeting Topics .* parent of Meetings /m);
  expect(stdout).toMatch(/^Draw Requests +project +no endpoint is known /m);
  expect(stdout).toContain(`${catalogue.entries.length} resources, ${catalogue.mirrored.length} of them mirrored here`);
  const some = await mirror(['resources', '--json'], { DATABASE_URL: database.url, MIRROR_RESOURCES: 'rfis' });
  const lines: { resource: string; selected: boolean; rows: string }[] = JSON.parse(some.stdout);
  expect(lines.filter(({ selected }) => selected)).toEqual([
    expect.objectContaining({ resource: 'RFIs', tool: 'RFIs', table: 'rfis', read: ['show', 'list'], rows: '3' }),
  ]);
});

test('resources without a database are shown all the same', async () => {
  const { code, stdout, stderr } = await mirror(['resources'], { DATABASE_URL: 'postgres://u:p@127.0.0.1:1/db' });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^RFIs .* yes$/m);
  expect(stderr).toContain('no rows are shown');
});

test('resources of the operator are migrated and shown; a file that is wrong is exit code 2', async () => {
  const file = path.join(directory, 'catalogue.json');
  const crates = { resource: 'Crates', scope: 'project', show: '/rest/v1.0/projects/{project_id}/crates/{id}' };
  await writeFile(file, JSON.stringify([{ ...crates, columns: [{ name: 'weight', type: 'numeric' }] }]));
  const env = { DATABASE_URL: database.url, MIRROR_CATALOGUE: file };
  expect(await mirror(['migrate'], env)).toMatchObject({ code: 0, stderr: 'made procore.crates\n' });
  expect((await mirror(['resources'], env)).stdout).toMatch(/^Crates +project +procore\.crates +show .* yes +0 +0$/m);
  await writeFile(file, JSON.stringify([{ ...crates, show: '/crates' }, { resource: 'Barrels' }]));
  const wrong = await mirror(['resources'], env);
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toContain('"Crates": show: must start with /rest/');
  expect(wrong.stderr).toContain('"Barrels": scope: ');
});

test('names in MIRROR_RESOURCES that no resource has are exit code 2, all at once', async () => {
  const { code, stderr } = await mirror(['resources'], { MIRROR_RESOURCES: 'RFI,Submittals,Punch Item' });
  expect(code).toBe(2);
  expect(stderr).toContain('error: MIRROR_RESOURCES: there is no resource "RFI", did you mean "RFIs"?');
  expect(stderr).toContain('error: MIRROR_RESOURCES: there is no resource "Punch Item", did you mean "Punch Items"?');
});

test('a reason that there is none of is refused, with those that there are; the docs explain each', async () => {
  const pages = await readFile(new URL('../../../docs/operations.md', import.meta.url), 'utf8');
  for (const command of ['list', 'replay --all', 'discard --all']) {
    const { code, stderr } = await mirror(['dead-letters', ...command.split(' '), '--reason', 'nonsense']);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/There are malformed_answer, .* bad_report and answer_/)]);
    const named = stderr.match(/There are (.*) and answer_/)?.[1]?.split(', ') ?? [];
    expect(named.filter((reason) => !pages.includes(`\`${reason}\``))).toEqual([]);
  }
  expect(await mirror(['dead-letters', 'list', '--reason', 'answer_409'])).toMatchObject({ code: 0 });
});

describe('forget', () => {
  const rows = `insert into procore.rfis (company_id, project_id, id, _version) select c, p, 10 * c + p, 1
    from (values (21, 5), (21, 6), (22, 5)) as v(c, p)`;
  const forget = (options: string, env: Record<string, string> = { PROCORE_COMPANY_IDS: '21' }) =>
    mirror(['forget', ...options.split(' ')], { DATABASE_URL: database.url, ...env });
  const left = async () =>
    (await database.pool.query('select company_id::int as c, project_id::int as p from procore.rfis order by 1, 2'))
      .rows;
  beforeEach(async () => {
    await database.pool.query(rows);
  });

  test('says what it would remove, and changes nothing', async () => {
    const { code, stdout } = await forget('--company 22');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^procore\.rfis +RFIs +1$/m);
    expect(stdout).toContain('1 row of company 22 would be removed');
    expect(JSON.parse((await forget('--company 22 --json')).stdout)).toEqual({
      ...{ company_id: '22', project_id: null, removed: false, rows: 1 },
      tables: [{ table: 'procore.rfis', resource: 'RFIs', rows: 1 }],
    });
    expect(await left()).toHaveLength(3);
  });

  test('removes it with --yes, and may be repeated', async () => {
    expect(await forget('--company 22 --yes')).toMatchObject({ code: 0, stdout: 'Removed 1 row of company 22.\n' });
    const env = { PROCORE_COMPANY_IDS: '21', MIRROR_PROJECTS: '6' };
    expect(JSON.parse((await forget('--project 5 --yes --json', env)).stdout)).toMatchObject({
      ...{ company_id: '21', project_id: '5', removed: true, rows: 1, gone: true },
    });
    expect(await left()).toEqual([{ c: 21, p: 6 }]);
    expect(await forget('--project 5 --yes', env)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('0 rows'),
    });
  });

  test('refuses what is still selected or not known, and says what to do', async () => {
    for (const [options, problem, env] of [
      ['--company 21', 'take it out of PROCORE_COMPANY_IDS'],
      ['--company 21', 'PROCORE_COMPANY_IDS is not set', {}],
      ['--project 6', 'name in MIRROR_PROJECTS those that are to stay'],
      ['--project 6', 'take it out of MIRROR_PROJECTS', { PROCORE_COMPANY_IDS: '21', MIRROR_PROJECTS: '6' }],
      ['--project 5', 'companies 21 and 22 have a project 5: say --company'],
      ['--company 220', 'knows no company 220'],
      ['--company 22 --project 6', 'knows no project 6 of company 22'],
      ['--yes', 'say what to forget'],
    ] as [string, string, Record<string, string>?][]) {
      const { code, stderr } = await forget(options, env);
      expect([options, code, stderr]).toEqual([options, 2, expect.stringContaining(problem)]);
    }
    expect(await left()).toHaveLength(3);
  });

  test('follows what the worker noted of a project', async () => {
    await database.pool.query(
      'insert into mirror.selection (company_id, project_id, is_selected) values (21, 5, false)',
    );
    expect(await forget('--company 21 --project 5')).toMatchObject({ code: 0 });
    await database.pool.query('update mirror.selection set is_selected = true');
    expect(await forget('--company 21 --project 5')).toMatchObject({ code: 2 });
  });
});

describe('the monthly sandbox', () => {
  const sandbox = { PROCORE_ENVIRONMENT: 'monthly-sandbox' };
  const reset = (options: string, env: Record<string, string> = sandbox) =>
    mirror(['reset', ...options.split(' ')], { DATABASE_URL: database.url, ...env });
  const rows = async () => (await database.pool.query('select from procore.rfis')).rowCount;
  beforeEach(async () => {
    await database.pool.query('truncate mirror.origin, mirror.workers');
    await database.pool.query(
      `insert into mirror.origin (environment, noted_at) values ('monthly-sandbox', '2020-01-01')`,
    );
    await database.pool.query('insert into procore.rfis (company_id, project_id, id, _version) values (1, 2, 3, 1)');
  });
  afterAll(() => database.pool.query('truncate mirror.origin'));

  test('is emptied with --yes, after a plan that changes nothing', async () => {
    const asked = '--environment monthly-sandbox';
    const { code, stdout } = await reset(asked);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^procore\.rfis +1$/m)]);
    expect(await rows()).toBe(1);
    const { stdout: json } = await reset(`${asked} --yes --json`, {
      ...sandbox,
      PROCORE_API_URL: 'http://127.0.0.1:4000',
    });
    expect(JSON.parse(json)).toMatchObject({ environment: 'monthly-sandbox', removed: true, rows: 1 });
    expect(await rows()).toBe(0);
    expect(await reset(asked)).toMatchObject({ code: 0, stdout: 'The mirror is empty.\n' });
  });

  test.each([
    ['production', '--environment production', { PROCORE_ENVIRONMENT: 'production' }, 'this database mirrors monthly'],
    ['what is not configured', '--environment monthly-sandbox', {}, 'PROCORE_ENVIRONMENT is production'],
    [
      'another host',
      '--environment monthly-sandbox',
      { ...sandbox, PROCORE_API_URL: 'https://api.procore.com' },
      'api.procore.com',
    ],
    ['nothing', '--yes', sandbox, "required option '--environment"],
  ])('is the only one: %s is refused', async (_, options, env, problem) => {
    const { code, stderr } = await reset(`${options} --yes`, env);
    expect([code, stderr]).toEqual([2, expect.stringContaining(problem)]);
    expect(await rows()).toBe(1);
  });

  test('is not emptied under a worker, nor where the database is of production', async () => {
    await database.pool.query(`insert into mirror.workers (holder) values ('w')`);
    expect(await reset('--environment monthly-sandbox --yes')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('stop all workers'),
    });
    await database.pool.query(`truncate mirror.workers; update mirror.origin set environment = 'production'`);
    expect(await reset('--environment monthly-sandbox --yes')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('this database mirrors production'),
    });
    expect(await rows()).toBe(1);
  });

  test('was overwritten, says the status, until it is reset', async () => {
    const status = async (env: Record<string, string> = sandbox) =>
      (await mirror(['status'], { DATABASE_URL: database.url, ...env })).stdout;
    expect(await status()).toMatch(/^error sandbox-overwritten, .* from production on \d{4}-\d\d-0[123]: /m);
    expect(await status({})).not.toContain('overwritten');
    await reset('--environment monthly-sandbox --yes');
    expect(await status()).not.toContain('overwritten');
  });
});

test('help is fine and names the commands', async () => {
  const { code, stdout } = await mirror(['--help']);
  expect(code).toBe(0);
  for (const name of ['migrate', 'resources', 'status', 'events', 'dead-letters', 'forget', 'reset'])
    expect(stdout).toContain(name);
});

test('a server that is down is exit code 3, with a fix and without the password', async () => {
  const { code, stderr } = await mirror(['status'], { DATABASE_URL: 'postgres://u:secret-password@127.0.0.1:1/db' });
  expect(code).toBe(3);
  expect(stderr).toContain('Postgres at 127.0.0.1:1/db could not be reached');
  expect(stderr).toContain('fix: ');
  expect(stderr).not.toContain('secret-password');
});

test('no password of an address is shown, whatever says it and whether as a table or as JSON', async () => {
  const env = {
    DATABASE_URL: database.url,
    QUEUE_URL: 'redis+sentinel://:queue-password@127.0.0.1:1/main?sentinelPassword=other-password',
  };
  await database.pool.query(
    `insert into mirror.scopes (company_id, reason, detail, probe_at) values (11, 'failing', 'queue-password other-password', now())`,
  );
  for (const args of [['status'], ['status', '--json']]) {
    const { stdout, stderr } = await mirror(args, env);
    expect(stdout).toContain('[redacted] [redacted]');
    expect(stdout + stderr).not.toMatch(/queue-password|other-password/);
  }
});

test('a server that is down is named without a password that is short, encoded or asked for', async () => {
  const odd = ['me:p%40pw@127.0.0.1:1/db', 'me:1/pw@127.0.0.1:1/db', 'me:#?pw@127.0.0.1:1/db'];
  for (const address of ['me:pw@127.0.0.1:1/db', 'me@127.0.0.1:1/db?password=pw', ...odd]) {
    const { stderr } = await mirror(['events', 'list'], { DATABASE_URL: `postgres://${address}` });
    expect(stderr).toContain('Postgres at 127.0.0.1:1/db could not be reached');
    expect(stderr).not.toContain('pw');
  }
});

test('a database without our tables is told what to run', async () => {
  const empty = await createTestDatabase();
  const { code, stdout } = await mirror(['status'], { DATABASE_URL: empty.url });
  expect(code).toBe(1);
  expect(stdout).toMatch(/^needs you: 1 error\n\nerror schema-misfit: .*pnpm mirror migrate/);
  expect(JSON.parse((await mirror(['status', '--json'], { DATABASE_URL: empty.url })).stdout)).toMatchObject({
    verdict: 'needs you',
    findings: [{ code: 'schema-misfit' }],
  });
  await empty.drop();
});

test('beside `npm start` commands find its database, but never mix it with another Procore', async () => {
  await writeFile(path.join(directory, 'start.env'), `DATABASE_URL=${database.url}\nPROCORE_CLIENT_ID=simulated\n`);
  expect(await mirror(['status'], {})).toMatchObject({ code: 0 });
  expect(await mirror(['status'], { PROCORE_CLIENT_ID: 'real' })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('another Procore'),
  });
  await rm(path.join(directory, 'start.env'));
});
