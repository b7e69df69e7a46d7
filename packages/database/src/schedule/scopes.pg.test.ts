import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Database } from '../connection/open-database.ts';
import { markPending } from '../pending/mark-pending.ts';
import { type EmptyMirror, openEmptyMirror } from '../testing/empty-mirror.ts';
import type { ClaimedBatch } from './batch.ts';
import { claimBatch } from './batches.ts';
import {
  askForTurn,
  forgetIdleScopes,
  giveProbeBack,
  keepParked,
  parkScope,
  type Scope,
  unparkScopes,
} from './scopes.ts';

let mirror: EmptyMirror;
let database: Database;

beforeAll(async () => {
  mirror = await openEmptyMirror();
  database = mirror.database;
});
afterAll(() => mirror.close());
beforeEach(() => database.pool.query('truncate mirror.pending, mirror.batches, mirror.scopes'));

const query = (sql: string, values: unknown[] = []) => database.pool.query(sql, values);
const everything = { companyId: null, projectId: null, resource: null };
const company = (companyId: string) => ({ ...everything, companyId });
const refused = { reason: 'forbidden', detail: 'HTTP 403', atLeastMs: 0 } as const;
const pauses = { firstPauseMs: 20_000, longestPauseMs: 7_200_000 };
const park = (scope: Scope) => parkScope(database, scope, refused, pauses);
const makeProbesDue = () => query('update mirror.scopes set probe_at = now()');

/** A batch that is due, the longer since the smaller `place`. */
async function aBatch(companyId: string, projectId: string, place = 0): Promise<void> {
  const news = { companyId, projectId, resource: 'RFIs', recordId: '1' };
  await markPending(database.pool, {
    news: [{ ...news, parentId: null, isDelete: false, isRelative: false }],
    ...{ lane: 'live', pace: { delayMs: 0, maxWaitMs: 60_000 } },
  });
  await query(
    `update mirror.batches set due_at = now() - interval '1 hour' + $3 * interval '1 s'
    where company_id = $1 and project_id = $2`,
    [companyId, projectId, place],
  );
}

const claim = (holder = 'me') => claimBatch(database, { holder, leaseMs: 60_000, mostPerCompany: 16, onlyLive: false });

/** How long each scope is left alone yet, whole seconds. */
async function parked(): Promise<Record<string, number>> {
  const { rows } =
    await query(`select coalesce(nullif(concat_ws('/', company_id, project_id, resource), ''), 'all') as scope,
    round(extract(epoch from probe_at - now()))::int as seconds from mirror.scopes order by 1`);
  return Object.fromEntries(rows.map(({ scope, seconds }) => [scope, seconds]));
}

describe('one at a time probes a parked scope', () => {
  type Asker = () => Promise<boolean>;
  const claims: Asker = async () => (await claim()) !== null;
  const asks: Asker = async () => (await askForTurn(database, { ...company('1'), projectId: '3' }))?.turn === 'probe';

  test.each<[string, Scope[], Asker[]]>([
    ['batches', [company('1')], [claims, claims, claims, claims]],
    ['calls', [company('1')], [asks, asks, asks, asks]],
    ['both', [company('1')], [claims, asks, claims, asks]],
    ['both, of a company where everything is parked', [company('1'), everything], [claims, asks, claims, asks]],
  ])('however many want to: %s', async (_, scopes, askers) => {
    for (const projectId of ['1', '2', '3', '4', '5', '6']) await aBatch('1', projectId);
    const probes = [];
    for (let round = 0; round < 40; round += 1) {
      await query('truncate mirror.scopes');
      await query('update mirror.batches set lease_until = null');
      for (const scope of scopes) await park(scope);
      await makeProbesDue();
      probes.push((await Promise.all(askers.map((ask) => ask()))).filter(Boolean).length);
    }
    expect(new Set(probes)).toEqual(new Set([1]));
  });

  test('also when they had to wait for the same row', async () => {
    for (const projectId of ['1', '2', '3']) await aBatch('1', projectId);
    await park(company('1'));
    await makeProbesDue();
    const other = await database.pool.connect();
    await other.query('begin; select from mirror.scopes for update');
    const asking = [claims(), asks(), claims(), asks()];
    const waiting = () =>
      query(`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`);
    await expect.poll(async () => (await waiting()).rowCount).toBe(asking.length);
    await other.query('commit');
    other.release();
    expect((await Promise.all(asking)).filter(Boolean)).toHaveLength(1);
  });

  test('whose turn it is not keeps nobody else from a scope that he could have probed', async () => {
    await aBatch('1', '1');
    await park(company('1'));
    await park(everything);
    await query('update mirror.scopes set probe_at = now() where company_id is not null');
    expect(await claim()).toBeNull();
    expect((await askForTurn(database, company('1')))?.turn).toBe('wait');
    expect(await parked()).toEqual({ '1': 0, all: 20 });
  });
});

describe('where everything is parked', () => {
  /** Two companies that are refused, with old news, and everything. */
  beforeEach(async () => {
    for (const companyId of ['2', '3']) {
      for (const place of [1, 2, 3]) await aBatch(companyId, `${companyId}${place}`, place);
      await park(company(companyId));
    }
    await park(everything);
    await makeProbesDue();
  });
  const refuse = (batch: ClaimedBatch | null) => keepParked(database, batch!, refused, pauses);

  test('a company that is not parked itself probes first, whatever waits longer, or in a lane before', async () => {
    await aBatch('1', '7', 9);
    await query(`update mirror.batches set lane = 'backfill' where company_id = 1`);
    expect(await claim()).toMatchObject({ companyId: '1', isProbe: true, isWideProbe: true });
  });

  test('companies take turns, though each probe ends without an answer', async () => {
    await aBatch('1', '7', 9);
    await aBatch('4', '7', 8);
    await query('delete from mirror.scopes where company_id is not null');
    const turns = [];
    for (let turn = 1; turn <= 8; turn += 1) {
      const batch = await claim();
      turns.push(batch?.companyId);
      await giveProbeBack(database, batch!);
      await query('update mirror.batches set lease_until = null');
    }
    expect(new Set(turns.slice(0, 4))).toEqual(new Set(['1', '2', '3', '4']));
    expect(turns.slice(4)).toEqual(turns.slice(0, 4));
  });

  test('a refused company is parked itself, and the next one probes soon, however long this lasts', async () => {
    await aBatch('4', '7');
    await query(`update mirror.scopes set parked_at = now() - interval '2 hours'`);
    await refuse(await claim());
    expect(await parked()).toEqual({ '2': 0, '3': 0, '4': 20, all: 20 });
    await makeProbesDue();
    await query('delete from mirror.batches where company_id <> 2');
    await refuse(await claim());
    expect(await parked()).toEqual({ '2': 3600, '3': 0, '4': 0, all: 20 });
    await aBatch('1', '7');
    await query('update mirror.scopes set probe_at = now() where company_id is null');
    expect(await claim()).toMatchObject({ companyId: '1', isWideProbe: true });
  });

  test('without a token it is the same for everybody', async () => {
    await aBatch('4', '7');
    await query(`update mirror.scopes set parked_at = now() - interval '2 hours' where company_id is null`);
    await keepParked(database, (await claim())!, { ...refused, reason: 'no_token' }, pauses);
    expect(await parked()).toEqual({ '2': 0, '3': 0, all: 3600 });
  });

  test('the answer of one company ends that and its own trouble, and those of others keep their pauses', async () => {
    await query(`insert into mirror.scopes (company_id, project_id, resource, reason, probe_at)
      values (1, 7, 'RFIs', 'failing', now()), (1, 8, 'RFIs', 'failing', now()), (1, null, null, 'failing', now())`);
    await query(`update mirror.scopes set probe_at = now() + interval '1 hour'`);
    await query(`update mirror.scopes set parked_at = now() - interval '1 day' where company_id = 3`);
    expect(await unparkScopes(database, { companyId: '1', projectId: '7', resource: 'RFIs' })).toBe(4);
    // What the same trouble parked may be over, too: one probe tells.
    expect(await parked()).toEqual({ '2': 20, '3': 3600 });
    await makeProbesDue();
    await query(`update mirror.scopes set parked_at = now() - interval '2 hours'`);
    await refuse(await claim());
    expect(Object.values(await parked()).toSorted((a, b) => a - b)).toEqual([0, 3600]);
  });
});

test('a parked resource of which nothing is pending is forgotten when its probe is due, and nothing wider is', async () => {
  await aBatch('1', '3');
  const resources = ['3', '4', null].map((projectId) => ({ companyId: '1', projectId, resource: 'RFIs' }));
  for (const scope of [...resources, company('2'), everything]) {
    await query(
      `insert into mirror.scopes (company_id, project_id, resource, reason, detail, probe_at)
        values ($1, $2, $3, 'forbidden', '', now() + interval '20 s')`,
      [scope.companyId, scope.projectId, scope.resource],
    );
  }
  await forgetIdleScopes(database);
  expect(Object.keys(await parked())).toHaveLength(5);
  await makeProbesDue();
  await forgetIdleScopes(database);
  expect(Object.keys(await parked()).toSorted()).toEqual(['1/3/RFIs', '2', 'all']);
});
