// Lists that lie: whatever their headers say, their records come, nothing is hidden because of them, and what was learnt of them
// is kept.
import { createProcoreClient } from '@procore-mirror/procore';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { backfillResource } from '../backfill-resource.ts';
import type { KeptFill } from '../fetch/fill-place.ts';
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

const COMPANY = { projectId: null };
const OF_COMPANY = { project_id: '' };
const REASONS = 'Change Order Change Reasons';

type Headers = (page: { number: number; size: number; total: number; isLast: boolean }) => Record<string, string>;
type List = { headers?: Headers; refuses?: (perPage: number) => number | null; cap?: number };

/** A list of records with these ids, in pages, in the form of its path. */
function listOf(ids: () => readonly number[], { headers = () => ({}), refuses = () => null, cap = 1000 }: List = {}) {
  return (path: string, query: URLSearchParams) => {
    if (/\/\d+$/.test(path))
      return ids().includes(Number(path.split('/').at(-1)))
        ? { body: { id: path.split('/').at(-1) } }
        : { status: 404 };
    const perPage = Number(query.get('per_page') ?? 10);
    const refused = refuses(perPage);
    if (refused !== null) return { status: refused };
    const asked = query.getAll('filters[id][]').map(Number);
    const all = asked.length === 0 ? ids() : ids().filter((id) => asked.includes(id));
    const size = Math.min(perPage, cap);
    const number = Number(query.get('page') ?? 1);
    const items = all.slice((number - 1) * size, number * size).map((id) => ({ id, name: `of ${id}` }));
    const page = { number, size, total: all.length, isLast: number * size >= all.length };
    return { body: path.startsWith('/rest/v2') ? { data: items } : items, headers: headers(page) };
  };
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
const ready = () => mirror.database.pool.query('update mirror.pending set ready_at = now(), not_before = null');
const deadLetters = async () => (await mirror.database.pool.query('select detail from mirror.dead_letters')).rows;

async function fill(resource: string, own = {}) {
  const isCompany = resource === REASONS || resource === 'Trades';
  const key = { companyId: '1', projectId: isCompany ? null : '7', resource };
  const options = { signal: AbortSignal.timeout(60_000), now: new Date() };
  return backfillResource({ ...mirror.settings, ...own }, key, options);
}

/** A client that takes answers of a thousand bytes. */
function smallClient() {
  const client = createProcoreClient({
    ...{ apiUrl: new URL(procore.url), token: procore.token, refuseToken: () => {}, sleep: async () => {} },
    maxAnswerBytes: 1000,
  });
  return { client, [Symbol.asyncDispose]: client.close };
}

async function knownLists() {
  const { rows } = await mirror.database.pool.query(
    `select page_size, total_difference::int, total_readings from mirror.lists order by resource, parent_id nulls first`,
  );
  return rows;
}

/** Runs a batch of company resources again and again, as time goes by. */
async function runOften(times: number, own = {}) {
  for (let runs = 0; runs < times; runs += 1) {
    await ready();
    await mirror.run(REASONS, COMPANY, own);
  }
}

const HIDDEN = { deleted: false, hidden: true };

/** All records come, whatever is asked for. */
function unpaged(ids: () => readonly number[], headers: (total: number) => Record<string, string> = () => ({})) {
  return (path: string) => {
    const items = ids().map((id) => ({ id, name: `of ${id}` }));
    return { body: path.startsWith('/rest/v2') ? { data: items } : items, headers: headers(ids().length) };
  };
}

const link: Headers = ({ number, size, isLast }): Record<string, string> =>
  isLast ? {} : { link: `<?page=${number + 1}&per_page=${size}>; rel="next"` };
const ofOtherHost: Headers = (page): Record<string, string> =>
  page.isLast
    ? {}
    : {
        link: `<https://api.example.com/rest/v1.0/projects/7/locations?page=${page.number + 1}&per_page=${page.size}>; rel="next"`,
      };

describe('a fill brings all records', () => {
  const kinds: [string, List][] = [
    ['without headers', {}],
    ['of Total alone', { headers: ({ total }) => ({ total: String(total) }) }],
    ['of Per-Page alone', { headers: ({ size }) => ({ 'per-page': String(size) }) }],
    ['of a Total that counts the page', { headers: ({ size }) => ({ total: String(size), 'per-page': String(size) }) }],
    ['of links', { headers: link }],
    ['of links to another host', { headers: ofOtherHost }],
    ['of links that go on for ever', { headers: (page) => link({ ...page, isLast: false }) }],
    ['of at most 40 to a page', { cap: 40, headers: ({ size }) => ({ 'per-page': String(size) }) }],
    ['of a Total above what comes', { headers: () => ({ total: '900' }) }],
    ['of which pages above 30 fail', { refuses: (size) => (size > 30 ? 500 : null) }],
    ['of at most 40 to a page, and links that say so', { cap: 40, headers: link }],
  ];
  test.each(kinds)('%s', async (_, list) => {
    procore.answer = listOf(() => upTo(250), list);
    expect(await fill('Locations')).toEqual({ stored: 250, pending: 0 });
    expect(await mirror.rows('locations')).toHaveLength(250);
  });

  test.each(kinds)('and marks each pending where a list carries part of it: %s', async (_, list) => {
    procore.answer = listOf(() => upTo(250), list);
    expect(await fill('RFIs')).toEqual({ stored: 0, pending: 250 });
    expect(await mirror.pendingIds()).toHaveLength(250);
  });

  test.each(kinds)('also when it stops after each page, and another goes on: %s', async (_, list) => {
    procore.answer = listOf(() => upTo(250), list);
    let place: unknown = null;
    let starts = 0;
    const stopping = {
      parents: null,
      attempts: 0,
      isLastTry: false,
      areParentsFilled: async () => false,
      keepParents: async () => {},
    };
    const fillOnce = async () => {
      starts += 1;
      const keep: KeptFill['keep'] = async (_client, news) => {
        const before = JSON.stringify(place);
        place = JSON.parse(JSON.stringify(news.place));
        if (starts < 100 && JSON.stringify(place) !== before) queueMicrotask(() => stop.abort(new Error('stopped')));
      };
      const stop = new AbortController();
      const options = { signal: stop.signal, now: new Date(), kept: { ...stopping, place, keep } };
      return backfillResource(mirror.settings, { companyId: '1', projectId: '7', resource: 'Locations' }, options);
    };
    let filled: Awaited<ReturnType<typeof fillOnce>> | null = null;
    while (filled === null && starts < 110) filled = await fillOnce().catch(() => null);
    expect(filled).toEqual({ stored: 250, pending: 0 });
    expect(await mirror.rows('locations')).toHaveLength(250);
    expect(starts).toBeGreaterThan(1);
    expect(starts).toBeLessThan(100);
  });
});

describe('a list without pages', () => {
  test.each([10, 17, 20, 50])('is filled, however many records it has: %i', async (records) => {
    procore.answer = unpaged(() => upTo(records));
    expect(await fill('Locations')).toEqual({ stored: records, pending: 0 });
  });

  test('hides what it lacks in the end', async () => {
    procore.answer = unpaged(() => upTo(20));
    await mirror.hear(REASONS, [99], OF_COMPANY);
    await runOften(4);
    expect(await mirror.rows('change_order_change_reasons')).toContainEqual({ id: '99', ...HIDDEN });
    expect([await mirror.pendingIds(), await deadLetters()]).toEqual([[], []]);
  });
});

describe('a record that is there is not hidden', () => {
  const lists: [string, List][] = [
    [
      'its Total is below what came, and 40 come to a page without a word',
      { cap: 40, headers: () => ({ total: '7' }) },
    ],
    [
      'its Total counts the page, and 40 come to a page without a word',
      { cap: 40, headers: ({ size }) => ({ total: String(size) }) },
    ],
    ['a page in its middle has lost its link', { headers: (page) => (page.number === 2 ? {} : link(page)) }],
  ];
  test.each(lists)('though %s', async (_, list) => {
    procore.answer = listOf(() => upTo(350), list);
    await mirror.hear(REASONS, [90, 300], OF_COMPANY);
    await runOften(3);
    const row = { deleted: false, hidden: false };
    for (const id of ['90', '300'])
      expect(await mirror.rows('change_order_change_reasons')).toContainEqual({ id, ...row });
  });
});

test('a Total that counts the page, another on the last, keeps nothing from being concluded', async () => {
  procore.answer = (path, query) => {
    const { body } = listOf(() => upTo(250))(path, query) as { body: { data: unknown[] } };
    return { body, headers: { total: String(body.data.length) } };
  };
  await mirror.hear(REASONS, [999], OF_COMPANY);
  await runOften(4);
  expect(await mirror.rows('change_order_change_reasons')).toContainEqual({ id: '999', ...HIDDEN });
  expect(await deadLetters()).toEqual([]);
});

test('what is added before a list of just a page while a fill reads it comes, too', async () => {
  let ids = upTo(100);
  procore.answer = (path, query) => {
    const page = listOf(() => ids)(path, query);
    if (procore.calls.length === 1) ids = [101, ...ids];
    return page;
  };
  await fill('Locations');
  expect(await mirror.rows('locations')).toHaveLength(101);
});

test('of a list whose first record cannot be shown all others come, and the fill says so', async () => {
  const list = listOf(() => upTo(50));
  procore.answer = (path, query) => (Number(query.get('page') ?? 1) === 1 ? { status: 500 } : list(path, query));
  await expect(fill('Locations')).rejects.toThrow('one of its records cannot be read');
  expect(await mirror.rows('locations')).toHaveLength(49);
});

describe('ids that are spelled as fractions', () => {
  test('in a list are ids', async () => {
    procore.answer = () => ({ text: '[{"id": 1, "name": "a"}, {"id": 50.0, "name": "b"}]' });
    expect(await fill('Locations')).toEqual({ stored: 2, pending: 0 });
    expect((await mirror.rows('locations')).map(({ id }) => id)).toEqual(['1', '50']);
  });

  test('in a show are ids', async () => {
    procore.answer = () => ({ text: '{"id": 50.0, "name": "b"}' });
    await mirror.hear('Locations', [50]);
    await mirror.run('Locations');
    expect([procore.calls.length, await mirror.pendingIds()]).toEqual([1, []]);
    expect(await mirror.rows('locations')).toEqual([{ id: '50', deleted: false, hidden: false }]);
  });

  test('or are larger than any are none, and the fill says so', async () => {
    procore.answer = () => ({ text: '[{"id": 1}, {"id": 99999999999999999999}]' });
    await expect(fill('Locations')).rejects.toThrow('1 of 2 elements have no id');
    expect(await mirror.rows('locations')).toHaveLength(1);
  });
});

describe('a Total above what comes', () => {
  const above =
    (by: () => number): Headers =>
    ({ total }) => ({ total: String(total + by()) });

  test('by the same number twice is a habit: a fill then takes one reading', async () => {
    procore.answer = listOf(() => upTo(50), { headers: above(() => 3) });
    await fill('Locations');
    expect(procore.calls.filter((call) => !call.includes('&page='))).toHaveLength(2);
    expect(await knownLists()).toEqual([{ page_size: null, total_difference: 3, total_readings: 2 }]);
    procore.calls = [];
    await fill('Locations');
    expect(procore.calls.filter((call) => !call.includes('&page='))).toHaveLength(1);
  });

  test('is forgotten when it is so no more, and learnt anew when it is another', async () => {
    let by = 3;
    procore.answer = listOf(() => upTo(50), { headers: above(() => by) });
    await fill('Locations');
    by = 4;
    await fill('Locations');
    expect(await knownLists()).toEqual([{ page_size: null, total_difference: 4, total_readings: 2 }]);
    by = 0;
    await fill('Locations');
    expect(await knownLists()).toEqual([{ page_size: null, total_difference: null, total_readings: 0 }]);
  });

  test.each([-3, 3, 1000])('keeps no deletion from being applied: %i', async (by) => {
    let ids = upTo(5);
    procore.answer = listOf(() => ids, { headers: above(() => by) });
    await mirror.hear(REASONS, [2, 3], OF_COMPANY);
    await mirror.run(REASONS, COMPANY);
    ids = [1, 2, 4, 5];
    await mirror.hear(REASONS, [3], { ...OF_COMPANY, reason: 'delete' });
    procore.calls = [];
    await mirror.run(REASONS, COMPANY);
    expect(await mirror.rows('change_order_change_reasons')).toContainEqual({ id: '3', deleted: true, hidden: false });
    expect(await mirror.pendingIds()).toEqual([]);
    expect(procore.calls.length).toBeLessThan(3);
    expect(await deadLetters()).toEqual([]);
  });

  const beyond: [string, (records: number) => ScriptedProcore['answer']][] = [
    [
      'is the same page',
      (records) =>
        unpaged(
          () => upTo(records),
          (total) => ({ total: String(total + 3) }),
        ),
    ],
    ...[400, 404, 422].map((status): (typeof beyond)[number] => [
      `is answered ${status}`,
      (records) => (path, query) =>
        Number(query.get('page') ?? 1) > 1
          ? { status }
          : listOf(() => upTo(records), { headers: above(() => 3) })(path, query),
    ]),
  ];
  test.each(beyond)('is learnt as a habit where what is beyond the end %s', async (_, answerOf) => {
    procore.answer = answerOf(17);
    expect(await fill('Locations')).toEqual({ stored: 17, pending: 0 });
    expect(await knownLists()).toMatchObject([{ total_difference: 3, total_readings: 2 }]);
    procore.answer = answerOf(5);
    await mirror.hear(REASONS, [99], OF_COMPANY);
    await runOften(4);
    expect(await mirror.rows('change_order_change_reasons')).toContainEqual({ id: '99', ...HIDDEN });
    expect(await deadLetters()).toEqual([]);
  });

  test('as usual keeps back nothing that shows since', async () => {
    let visible = 40;
    procore.answer = listOf(() => upTo(visible), { cap: 40, headers: () => ({ total: '80' }) });
    await fill('Trades');
    visible = 80;
    await fill('Trades');
    expect(await mirror.rows('trades')).toHaveLength(80);
  });

  test('hides what two readings lack, once it is a habit', async () => {
    procore.answer = listOf(() => [1, 2], { headers: above(() => 1) });
    await mirror.hear(REASONS, [1, 2, 9], OF_COMPANY);
    for (let runs = 0; runs < 4; runs += 1) {
      await ready();
      await mirror.run(REASONS, COMPANY);
    }
    expect(await mirror.rows('change_order_change_reasons')).toContainEqual({ id: '9', deleted: false, hidden: true });
    expect(await mirror.pendingIds()).toEqual([]);
  });

  test('by another number each time hides nothing', async () => {
    let by = 1;
    procore.answer = listOf(() => [1, 2], { headers: above(() => (by += 1)) });
    await mirror.hear(REASONS, [1, 2, 9], OF_COMPANY);
    for (let runs = 0; runs < 4; runs += 1) {
      await ready();
      await mirror.run(REASONS, COMPANY);
    }
    expect(await mirror.rows('change_order_change_reasons')).toMatchObject([{ id: '1' }, { id: '2' }]);
    expect(await mirror.pendingIds()).toEqual(['9']);
  });

  test.each(['3000000000', '999999999999999'])('may be of any size: %s', async (total) => {
    procore.answer = listOf(() => upTo(5), { headers: () => ({ total }) });
    expect(await fill('Locations')).toEqual({ stored: 5, pending: 0 });
    await mirror.hear(REASONS, [1], OF_COMPANY);
    await mirror.run(REASONS, COMPANY);
    expect(await mirror.pendingIds()).toEqual([]);
  });

  test('is learnt of each parent alone', async () => {
    procore.answer = (path, query) => {
      if (path.endsWith('/rfis')) return listOf(() => [1, 2])(path, query);
      const isFirst = path.includes('/rfis/1/');
      return listOf(() => (isFirst ? [5] : [6, 7]), { headers: above(() => (isFirst ? 2 : 0)) })(path, query);
    };
    await fill('RFIs');
    await fill('RFI Replies');
    const { rows } = await mirror.database.pool.query(
      'select resource, parent_id, total_difference::int from mirror.lists',
    );
    expect(rows).toEqual([{ resource: 'RFI Replies', parent_id: '1', total_difference: 2 }]);
  });
});

describe('a list in groups', () => {
  test.each([
    ['one group', (ids: readonly number[]) => [{ meetings: ids.map((id) => ({ id })) }]],
    ['a group for each', (ids: readonly number[]) => ids.map((id) => ({ meetings: [{ id }] }))],
  ])('is read to its end: %s', async (_, grouped) => {
    for (const headers of [{}, { 'per-page': '100' }, { total: '250' }]) {
      procore.answer = (path, query) => {
        const page = listOf(() => upTo(250))(path, query);
        const items = 'body' in page && Array.isArray(page.body) ? (page.body as { id: number }[]) : [];
        return { body: items.length === 0 ? [] : grouped(items.map(({ id }) => id)), headers };
      };
      expect(await fill('Meetings')).toEqual({ stored: 0, pending: 250 });
      await mirror.clear();
    }
  });
});

describe('children', () => {
  test('of all parents are filled, though the list of one makes no sense; that is said at the end', async () => {
    procore.answer = (path, query) => {
      if (path.endsWith('/rfis')) return listOf(() => upTo(5))(path, query);
      const parent = Number(path.split('/').at(-2));
      if (parent === 1) return { body: [{ id: 10 }], headers: { link: `<${path}?per_page=100>; rel="next"` } };
      return parent === 2 ? { body: { message: 'maintenance' } } : listOf(() => [parent * 10])(path, query);
    };
    await fill('RFIs');
    await expect(fill('RFI Replies')).rejects.toThrow('RFI Replies');
    expect((await mirror.rows('rfi_replies')).map(({ id }) => id)).toEqual(['10', '30', '40', '50']);
  });

  const OF_ONE: [string, () => { status?: number; body?: unknown; headers?: Record<string, string> }][] = [
    ...[400, 403, 500, 503].map((status): (typeof OF_ONE)[number] => [`is answered ${status}`, () => ({ status })]),
    ['is too large', () => ({ body: [{ id: 10, body: 'x'.repeat(2000) }] })],
    ['makes no sense', () => ({ body: { message: 'maintenance' } })],
  ];
  test.each(OF_ONE)(
    'of all parents are filled, though the list of one %s; that is said at the end',
    async (_, ofOne) => {
      await using small = smallClient();
      procore.answer = (path, query) => {
        if (path.endsWith('/rfis')) return listOf(() => upTo(5))(path, query);
        const parent = Number(path.split('/').at(-2));
        return parent === 3 ? ofOne() : listOf(() => [parent * 10])(path, query);
      };
      await fill('RFIs');
      await expect(fill('RFI Replies', small)).rejects.toThrow(
        /RFI Replies of some parents.*rfis\/3|list of RFI Replies/,
      );
      expect((await mirror.rows('rfi_replies')).map(({ id }) => id)).toEqual(['10', '20', '40', '50']);
    },
  );

  test.each([
    [500, 3],
    [403, 10],
    [429, 1],
    [401, 2],
  ])('are no longer asked for where no parent answers, but %i', async (status, fewest) => {
    procore.answer = listOf(() => upTo(40));
    await fill('RFIs');
    procore.calls = [];
    procore.answer = (path) => (path.endsWith('/replies') ? { status } : { body: [] });
    await expect(fill('RFI Replies')).rejects.toMatchObject({ status });
    const asked = procore.calls.map((call) => call.split('?')[0] ?? '').filter((path) => path.endsWith('/replies'));
    expect(new Set(asked).size).toBeLessThanOrEqual(fewest);
  });

  test('of many parents that refuse are passed over, as long as others answer', async () => {
    procore.answer = listOf(() => upTo(40));
    await fill('RFIs');
    procore.answer = (path, query) => {
      if (path.endsWith('/rfis')) return listOf(() => upTo(40))(path, query);
      const parent = Number(path.split('/').at(-2));
      return parent > 5 && parent < 35 ? { status: 403 } : listOf(() => [parent])(path, query);
    };
    await expect(fill('RFI Replies')).rejects.toThrow('26 more');
    expect(await mirror.rows('rfi_replies')).toHaveLength(11);
  });

  test('are in doubt where the list of their parents did not come to its end', async () => {
    procore.answer = (path, query) => {
      const headers = { link: `<${path}?page=${Number(query.get('page') ?? 1) + 1}>; rel="next"` };
      if (path.endsWith('/rfis')) return { body: [{ id: 1 }, { id: 2 }], headers };
      return listOf(() => [Number(path.split('/').at(-2)) * 10])(path, query);
    };
    await expect(fill('RFI Replies')).rejects.toThrow('the listing of RFIs');
    expect(await mirror.rows('rfi_replies')).toHaveLength(2);
  });

  test('whose parents only a list names are shown when its page was let go', async () => {
    const records = [50, 51].map((id) => ({ id, contract_id: 3 }));
    procore.answer = (path) => {
      if (path.endsWith('/change_order_requests')) return { body: records };
      if (path.endsWith('/purchase_order_contracts')) return { body: [{ id: 3 }] };
      const shown = records.find(({ id }) => path.endsWith(`/change_order_requests/${id}`));
      return shown === undefined ? { body: [] } : { body: shown };
    };
    await mirror.hear('Change Order Requests', [50, 51]);
    for (let runs = 0; runs < 3; runs += 1) {
      await ready();
      await mirror.run('Change Order Requests');
    }
    expect((await mirror.rows('change_order_requests')).map(({ id }) => id)).toEqual(['50', '51']);
  });
});

describe('a list that ends in doubt', () => {
  const endless = (): { body: unknown; headers: Record<string, string> } => ({
    body: { data: [{ id: 1 }, { id: 2 }] },
    headers: { link: `<?page=${procore.calls.length + 1}>; rel="next"` },
  });

  test('because its pages repeat takes two calls and hides nothing; a deletion counts the second time', async () => {
    procore.answer = listOf(() => [1, 2, 3, 4]);
    await mirror.hear(REASONS, [1, 2, 3, 4], OF_COMPANY);
    await mirror.run(REASONS, COMPANY);
    procore.answer = endless;
    procore.calls = [];
    await mirror.hear(REASONS, [3], { ...OF_COMPANY, reason: 'delete' });
    await mirror.hear(REASONS, [4], OF_COMPANY);
    await mirror.run(REASONS, COMPANY);
    expect(procore.calls).toHaveLength(2);
    const row = { deleted: false, hidden: false };
    expect(await mirror.rows('change_order_change_reasons')).toEqual(upTo(4).map((id) => ({ id: String(id), ...row })));
    await ready();
    await mirror.run(REASONS, COMPANY);
    expect(await mirror.rows('change_order_change_reasons')).toContainEqual({ ...row, id: '3', deleted: true });
    expect(await mirror.pendingIds()).toEqual(['4']);
  });
});

describe('the size of a page', () => {
  const firstPerPage = () => Number(new URLSearchParams(procore.calls[0]?.split('?')[1]).get('per_page'));
  const pageSize = async () => (await knownLists())[0]?.page_size ?? null;

  test('that is answered is kept, a larger one tried after a day and forgotten when all are', async () => {
    let largest = 25;
    procore.answer = listOf(() => upTo(250), { refuses: (size) => (size > largest ? 500 : null) });
    await fill('Locations');
    const known = await pageSize();
    expect(known).toBeGreaterThan(5);
    expect(known).toBeLessThan(26);
    procore.calls = [];
    await fill('Locations');
    expect(firstPerPage()).toBe(known);
    expect(procore.calls).toHaveLength(Math.floor(250 / known) + 1);
    largest = 1000;
    await mirror.database.pool.query('update mirror.lists set larger_page_at = now()');
    procore.calls = [];
    await fill('Locations');
    expect(firstPerPage()).toBe(2 * known);
    for (let readings = 0; readings < 2; readings += 1) await fill('Locations');
    expect(await pageSize()).toBeNull();
    expect(await mirror.rows('locations')).toHaveLength(250);
  });

  test('shrinks for lists by ids, too', async () => {
    procore.answer = listOf(() => upTo(60), { refuses: (size) => (size > 10 ? 500 : null) });
    await mirror.hear('Locations', upTo(60));
    for (let runs = 0; runs < 3; runs += 1) {
      await ready();
      await mirror.run('Locations');
    }
    expect(await mirror.rows('locations')).toHaveLength(60);
    expect(await mirror.pendingIds()).toEqual([]);
  });

  test('shrinks where answers are larger than we take', async () => {
    await using small = smallClient();
    procore.answer = listOf(() => upTo(90));
    await fill('Locations', small);
    expect(await mirror.rows('locations')).toHaveLength(90);
    expect(await pageSize()).toBeGreaterThan(9);
    expect(procore.calls.length).toBeLessThan(15);
  });

  test('is not small for a day because one trial failed', async () => {
    let calls = 0;
    const isOut = () => {
      calls += 1;
      return [1, 2, 3, 6].includes(calls);
    };
    procore.answer = listOf(() => upTo(1000), { refuses: () => (isOut() ? 500 : null) });
    for (let fills = 0; fills < 2; fills += 1) {
      procore.calls = [];
      await fill('Locations', { pageSize: 1000 });
      expect(procore.calls.length).toBeLessThan(20);
    }
  });

  test('is not to blame where Procore fails for any', async () => {
    procore.answer = () => ({ status: 500 });
    await expect(fill('Locations')).rejects.toMatchObject({ status: 500 });
    expect(await knownLists()).toEqual([]);
  });

  test.each([429, 503, 403, 500])('that was not answered is not kept: %i', async (status) => {
    procore.answer = listOf(() => upTo(90), { refuses: (size) => (size > 25 ? 500 : null) });
    await fill('Locations');
    const known = await pageSize();
    await mirror.database.pool.query('update mirror.lists set larger_page_at = now()');
    procore.answer = () => ({ status });
    await expect(fill('Locations')).rejects.toMatchObject({ status });
    expect(await pageSize()).toBe(known);
  });

  test('tells the planner what a list costs', async () => {
    await mirror.database.pool.query(
      `insert into mirror.lists (company_id, project_id, resource, page_size, larger_page_at)
        values (1, null, 'Trades', 10, now() + interval '1 day')`,
    );
    procore.answer = listOf(() => upTo(90));
    await fill('Trades');
    procore.calls = [];
    await mirror.hear('Trades', [1, 2, 3], OF_COMPANY);
    await mirror.run('Trades', COMPANY);
    expect(procore.calls.length).toBeLessThan(4);
  });
});
