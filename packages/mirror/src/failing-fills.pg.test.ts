// Fills of lists that never come whole: each ends, and says why.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startFillLoop } from './fill-loop.ts';
import { requestFills } from './request-fills.ts';
import { scriptLists } from './testing/script-lists.ts';
import { type ScriptedProcore, scriptProcore, startTestMirror, type TestMirror } from './testing/test-mirror.ts';

let procore: ScriptedProcore;
let mirror: TestMirror;
let worker: ReturnType<typeof startFillLoop> | null = null;

beforeAll(async () => {
  procore = await scriptProcore();
  mirror = await startTestMirror(procore);
});
afterEach(() => worker?.close());
afterAll(() => mirror.close());
beforeEach(async () => {
  await mirror.clear();
  procore.calls = [];
});

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
const query = async (sql: string) => (await mirror.database.pool.query(sql)).rows;
const MALFORMED = { text: '{"message": "ok"}' };
const NOT_FOUND = { status: 404 };
const FAILING = { status: 500 };
type Answer = ScriptedProcore['answer'];

/** Has a worker fill these, and lets no pause last. Returns what became of each, and how many calls it took. */
async function fill(resources: readonly string[]): Promise<{ fills: Record<string, unknown>[]; calls: number }> {
  const scopes = [{ companyId: '1', projectId: '7', resources }];
  await requestFills(mirror.database, { catalogue: mirror.settings.catalogue, scopes });
  const none = () => {};
  worker = startFillLoop({
    settings: { ...mirror.settings, pageSize: 10 },
    ...{ holder: 'worker', resources: null, log: { info: none, warn: none, error: none }, idleMs: 5 },
    canSignIn: async () => true,
  });
  const isOver = async () => {
    await query(`update mirror.backfills set due_at = now() where state = 'waiting'`);
    await query('update mirror.scopes set probe_at = now()');
    return (await query(`select from mirror.backfills where state in ('waiting', 'running')`)).length === 0;
  };
  await expect.poll(isOver, { timeout: 25_000, interval: 10 }).toBe(true);
  const fills = await query('select resource, state, detail from mirror.backfills order by position');
  return { fills, calls: procore.calls.length };
}

/** Answers as the lists do, but this page. */
function butPage(page: number, lists: Answer, trouble: ReturnType<Answer>, end = '/locations'): Answer {
  return (path, search) => {
    if (path.endsWith('/me')) return { body: { id: 5 } };
    // A size that failed is asked again in smaller ones: the trouble is where the page was.
    const [size, number] = [Number(search.get('per_page')), Number(search.get('page') ?? 1)];
    const isThere = (number - 1) * size < page * 10 && number * size > (page - 1) * 10;
    return path.endsWith(end) && isThere ? trouble : lists(path, search);
  };
}

describe.each([
  ['is answered 500', FAILING, /was answered 500|one of its records cannot be read/],
  ['is no list', MALFORMED, /./],
] as const)('a list of which a page for good %s', (_, trouble, reason) => {
  test.each([1, 3, 4])('ends as failed, with the reason: page %i', async (page) => {
    procore.answer = butPage(page, scriptLists({ '/locations': upTo(35) }), trouble);
    const { fills, calls } = await fill(['Locations']);
    expect(fills).toEqual([{ resource: 'Locations', state: 'failed', detail: expect.stringMatching(reason) }]);
    expect((await mirror.rows('locations')).length).toBeGreaterThanOrEqual(10 * (page - 1));
    expect(calls).toBeLessThan(300);
  });
});

test.each([1, 3])('a list that is parked ends as failed when no probe of it is answered: page %i', async (page) => {
  await query(`insert into mirror.scopes (company_id, project_id, resource, reason, detail, probe_at)
    values (1, 7, 'Locations', 'failing', 'news of it failed', now())`);
  procore.answer = butPage(page, scriptLists({ '/locations': upTo(35) }), FAILING);
  const { fills, calls } = await fill(['Locations']);
  expect(fills).toMatchObject([{ state: 'failed', detail: expect.stringMatching(/500|cannot be read/) }]);
  expect(calls).toBeLessThan(300);
});

test('a list that is cut off at each reading ends as failed, with the reason', async () => {
  procore.answer = butPage(3, scriptLists({ '/locations': upTo(35) }), NOT_FOUND);
  const { fills, calls } = await fill(['Locations']);
  expect(fills).toMatchObject([{ state: 'failed', detail: expect.stringContaining('page 3 was not found') }]);
  expect(calls).toBeLessThan(100);
});

test('a list that is cut off, and longer at each reading, ends as failed', async () => {
  let ids = upTo(20);
  procore.answer = (path, search) => {
    if (!search.has('page')) ids = upTo(ids.length + 1);
    return butPage(
      Math.ceil(ids.length / 10) + 1,
      scriptLists({ '/locations': [...ids, ...upTo(9)] }),
      NOT_FOUND,
    )(path, search);
  };
  const { fills, calls } = await fill(['Locations']);
  expect(fills).toMatchObject([{ state: 'failed' }]);
  expect(calls).toBeLessThan(150);
});

test.each([
  ['whose Total always differs', (total: number, call: number) => total + 1 + (call % 7)],
  ['whose Total is always above what comes', (total: number) => total + 3],
])('a list %s is filled in the end', async (_, totalOf) => {
  const lists = scriptLists({ '/locations': upTo(35) });
  procore.answer = async (path, search) => {
    const answer = await lists(path, search);
    return { ...answer, headers: { ...answer.headers, total: String(totalOf(35, procore.calls.length)) } };
  };
  const { fills, calls } = await fill(['Locations']);
  expect(fills).toMatchObject([{ state: 'done' }]);
  expect(await mirror.rows('locations')).toHaveLength(35);
  expect(calls).toBeLessThan(20);
});

test('a list that shifts at each reading is filled in the end', async () => {
  let [first, last] = [1, 35];
  procore.answer = (path, search) => {
    // One is gone and another new before each page.
    first += 1;
    last += 1;
    return scriptLists({ '/locations': upTo(last).slice(first) })(path, search);
  };
  const { fills, calls } = await fill(['Locations']);
  expect(fills).toMatchObject([{ state: 'done' }]);
  expect(calls).toBeLessThan(30);
});

describe.each([
  ['which have children', () => upTo(13)],
  ['which have none', () => []],
  ['some of which have none', (rfi: number) => (rfi % 2 === 0 ? upTo(25) : [])],
] as const)('beside parents %s', (_, repliesOf) => {
  test.each([
    ['page 1 of one is answered 500', [3], 1, FAILING],
    ['page 2 of one is answered 500', [3], 2, FAILING],
    ['page 2 of several is answered 500', [2, 4, 5], 2, FAILING],
    ['page 2 of one is no list', [3], 2, MALFORMED],
    ['page 2 of one is not found', [3], 2, NOT_FOUND],
  ] as const)(
    'where %s the fill ends as failed, and has the children of the others',
    async (_, sick, page, trouble) => {
      const rfis = upTo(5);
      procore.answer = (path, search) => {
        const rfi = Number(/\/rfis\/(\d+)\/replies$/.exec(path)?.[1] ?? 0);
        if (rfi === 0) return butPage(1, scriptLists({ '/rfis': rfis }), FAILING)(path, search);
        const isSick = sick.some((one) => one === rfi);
        const ids = (isSick ? upTo(25) : repliesOf(rfi)).map((id) => rfi * 100 + id);
        const lists = scriptLists({ '/replies': ids });
        return isSick ? butPage(page, lists, trouble, '/replies')(path, search) : lists(path, search);
      };
      const { fills, calls } = await fill(['RFIs', 'RFI Replies']);
      expect(fills).toMatchObject([{ state: 'done' }, { resource: 'RFI Replies', state: 'failed' }]);
      expect(fills[1]?.detail).toMatch(/\S/);
      const of = (await mirror.rows('rfi_replies')).map(({ id }) => Number(id));
      for (const rfi of rfis.filter((one) => !sick.some((other) => other === one)))
        expect(of.filter((id) => Math.floor(id / 100) === rfi)).toHaveLength(repliesOf(rfi).length);
      expect(calls).toBeLessThan(1000);
    },
  );
});
