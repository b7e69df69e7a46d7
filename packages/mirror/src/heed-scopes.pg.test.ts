import { parkScope, type Scope } from '@procore-mirror/database';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ScopeParkedError } from './errors.ts';
import { heedScopes } from './heed-scopes.ts';
import { type ScriptedProcore, scriptProcore, startTestMirror, type TestMirror } from './testing/test-mirror.ts';

let procore: ScriptedProcore;
let mirror: TestMirror;

beforeAll(async () => {
  procore = await scriptProcore();
  mirror = await startTestMirror(procore);
});
afterAll(() => mirror.close());
beforeEach(async () => {
  procore.calls.splice(0);
  procore.answer = (path) => ({ body: path.endsWith('/me') ? { id: 5 } : [{ id: 1 }] });
  await mirror.clear();
});

const query = async (sql: string) => (await mirror.database.pool.query(sql)).rows;
const RFIS: Scope = { companyId: '1', projectId: '7', resource: 'RFIs' };
const COMPANY: Scope = { companyId: '1', projectId: null, resource: null };
const EVERYTHING: Scope = { companyId: null, projectId: null, resource: null };

/** Parked a hundred seconds ago; the probe is due in so many. */
async function park(scope: Scope, dueInSeconds: number): Promise<void> {
  const trouble = { reason: 'failing', detail: 'was answered 500', atLeastMs: 0 } as const;
  await parkScope(mirror.database, scope, trouble, mirror.settings.parking);
  await query(
    `update mirror.scopes set parked_at = now() - interval '100 s', probe_at = now() + interval '${dueInSeconds} s'`,
  );
}

const parked = () =>
  query(
    `select resource, probes, round(extract(epoch from probe_at - now()) / 10)::int * 10 as due_in from mirror.scopes`,
  );

function client({ patienceMs = 0, onWait = (_: string) => {} } = {}) {
  const { database, settings } = mirror;
  const parking = { firstPauseMs: 20_000, longestPauseMs: 7_200_000 };
  return heedScopes(settings.client, { database, parking, patienceMs, onWait });
}

const purpose = { projectId: '7', resource: 'RFIs', lane: 'backfill' } as const;
const { signal } = new AbortController();

async function get(path = '/rfis', own = client(), companyId = '1'): Promise<void> {
  using _ = await own.get(path, { companyId, purpose, signal });
}

/** Reads all pages. */
async function list(own = client()): Promise<number> {
  const read = () => ({ ids: [], records: 1, groups: 1 });
  const pages = own.pages('/rfis', { companyId: '1', purpose, signal, perPage: 100, read });
  return (await Array.fromAsync(pages)).length;
}

describe.each([
  ['get', () => get()],
  ['pages', () => list()],
  [
    'send',
    async () => void (await client().send('POST', '/rfis', { companyId: '1', purpose, signal }))[Symbol.dispose](),
  ],
])('%s', (_, call) => {
  test('of a scope that is not parked is just made', async () => {
    await park({ ...RFIS, resource: 'Submittals' }, 60);
    await park({ ...RFIS, projectId: '8' }, 60);
    await park({ ...COMPANY, companyId: '2' }, 60);
    await call();
    expect(procore.calls).toHaveLength(1);
  });

  test.each([RFIS, COMPANY])('of one that is parked is not made before its probe is due: %o', async (scope) => {
    await park(scope, 60);
    await expect(call()).rejects.toBeInstanceOf(ScopeParkedError);
    expect(procore.calls).toEqual([]);
    expect(await parked()).toEqual([{ resource: scope.resource, probes: 0, due_in: 60 }]);
  });

  test('that is the probe opens the scope when it is answered', async () => {
    await park(RFIS, 0);
    await call();
    expect(procore.calls).toHaveLength(1);
    expect(await parked()).toEqual([]);
  });

  test.each([500, 401, 403])(
    'that is the probe and is answered %i leaves it parked for half as long as before',
    async (status) => {
      await park(RFIS, 0);
      procore.answer = () => ({ status });
      await expect(call()).rejects.toThrow(String(status));
      expect(await parked()).toEqual([{ resource: 'RFIs', probes: 1, due_in: 50 }]);
    },
  );

  test('that is the probe and meets a limit leaves the probe to the next one', async () => {
    await park(RFIS, 0);
    procore.answer = () => ({ status: 429 });
    await expect(call()).rejects.toThrow('429');
    expect(await parked()).toEqual([{ resource: 'RFIs', probes: 0, due_in: 0 }]);
  });
});

test('one of many probes, the others wait for it', async () => {
  await park(RFIS, 0);
  const answer = Promise.withResolvers<void>();
  procore.answer = async () => {
    await answer.promise;
    return { body: [] };
  };
  const own = client({ patienceMs: 600_000 });
  const calls = Array.from({ length: 5 }, () => get('/rfis', own));
  await expect.poll(() => procore.calls.length).toBe(1);
  expect(await parked()).toEqual([{ resource: 'RFIs', probes: 0, due_in: 60 }]);
  answer.resolve();
  await Promise.all(calls);
  expect(procore.calls).toHaveLength(5);
});

test('it waits as long as its patience lasts', async () => {
  await park(RFIS, 1);
  await get('/rfis', client({ patienceMs: 60_000 }));
  expect(await parked()).toEqual([]);
});

describe('where a whole company is parked', () => {
  test('it tells first whether it knows us again, and what one resource answers is its own', async () => {
    await park(COMPANY, 0);
    procore.answer = (path) => (path.endsWith('/me') ? { body: { id: 5 } } : { status: 403 });
    await expect(get()).rejects.toThrow('403');
    expect(procore.calls).toEqual(['/rest/v1.0/me', '/rfis']);
    expect(await parked()).toEqual([]);
  });

  test('nothing else is asked while it does not answer', async () => {
    await park(COMPANY, 0);
    procore.answer = () => ({ status: 500 });
    await expect(get()).rejects.toBeInstanceOf(ScopeParkedError);
    expect(new Set(procore.calls)).toEqual(new Set(['/rest/v1.0/me']));
    expect(await parked()).toEqual([{ resource: null, probes: 1, due_in: 50 }]);
  });

  test.each([401, 403, 404])('which answers %i to who we are, the call itself is the probe', async (status) => {
    await park(COMPANY, 0);
    procore.answer = (path) => (path.endsWith('/me') ? { status } : { body: [] });
    await get();
    expect(await parked()).toEqual([]);
  });
});

describe('where a whole company is parked because it refused us, a probe is one call', () => {
  const refuse = async () => {
    await park(COMPANY, 0);
    await query(`update mirror.scopes set reason = 'not_connected'`);
  };
  const due = () => query('update mirror.scopes set probe_at = now()');

  test('by turns who we are, and the call itself', async () => {
    await refuse();
    procore.answer = () => ({ status: 403 });
    await expect(get()).rejects.toBeInstanceOf(ScopeParkedError);
    await due();
    await expect(get()).rejects.toThrow('403');
    await due();
    await expect(get()).rejects.toBeInstanceOf(ScopeParkedError);
    expect(procore.calls).toEqual(['/rest/v1.0/me', '/rfis', '/rest/v1.0/me']);
    expect(await query('select reason, probes from mirror.scopes')).toEqual([{ reason: 'not_connected', probes: 3 }]);
  });

  test.each([
    ['says who we are and refuses the call', '/me'],
    ['does not say who we are and answers the call', '/rfis'],
  ])('one that %s is open after the second at the latest', async (_, answers) => {
    await refuse();
    procore.answer = (path) =>
      path.endsWith(answers) ? { body: answers === '/me' ? { id: 5 } : [] } : { status: 403 };
    for (let probes = 0; probes < 2; probes += 1) {
      await get().catch(() => null);
      await due();
    }
    expect(await parked()).toEqual([]);
  });
});

test('where everything is parked a call waits as long as that lasts, says so once, and ends with its signal', async () => {
  await park(EVERYTHING, 3600);
  const waits: string[] = [];
  const ending = new AbortController();
  const own = client({ onWait: (reason) => waits.push(reason) });
  const call = own.get('/rfis', { companyId: '1', purpose, signal: ending.signal });
  await expect.poll(() => waits).toEqual(['was answered 500']);
  await query('update mirror.scopes set probe_at = now()');
  (await call)[Symbol.dispose]();
  expect(procore.calls).toEqual(['/rest/v1.0/me', '/rfis']);
  await park(EVERYTHING, 3600);
  const other = own.get('/rfis', { companyId: '1', purpose, signal: ending.signal });
  await expect.poll(() => waits.length).toBe(2);
  ending.abort(new Error('the end'));
  await expect(other).rejects.toThrow('the end');
});

test('hooks and lists of projects wait for their company, and for no resource', async () => {
  await park(RFIS, 60);
  (await client().get('/rest/v1.1/projects', { companyId: '1', signal }))[Symbol.dispose]();
  await query('delete from mirror.scopes');
  await park(COMPANY, 60);
  await expect(client().get('/rest/v1.1/projects', { companyId: '1', signal })).rejects.toThrow('company 1: not asked');
});
