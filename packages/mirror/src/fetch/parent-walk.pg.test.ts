// A child of an unknown parent is looked for under all parents, however many: a run ends all the same, a later one goes on.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { fetchBatch } from '../fetch-batch.ts';
import { createNeighbours } from '../run/neighbours.ts';
import { type ScriptedProcore, scriptProcore, startTestMirror, type TestMirror } from '../testing/test-mirror.ts';

let procore: ScriptedProcore;
let mirror: TestMirror;

beforeAll(async () => {
  procore = await scriptProcore();
  mirror = await startTestMirror(procore);
});
afterAll(() => mirror.close());
beforeEach(async () => {
  await mirror.clear();
  procore.calls = [];
});

const CALLS_PER_RUN = 50;
const rfis = Array.from({ length: 130 }, (_, index) => index + 1);

/** RFIs 1 to 130, of which one has the replies; a listing has one page. */
function withReplies(rfiId: number, replies: readonly number[]): void {
  procore.answer = (path) => {
    if (path.endsWith('/rfis')) return { body: rfis.map((id) => ({ id })) };
    const held = path.includes(`/rfis/${rfiId}/`) ? replies.map((id) => ({ id, plain_text_body: `${id}` })) : [];
    if (path.endsWith('/replies')) return { body: held };
    const shown = held.find(({ id }) => path.endsWith(`/${id}`));
    return shown === undefined ? { status: 404 } : { body: shown };
  };
}

/** What a worker has of its own that has just started. */
const aWorker = () => ({ keepsWalks: true, neighbours: createNeighbours() });

async function isPending(resource: string): Promise<boolean> {
  const { rowCount } = await mirror.database.pool.query('select from mirror.pending where resource = $1', [resource]);
  return rowCount !== 0;
}

/** Runs until nothing of the resource is pending; returns how many requests each run made. */
async function runAll(resource: string): Promise<number[]> {
  const requests: number[] = [];
  while (requests.length < 20 && (await isPending(resource))) {
    const before = procore.calls.length;
    await mirror.run(resource, {}, aWorker());
    requests.push(procore.calls.length - before);
  }
  return requests;
}

const countOf = (calls: readonly string[]) =>
  [...Map.groupBy(calls, (call) => call).values()].map((same) => same.length);

test('a walk over many parents stops with its run and goes on in the next, asking for nothing twice', async () => {
  withReplies(129, [7, 8]);
  await mirror.hear('RFI Replies', [7]);
  expect(await runAll('RFI Replies')).toEqual([CALLS_PER_RUN, CALLS_PER_RUN, 30]);
  expect(Math.max(...countOf(procore.calls))).toBe(1);
  expect(await mirror.rows('rfi_replies', 'id, rfi_id')).toMatchObject([{ rfi_id: '129' }, { rfi_id: '129' }]);
  procore.calls = [];
  await mirror.hear('RFI Replies', [8]);
  await runAll('RFI Replies');
  expect(procore.calls).toHaveLength(1);
  expect(await isPending('RFI Replies')).toBe(false);
});

test('a child under no parent is hidden when all were looked through, and not before', async () => {
  withReplies(1, []);
  await mirror.hear('RFI Replies', [7]);
  await mirror.run('RFI Replies', {}, aWorker());
  expect(await mirror.rows('rfi_replies')).toEqual([]);
  await runAll('RFI Replies');
  expect(await mirror.rows('rfi_replies')).toEqual([{ id: '7', deleted: false, hidden: true }]);
  expect(countOf(procore.calls)).toEqual(Array.from({ length: 131 }, () => 2));
});

test('news of a child makes the walk begin anew: it may have moved to where the walk has been', async () => {
  withReplies(130, [7]);
  await mirror.hear('RFI Replies', [7]);
  await mirror.run('RFI Replies', {}, aWorker());
  withReplies(1, [7]);
  await mirror.hear('RFI Replies', [7]);
  await runAll('RFI Replies');
  expect(await mirror.rows('rfi_replies', 'id, rfi_id')).toMatchObject([{ id: '7', rfi_id: '1', hidden: false }]);
});

test('a worker that keeps walks, and a run that walks as long as it takes, come to the same end', async () => {
  withReplies(129, [7]);
  await mirror.hear('RFI Replies', [7]);
  await mirror.run('RFI Replies', {}, aWorker());
  await mirror.run('RFI Replies');
  expect(await mirror.rows('rfi_replies', 'rfi_id')).toMatchObject([{ rfi_id: '129' }]);
});

const walks = () => mirror.database.pool.query('select version, place from mirror.walks').then(({ rows }) => rows);
const asked = () => procore.calls.filter((call) => call.includes('/replies')).length;

test('a worker that is told to stop leaves its walk for whoever comes next', async () => {
  withReplies(129, [7]);
  await mirror.hear('RFI Replies', [7]);
  const stopping = new AbortController();
  const answer = procore.answer;
  procore.answer = (path, query) => {
    if (path.includes('/rfis/20/')) stopping.abort(new Error('the worker is stopping'));
    return answer(path, query);
  };
  const batch = { companyId: '1', projectId: '7', resource: 'RFI Replies', lane: 'live' } as const;
  const { outcome } = await fetchBatch({ ...mirror.settings, ...aWorker() }, batch, stopping.signal);
  expect([outcome, asked()]).toEqual(['wait', 20]);
  procore.answer = answer;
  await runAll('RFI Replies');
  expect(asked()).toBe(130); // the one that was under way comes twice
  expect(await mirror.rows('rfi_replies', 'rfi_id')).toMatchObject([{ rfi_id: '129' }]);
  expect(await walks()).toEqual([]);
});

test('of two workers with one batch one goes on with the walk, the other begins anew', async () => {
  withReplies(129, [7]);
  await mirror.hear('RFI Replies', [7]);
  await mirror.run('RFI Replies', {}, aWorker());
  procore.calls = [];
  await Promise.all([mirror.run('RFI Replies', {}, aWorker()), mirror.run('RFI Replies', {}, aWorker())]);
  const times = Map.groupBy(procore.calls, (call) => call.split('?')[0]);
  const parents = (number: number) => times.get(`/rest/v1.0/projects/7/rfis/${number}/replies`)?.length ?? 0;
  expect([parents(1), parents(49), parents(50), parents(99)]).toEqual([1, 1, 1, 1]);
  expect(await walks()).toHaveLength(2);
  await runAll('RFI Replies');
  expect(await mirror.rows('rfi_replies', 'rfi_id')).toMatchObject([{ rfi_id: '129' }]);
});

const unreadable: [string, string][] = [
  ['is null', `'null'`],
  ['is a list', `'[]'`],
  ['lacks a field', `place - 'seen'`],
  ['has a number for an id', `place || '{"parents": [1]}'`],
  ['names a resource that we do not know', `place || '{"lists": [{"resource": "Unheard", "parentId": null}]}'`],
  ['is of another catalogue', `place || '{"rules": "other"}'`],
];

test.each(unreadable)('a walk begins anew where the place of the one before %s', async (_, place) => {
  withReplies(129, [7]);
  await mirror.hear('RFI Replies', [7]);
  await mirror.run('RFI Replies', {}, aWorker());
  const [{ version }] = await walks();
  await mirror.database.pool.query(`update mirror.walks set place = ${place}`);
  await mirror.run('RFI Replies', {}, aWorker());
  expect(countOf(procore.calls).filter((times) => times === 2)).toHaveLength(50);
  const [{ version: next }] = await walks();
  expect(BigInt(next)).toBeGreaterThan(BigInt(version));
});

test('a walk that cannot be read hides no other', async () => {
  withReplies(129, [7]);
  await mirror.hear('RFI Replies', [7]);
  await mirror.run('RFI Replies', {}, aWorker());
  await mirror.database.pool.query(`insert into mirror.walks (version, company_id, project_id, resource, lane, generations, place, kept_at)
    select -1, company_id, project_id, resource, lane, generations, '{}', kept_at - interval '1 minute' from mirror.walks`);
  await runAll('RFI Replies');
  expect(asked()).toBe(129);
});

test('a request that fails is the first of the next run', async () => {
  withReplies(129, [7]);
  const answer = procore.answer;
  let isBusy = true;
  procore.answer = (path, query) => {
    if (!isBusy || !path.includes('/rfis/5/')) return answer(path, query);
    isBusy = false;
    return { status: 429, headers: { 'retry-after': '0' } };
  };
  await mirror.hear('RFI Replies', [7]);
  await runAll('RFI Replies');
  expect(procore.calls).toHaveLength(131); // the list, 129 parents, and the one that failed
  expect(await isPending('RFI Replies')).toBe(false);
});

test('parents that are listed by their own parents are looked for in as many runs as it takes, and remembered', async () => {
  procore.answer = (path, query) => {
    if (path.endsWith('/purchase_order_contracts')) return { body: rfis.map((id) => ({ id })) };
    if (path.endsWith('/work_order_contracts')) return { body: [] };
    if (path.endsWith('/rfqs'))
      return { body: query.get('contract_id') === '128' ? [{ id: 500, title: 'Steel' }] : [] };
    return path.includes('/rfqs/500/quotes') ? { body: [{ id: 7 }] } : { status: 404 };
  };
  await mirror.hear('RFQ Quotes', [7]);
  const requests = await runAll('RFQ Quotes');
  expect(requests).toHaveLength(3);
  expect(Math.max(...requests)).toBe(CALLS_PER_RUN);
  expect(await mirror.rows('rfqs', 'id, contract_id')).toMatchObject([{ id: '500', contract_id: '128' }]);
  expect(await mirror.rows('rfq_quotes', 'id, rfq_id')).toMatchObject([{ id: '7', rfq_id: '500' }]);
});

test('children inside parents that must be shown one by one are looked for in as many runs as it takes', async () => {
  procore.answer = (path) => {
    if (path.endsWith('/meetings')) return { body: [{ group_title: 'June', meetings: rfis.map((id) => ({ id })) }] };
    const id = Number(path.split('/').at(-1));
    return { body: { id, attendees: id === 120 ? [{ id: 7 }] : [] } };
  };
  await mirror.hear('Meeting Attendees', [7]);
  expect(await runAll('Meeting Attendees')).toEqual([CALLS_PER_RUN, CALLS_PER_RUN, 21]);
  expect(await mirror.rows('meeting_attendees', 'id, meeting_id')).toMatchObject([{ id: '7', meeting_id: '120' }]);
});

const ready = () => mirror.database.pool.query('update mirror.pending set ready_at = now(), not_before = null');

async function runOften(resource: string, times: number): Promise<void> {
  for (let runs = 0; runs < times; runs += 1) {
    await ready();
    await mirror.run(resource, {}, aWorker());
  }
}

describe('a parent that does not answer', () => {
  const failing: [string, { status?: number; body?: unknown; text?: string }][] = [
    ...[400, 403, 408, 500, 503].map((status): (typeof failing)[number] => [String(status), { status }]),
    ['no sense', { body: { message: 'maintenance' } }],
    ['half an answer', { text: '[{"id": 7' }],
  ];

  test.each(failing)('is passed over, and the child found under the next one: %s', async (_, answer) => {
    procore.answer = (path) => {
      if (path.endsWith('/rfis')) return { body: [{ id: 1 }, { id: 2 }, { id: 3 }] };
      return path.includes('/rfis/2/') ? { body: [{ id: 7 }] } : answer;
    };
    await mirror.hear('RFI Replies', [7]);
    await runOften('RFI Replies', 2);
    expect(await mirror.rows('rfi_replies', 'id, rfi_id')).toMatchObject([{ id: '7', rfi_id: '2' }]);
    expect(await isPending('RFI Replies')).toBe(false);
  });

  test.each(failing)('hides nothing: %s', async (_, answer) => {
    procore.answer = (path) => {
      if (path.endsWith('/rfis')) return { body: [{ id: 1 }, { id: 2 }, { id: 3 }] };
      return path.includes('/rfis/2/') ? answer : { body: [] };
    };
    await mirror.hear('RFI Replies', [7]);
    await runOften('RFI Replies', 5);
    expect([await mirror.rows('rfi_replies'), await mirror.pendingIds()]).toEqual([[], ['7']]);
  });

  test('is one of many, which runs get behind', async () => {
    procore.answer = (path) => {
      if (path.endsWith('/rfis')) return { body: rfis.map((id) => ({ id })) };
      return path.includes('/rfis/129/') ? { body: [{ id: 7 }] } : { status: 403 };
    };
    await mirror.hear('RFI Replies', [7]);
    await runOften('RFI Replies', 20);
    expect(await mirror.rows('rfi_replies', 'rfi_id')).toMatchObject([{ rfi_id: '129' }]);
  });

  test('is like all others in an outage: a run asks a few', async () => {
    procore.answer = (path) => (path.endsWith('/rfis') ? { body: rfis.map((id) => ({ id })) } : { status: 500 });
    await mirror.hear('RFI Replies', [7]);
    await mirror.run('RFI Replies');
    expect(new Set(procore.calls.map((call) => call.split('?')[0])).size).toBeLessThan(6);
    expect(await mirror.pendingIds()).toEqual(['7']);
  });
});

describe('beside a parent that refuses us', () => {
  const contracts = Array.from({ length: 40 }, (_, index) => index + 1);
  const LINE_ITEMS = 'Purchase Order Contract Line Items';
  let refusing: Map<number, number>;
  let held: Map<number, number[]>;

  beforeEach(() => {
    refusing = new Map([[2, 403]]);
    held = new Map();
    procore.answer = (path) => {
      if (path.endsWith('/purchase_order_contracts')) return { body: contracts.map((id) => ({ id })) };
      const [, contract, id] = /contracts\/(\d+)\/line_items(?:\/(\d+))?/.exec(path) ?? [];
      const status = refusing.get(Number(contract));
      if (status !== undefined) return { status };
      const items = (held.get(Number(contract)) ?? []).map((one) => ({ id: one }));
      if (id === undefined) return { body: items };
      return items.some((item) => item.id === Number(id)) ? { body: { id: Number(id) } } : { status: 404 };
    };
  });

  const timesOf = (contract: number) =>
    procore.calls.filter((call) => call.includes(`/purchase_order_contracts/${contract}/`)).length;
  const others = () => procore.calls.length - timesOf(2);
  const hidden = () => mirror.rows('purchase_order_contract_line_items');
  const later = (interval: string) =>
    mirror.database.pool.query('update mirror.walks set kept_at = kept_at - $1::interval', [interval]);

  const WHOLE = 41; // two pages of the list, and 39 contracts

  test('the others are looked through once, and the child is concluded on when it answers', async () => {
    await mirror.hear(LINE_ITEMS, [901]);
    await runOften(LINE_ITEMS, 21);
    expect([timesOf(2), others()]).toEqual([21, WHOLE]);
    expect([await hidden(), await mirror.pendingIds()]).toEqual([[], ['901']]);
    expect((await mirror.database.pool.query('select from mirror.scopes')).rowCount).toBe(0);
    refusing.clear();
    await runOften(LINE_ITEMS, 1);
    expect([timesOf(2), others(), await hidden()]).toEqual([22, WHOLE, []]); // missed once
    await runOften(LINE_ITEMS, 1);
    expect([timesOf(2), others()]).toEqual([23, 2 * WHOLE]);
    expect(await hidden()).toEqual([{ id: '901', deleted: false, hidden: true }]);
    expect([await mirror.pendingIds(), await walks()]).toEqual([[], []]);
  });

  test('a child that it shows at last is found with one call', async () => {
    await mirror.hear(LINE_ITEMS, [901]);
    await runOften(LINE_ITEMS, 3);
    refusing.clear();
    held.set(2, [901]);
    procore.calls = [];
    await runOften(LINE_ITEMS, 1);
    expect([procore.calls.length, await isPending(LINE_ITEMS), await walks()]).toEqual([1, false, []]);
    expect(await hidden()).toEqual([{ id: '901', deleted: false, hidden: false }]);
  });

  test('one that is gone by now was looked through', async () => {
    await mirror.hear(LINE_ITEMS, [901]);
    await runOften(LINE_ITEMS, 3);
    refusing.set(2, 404);
    await runOften(LINE_ITEMS, 2);
    expect(await hidden()).toEqual([{ id: '901', deleted: false, hidden: true }]);
    expect(others()).toBe(2 * WHOLE);
  });

  test('that goes on for a day, then all are looked through once more', async () => {
    await mirror.hear(LINE_ITEMS, [901]);
    await runOften(LINE_ITEMS, 3);
    await later('23 hours 50 minutes');
    await runOften(LINE_ITEMS, 3);
    expect(others()).toBe(WHOLE);
    await later('11 minutes');
    await runOften(LINE_ITEMS, 3);
    expect([others(), timesOf(2)]).toEqual([2 * WHOLE, 9]);
  });

  test('news of the child makes its walk begin anew, and those of other children go on', async () => {
    await mirror.hear(LINE_ITEMS, [901, 902]);
    await runOften(LINE_ITEMS, 2);
    procore.calls = [];
    await mirror.hear(LINE_ITEMS, [901]);
    await ready();
    await mirror.database.pool.query(
      `update mirror.pending set ready_at = now() + interval '1 hour' where record_id = '902'`,
    );
    await mirror.run(LINE_ITEMS, {}, aWorker());
    expect([others(), timesOf(2)]).toEqual([WHOLE, 1]);
    await runOften(LINE_ITEMS, 5);
    expect([others(), timesOf(2), await walks()]).toMatchObject([WHOLE, 6, [{}]]);
  });

  test('a child that another run missed since is looked for under all: half a look before is no second one', async () => {
    await mirror.hear(LINE_ITEMS, [901]);
    await runOften(LINE_ITEMS, 2);
    await mirror.database.pool.query('update mirror.pending set absent_generation = generation, absent_at = now()');
    refusing.clear();
    await runOften(LINE_ITEMS, 1);
    expect(others()).toBe(2 * WHOLE);
    expect(await hidden()).toEqual([{ id: '901', deleted: false, hidden: true }]);
  });

  test('a child that was deleted is buried after two looks at the others', async () => {
    await mirror.hear(LINE_ITEMS, [901], { reason: 'delete' });
    await mirror.hear(LINE_ITEMS, [902]);
    await runOften(LINE_ITEMS, 6);
    expect([await hidden(), await mirror.pendingIds()]).toEqual([
      [{ id: '901', deleted: true, hidden: false }],
      ['902'],
    ]);
    expect([others(), timesOf(2)]).toEqual([2 * WHOLE, 6]);
  });

  test('children that come one by one cost a walk each, and then one call for each run', async () => {
    for (let id = 901; id <= 908; id += 1) {
      await mirror.hear(LINE_ITEMS, [id]);
      await mirror.run(LINE_ITEMS, {}, aWorker()); // those before have their pauses
    }
    expect([others(), timesOf(2), await walks()]).toMatchObject([8 * WHOLE, 8, [{}]]);
    procore.calls = [];
    await runOften(LINE_ITEMS, 20);
    expect([others(), timesOf(2), await walks()]).toMatchObject([0, 20, [{}]]);
    await mirror.hear(LINE_ITEMS, [909]);
    await runOften(LINE_ITEMS, 5);
    expect([others(), timesOf(2)]).toEqual([WHOLE, 25]);
    await later('25 hours');
    await runOften(LINE_ITEMS, 5);
    expect([others(), timesOf(2)]).toEqual([2 * WHOLE, 30]);
    refusing.clear();
    held.set(2, [905]);
    await runOften(LINE_ITEMS, 2);
    expect(await isPending(LINE_ITEMS)).toBe(false);
    expect((await hidden()).filter((row) => row.hidden === false)).toMatchObject([{ id: '905' }]);
    expect((await hidden()).length).toBe(9);
  });

  test('children that come together are looked for together', async () => {
    await mirror.hear(
      LINE_ITEMS,
      Array.from({ length: 20 }, (_, index) => 901 + index),
    );
    await runOften(LINE_ITEMS, 10);
    expect([others(), timesOf(2)]).toEqual([WHOLE, 10]);
  });

  test('many that refuse are asked once each, round after round, and nothing is parked while another answers', async () => {
    for (let id = 11; id <= 40; id += 1) refusing.set(id, id % 2 === 0 ? 403 : 500);
    const last = () => timesOf(40);
    await mirror.hear(LINE_ITEMS, [901]);
    await runOften(LINE_ITEMS, 5);
    expect((await mirror.database.pool.query('select from mirror.scopes')).rowCount).toBe(0);
    expect([timesOf(1), timesOf(3)]).toEqual([1, 1]);
    expect(last()).toBeGreaterThan(1);
    refusing.clear();
    await runOften(LINE_ITEMS, 4);
    expect(await hidden()).toEqual([{ id: '901', deleted: false, hidden: true }]);
  });

  test('an outage while only it is left conceals nothing: it is asked with the pauses of the child', async () => {
    await mirror.hear(LINE_ITEMS, [901]);
    await runOften(LINE_ITEMS, 1);
    const answer = procore.answer;
    procore.calls = [];
    procore.answer = () => ({ status: 500 });
    await runOften(LINE_ITEMS, 3);
    expect(await mirror.pendingIds()).toEqual(['901']);
    procore.answer = answer;
    refusing.clear();
    await runOften(LINE_ITEMS, 2);
    expect(await hidden()).toEqual([{ id: '901', deleted: false, hidden: true }]);
    expect(others()).toBe(WHOLE);
  });
});

test('a walk that is under way goes on while another waits for a parent that refuses us', async () => {
  withReplies(131, []);
  const answer = procore.answer;
  procore.answer = (path, query) => (path.includes('/rfis/3/') ? { status: 403 } : answer(path, query));
  await mirror.hear('RFI Replies', [7]);
  await runOften('RFI Replies', 3);
  procore.calls = [];
  await mirror.hear('RFI Replies', [8]);
  await mirror.run('RFI Replies', {}, aWorker()); // of 8 alone: 7 has its pause
  await ready();
  await mirror.run('RFI Replies', {}, aWorker());
  expect(await walks()).toHaveLength(2);
  expect(procore.calls).toHaveLength(2 * CALLS_PER_RUN);
  await runOften('RFI Replies', 1);
  expect(await walks()).toHaveLength(1);
  expect(procore.calls).toHaveLength(131); // the list, and each parent once
  await runOften('RFI Replies', 4);
  expect(procore.calls).toHaveLength(135);
});

test('a child that waits is not taken for missed where only others were looked for', async () => {
  let refuses = true;
  const filters: string[] = [];
  procore.answer = (path, query) => {
    if (/(work_order|prime)_contracts$/.test(path)) return { body: [] };
    if (path.endsWith('/purchase_order_contracts')) return { body: [{ id: 3 }, { id: 4 }] };
    if (!path.endsWith('/change_order_requests')) return { status: 404 };
    if (query.get('contract_id') !== '3') return { body: [] };
    filters.push(query.getAll('filters[id][]').join());
    return refuses ? { status: 403 } : { body: [] };
  };
  await mirror.hear('Change Order Requests', [50, 51]);
  await runOften('Change Order Requests', 1);
  refuses = false;
  await ready();
  await mirror.database.pool.query(
    `update mirror.pending set ready_at = now() + interval '1 hour' where record_id = '50'`,
  );
  for (let runs = 0; runs < 2; runs += 1) await mirror.run('Change Order Requests', {}, aWorker());
  expect(await mirror.pendingIds()).toEqual(['50']);
  filters.length = 0;
  await runOften('Change Order Requests', 2);
  expect(filters).toEqual(['50', '50']);
  expect((await mirror.rows('change_order_requests')).map(({ hidden }) => hidden)).toEqual([true, true]);
});

describe('a list of parents', () => {
  test('that refuses us is asked again, and none of the parents that others named', async () => {
    let ofWorkOrders: { status?: number; body?: unknown } = { status: 403 };
    procore.answer = (path, query) => {
      if (path.endsWith('/work_order_contracts')) return ofWorkOrders;
      if (path.endsWith('/purchase_order_contracts')) return { body: rfis.slice(0, 20).map((id) => ({ id })) };
      if (path.endsWith('/rfqs/7')) return { body: { id: 7 } };
      return { body: query.get('contract_id') === '200' ? [{ id: 7 }] : [] };
    };
    await mirror.hear('RFQs', [7]);
    await runOften('RFQs', 1);
    procore.calls = [];
    await runOften('RFQs', 5);
    expect(procore.calls.length).toBe(5);
    ofWorkOrders = { body: [{ id: 200 }] };
    await runOften('RFQs', 1);
    expect(procore.calls.length).toBe(5 + 2); // the list, and the one contract that it names
    expect(await mirror.rows('rfqs', 'contract_id')).toMatchObject([{ contract_id: '200' }]);
    expect(await mirror.pendingIds()).toEqual([]);
  });

  test('that did not come to its end hides no child', async () => {
    procore.answer = (path, query) => {
      const headers = { link: `<${path}?page=${Number(query.get('page') ?? 1) + 1}>; rel="next"` };
      return path.endsWith('/rfis') ? { body: [{ id: 1 }, { id: 2 }], headers } : { body: [] };
    };
    await mirror.hear('RFI Replies', [50]);
    await runOften('RFI Replies', 4);
    expect([await mirror.rows('rfi_replies'), await mirror.pendingIds()]).toEqual([[], ['50']]);
  });

  test.each([{ body: { message: 'maintenance' } }, { status: 500 }, { status: 403 }])(
    'that does not answer keeps no child from being found under another kind: %o',
    async (answer) => {
      procore.answer = (path) => {
        if (path.endsWith('/purchase_order_contracts')) return answer;
        if (path.endsWith('/work_order_contracts')) return { body: [{ id: 3 }] };
        const request = { id: 50, contract_id: 3 };
        if (path.endsWith('/change_order_requests/50')) return { body: request };
        return { body: path.endsWith('/change_order_requests') ? [request] : [] };
      };
      await mirror.hear('Change Order Requests', [50]);
      await runOften('Change Order Requests', 3);
      expect((await mirror.rows('change_order_requests')).map(({ id }) => id)).toEqual(['50']);
      expect(await mirror.pendingIds()).toEqual([]);
    },
  );
});
