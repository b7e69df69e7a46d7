// Lists of records whose headers tell the truth, nothing or something else: what comes, and after how many requests.
import { afterEach, describe, expect, test } from 'vitest';
import { answer, type LocalServer, startLocalServer } from './local-server.ts';
import type { AnsweredSize } from './page-sizes.ts';
import type { ProcoreAnswer } from './procore-answer.ts';
import { createProcoreClient, type ProcoreClient } from './procore-client.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

type List = {
  records: number;
  /** More than so many do not come on a page, whatever is asked for. */
  cap?: number;
  headers?: (page: { number: number; size: number; isLast: boolean }) => Record<string, string>;
  /** The status for a page of this size, if it is not answered. */
  refuses?: (size: number, offset: number) => number | null;
  /** The bytes of a record. */
  bytes?: (id: number) => number;
  pages?: boolean;
};

async function aList(options: List): Promise<{ server: LocalServer; client: ProcoreClient }> {
  const server = await startLocalServer((response, request, index) => {
    const query = new URL(request.url, 'http://a').searchParams;
    const size =
      options.pages === false
        ? options.records
        : Math.min(Number(query.get('per_page')), options.cap ?? options.records + 1);
    const number = options.pages === false ? 1 : Number(query.get('page') ?? 1);
    const offset = (number - 1) * size;
    const refused = options.refuses?.(Number(query.get('per_page')), offset) ?? null;
    if (refused !== null) return answer(refused)(response, request, index);
    const ids = Array.from(
      { length: Math.max(0, Math.min(size, options.records - offset)) },
      (_, at) => offset + at + 1,
    );
    const headers = options.headers?.({ number, size, isLast: offset + size >= options.records }) ?? {};
    const body = ids.map((id) => ({ id, text: 'x'.repeat(options.bytes?.(id) ?? 0) }));
    return answer(200, JSON.stringify(body), headers)(response, request, index);
  });
  return { server, client: clientOf(server) };
}

function clientOf(server: LocalServer): ProcoreClient {
  const client = createProcoreClient({
    apiUrl: server.url,
    token: async () => 'a-token',
    refuseToken: () => {},
    sleep: async () => {},
    maxAnswerBytes: 100_000,
  });
  closing.push(server.close, client.close);
  return client;
}

const read = ({ text }: ProcoreAnswer) => {
  const items: { id: number }[] = JSON.parse(String(text.bytes));
  return { ids: items.map(({ id }) => String(id)), records: items.length, groups: items.length };
};

async function idsOf(client: ProcoreClient, perPage = 1000, answeredPerPage?: number) {
  const ids: number[] = [];
  const doubts: string[] = [];
  const sizes: number[] = [];
  const options = {
    ...{ companyId: '42', perPage, answeredPerPage, read },
    onDoubt: (issue: string) => doubts.push(issue),
    onPageSize: ({ size, hasFailed }: AnsweredSize) => {
      if (hasFailed && sizes.at(-1) !== size) sizes.push(size);
    },
  };
  for await (const page of client.pages('/list', options)) ids.push(...page.ids.map(Number));
  return { ids: [...new Set(ids)].toSorted((a, b) => a - b), doubts, sizes };
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

const next = ({ number, isLast }: { number: number; isLast: boolean }): Record<string, string> =>
  isLast ? {} : { link: `</list?page=${number + 1}&per_page=1000>; rel="next"` };

describe('2,500 records come', () => {
  const told: [string, List['headers'], number][] = [
    ['without headers', undefined, 3],
    ['Total alone', () => ({ total: '2500' }), 3],
    ['Per-Page alone', () => ({ 'per-page': '1000' }), 3],
    ['Total and Per-Page', () => ({ total: '2500', 'per-page': '1000' }), 3],
    ['Total is too low', () => ({ total: '7' }), 3],
    ['Total is too low, with Per-Page', () => ({ total: '7', 'per-page': '1000' }), 3],
    ['Total is what the page holds', () => ({ total: '1000', 'per-page': '1000' }), 3],
    ['Total is too high', () => ({ total: '9000' }), 4],
    ['Total is too high, with Per-Page', () => ({ total: '9000', 'per-page': '1000' }), 4],
    ['Per-Page is too high', () => ({ total: '2500', 'per-page': '5000' }), 3],
    ['Per-Page is 0', () => ({ total: '2500', 'per-page': '0' }), 3],
    ['headers that make no sense', () => ({ total: 'many', 'per-page': '-1' }), 3],
    ['links alone', next, 3],
    ['links and a wrong Total', (page) => ({ ...next(page), total: '3' }), 3],
    ['links also on the last page', (page) => (page.isLast ? { link: '</list?page=1>; rel="first"' } : next(page)), 3],
  ];
  test.each(told)('%s', async (_, headers, requests) => {
    const { client, server } = await aList({ records: 2500, ...(headers === undefined ? {} : { headers }) });
    expect(await idsOf(client)).toEqual({ ids: upTo(2500), doubts: [], sizes: [] });
    expect(server.seen).toHaveLength(requests);
  });

  test.each([
    ['Total alone', () => ({ total: '2500' })],
    ['Per-Page alone', () => ({ 'per-page': '100' })],
    ['both', () => ({ total: '2500', 'per-page': '100' })],
    ['none', () => ({})],
    ['Total, and a Per-Page that repeats what was asked for', () => ({ total: '2500', 'per-page': '1000' })],
    ['a Per-Page that repeats what was asked for', () => ({ 'per-page': '1000' })],
    ['links of the size that was asked for', next],
    ['links that have nothing to do with pages', () => ({ link: '</doc>; rel="deprecation"' })],
    ['a link to the last page', () => ({ link: '</list?page=25>; rel="last"' })],
  ] as [string, NonNullable<List['headers']>][])(
    'from a server that gives a hundred at once, whatever is asked for: %s',
    async (_, headers) => {
      for (const refuses of [undefined, (size: number, offset: number) => (size > 100 && offset >= 200 ? 500 : null)]) {
        const { client } = await aList({
          records: 2500,
          cap: 100,
          headers,
          ...(refuses === undefined ? {} : { refuses }),
        });
        expect((await idsOf(client)).ids).toEqual(upTo(2500));
      }
    },
  );

  test('along links that always ask for a thousand, of which a hundred are answered', async () => {
    const { client } = await aList({ records: 2500, headers: next, refuses: (size) => (size > 100 ? 500 : null) });
    expect((await idsOf(client)).ids).toEqual(upTo(2500));
  });

  test('along links with a cursor that always ask for a thousand, of which a hundred are answered', async () => {
    const server = await startLocalServer((response, request, index) => {
      const query = new URL(request.url, 'http://a').searchParams;
      const size = Number(query.get('per_page'));
      if (size > 100) return answer(500)(response, request, index);
      const from = Number(query.get('cursor') ?? 0);
      const headers = { link: `</list?cursor=${from + size}&per_page=1000>; rel="next"` };
      const items = upTo(500)
        .slice(from, from + size)
        .map((id) => ({ id }));
      answer(200, JSON.stringify(items), from + size < 500 ? headers : {})(response, request, index);
    });
    const client = clientOf(server);
    expect(await idsOf(client)).toMatchObject({ ids: upTo(500), doubts: [] });
  });

  test.each([
    ['above what comes, unless that is usual', undefined, 4],
    ['above what comes, as usual', 40, 3],
  ])('of a Total %s', async (_, usuallyMissing, requests) => {
    const { client, server } = await aList({ records: 2500, headers: () => ({ total: '2540' }) });
    const options = { companyId: '42', perPage: 1000, read, usuallyMissing };
    const pages = await Array.fromAsync(client.pages('/list', options));
    expect(pages.flatMap(({ ids }) => ids)).toHaveLength(2500);
    expect(server.seen).toHaveLength(requests);
  });
});

test.each([
  ['none', 0, undefined, 1],
  ['one', 1, undefined, 1],
  ['a page less one', 999, undefined, 1],
  ['just a page, and links', 1000, () => ({ link: '</list?page=1>; rel="first"' }), 1],
  ['just a page, and nothing says so', 1000, undefined, 2],
] as const)('a list takes no call more than it must: %s', async (_, records, headers, requests) => {
  const { client, server } = await aList({ records, ...(headers === undefined ? {} : { headers }) });
  expect((await idsOf(client)).ids).toEqual(upTo(records));
  expect(server.seen).toHaveLength(requests);
});

test('a list without pages, which gives all whatever is asked for, takes one call', async () => {
  const { client, server } = await aList({ records: 2500, pages: false });
  expect(await idsOf(client)).toEqual({ ids: upTo(2500), doubts: [], sizes: [] });
  expect(server.seen).toHaveLength(1);
});

test('an empty page ends the list, whatever its links say', async () => {
  const { client, server } = await aList({
    records: 1500,
    headers: ({ number }) => ({ link: `</list?page=${number + 1}&per_page=1000>; rel="next"` }),
  });
  expect(await idsOf(client)).toEqual({ ids: upTo(1500), doubts: [], sizes: [] });
  expect(server.seen).toHaveLength(3);
});

test.each([
  [400, 2],
  [404, 2],
  [408, 22],
  [500, 22],
  [502, 22],
])('a page that only a full one spoke for, and that is refused with %i, ends the list', async (status, requests) => {
  for (const records of [50, 1000, 2000]) {
    const refuses = (_: number, offset: number) => (offset >= records ? status : null);
    const { client, server } = await aList({ records, refuses });
    const { ids, doubts } = await idsOf(client);
    expect(ids).toEqual(upTo(records));
    expect(doubts.length > 0).toBe(status >= 408);
    expect(server.seen.length).toBeLessThan(Math.ceil(records / 1000) + requests);
  }
});

test('a page that was told of, and that fails through and through, ends the list in doubt', async () => {
  const refuses = (_: number, offset: number) => (offset >= 1000 ? 500 : null);
  for (const headers of [() => ({ total: '2000' }), next]) {
    const { client, server } = await aList({ records: 2000, refuses, headers });
    const { ids, doubts } = await idsOf(client);
    expect(ids).toEqual(upTo(1000));
    expect(doubts.at(-1)).toBe('too many of its records in a row cannot be read');
    expect(server.seen.length).toBeLessThan(25);
  }
});

test.each([401, 403, 429, 503])('a page that was told of, and that is refused, fails the list: %i', async (status) => {
  const refuses = (_: number, offset: number) => (offset >= 1000 ? status : null);
  for (const headers of [() => ({ total: '2000' }), next]) {
    const { client } = await aList({ records: 2000, refuses, headers });
    await expect(idsOf(client)).rejects.toMatchObject({ status });
  }
});

describe('pages that are too large', () => {
  test.each([408, 500, 502, 504])(
    'for Procore shrink until they are answered, and grow no further (%i)',
    async (status) => {
      for (const largest of [1, 7, 10, 25, 99, 100, 400, 999]) {
        const { client } = await aList({ records: 500, refuses: (size) => (size > largest ? status : null) });
        const { ids, doubts, sizes } = await idsOf(client);
        expect(ids).toEqual(upTo(500));
        expect(doubts).toEqual([]);
        expect(sizes.at(-1)).toBeLessThanOrEqual(largest);
      }
    },
  );

  test('for us shrink, too', async () => {
    const { client, server } = await aList({ records: 300, bytes: () => 900 });
    const { ids, sizes } = await idsOf(client);
    expect(ids).toEqual(upTo(300));
    expect(sizes.at(-1)).toBeGreaterThan(49);
    expect(server.seen.length).toBeLessThan(12);
  });

  test('for a while only are read on from where they failed', async () => {
    const { client, server } = await aList({
      records: 4000,
      refuses: (size, offset) => (size > 100 && offset === 2000 ? 500 : null),
    });
    expect((await idsOf(client)).ids).toEqual(upTo(4000));
    expect(server.seen.slice(0, 2).map(({ url }) => url)).toEqual([
      '/list?per_page=1000',
      '/list?per_page=1000&page=2',
    ]);
    expect(server.seen.filter(({ url }) => !url.includes('page=') || url.endsWith('per_page=1000'))).toHaveLength(1);
  });

  test('through and through are given up after some small ones', async () => {
    const { client, server } = await aList({ records: 500, refuses: () => 500 });
    await expect(idsOf(client)).rejects.toMatchObject({ status: 500 });
    expect(server.seen.map(({ url }) => url)).toEqual([
      ...Array.from({ length: 3 }, () => '/list?per_page=1000'),
      ...[10, 5, 1].map((size) => `/list?per_page=${size}`),
      '/list?per_page=1&page=2', // the first record might be to blame
    ]);
  });

  test('that only one record to a page is answered of are found out in a few calls', async () => {
    const { client, server } = await aList({ records: 5, refuses: (size) => (size > 1 ? 500 : null) });
    expect((await idsOf(client)).ids).toEqual(upTo(5));
    expect(server.seen.length).toBeLessThan(14);
  });

  test.each([401, 403, 404, 429, 503])('are not what %i says', async (status) => {
    const { client, server } = await aList({ records: 500, refuses: () => status });
    await expect(idsOf(client)).rejects.toMatchObject({ status });
    expect(server.seen.every(({ url }) => url === '/list?per_page=1000')).toBe(true);
  });

  test('as a trial go back at once to the size that was answered before', async () => {
    const { client, server } = await aList({ records: 50, refuses: (size) => (size > 25 ? 500 : null) });
    expect(await idsOf(client, 50, 25)).toEqual({ ids: upTo(50), doubts: [], sizes: [25] });
    expect(server.seen.map(({ url }) => url).slice(0, 2)).toEqual(['/list?per_page=50', '/list?per_page=25']);
  });

  test('while Procore is out for a moment grow again', async () => {
    for (let outage = 1; outage < 8; outage += 1) {
      let calls = 0;
      const isOut = () => {
        calls += 1;
        return calls > 1 && calls < 2 + outage;
      };
      const { client, server } = await aList({ records: 5000, refuses: () => (isOut() ? 500 : null) });
      expect((await idsOf(client)).ids).toEqual(upTo(5000));
      expect(server.seen.length).toBeLessThan(50);
    }
  });

  test.each([429, 401, 403])('tell what came last, if that is not about their size: %i', async (status) => {
    let calls = 0;
    const refuses = () => {
      calls += 1;
      return calls < 4 ? 500 : status;
    };
    const { client } = await aList({ records: 50, refuses });
    await expect(idsOf(client)).rejects.toMatchObject({ status });
  });

  test.each([408, 500])(
    'because of one record that Procore cannot show leave out that one, in doubt: %i',
    async (status) => {
      const isOn = (size: number, offset: number) => offset < 73 && 73 <= offset + size;
      const { client, server } = await aList({
        records: 200,
        refuses: (size, offset) => (isOn(size, offset) ? status : null),
      });
      const { ids, doubts } = await idsOf(client);
      expect(ids).toEqual(upTo(200).filter((id) => id !== 73));
      expect(doubts).toEqual(['one of its records cannot be read']);
      expect(server.seen.length).toBeLessThan(40);
    },
  );

  test('because of many records leave out those', async () => {
    const { client } = await aList({ records: 100, bytes: (id) => (id % 10 === 3 ? 200_000 : 10) });
    expect((await idsOf(client)).ids).toEqual(upTo(100).filter((id) => id % 10 !== 3));
  });

  test('because of one record leave out that one, in doubt', async () => {
    const { client } = await aList({ records: 200, bytes: (id) => (id === 73 ? 200_000 : 10) });
    const { ids, doubts } = await idsOf(client);
    expect(ids).toEqual(upTo(200).filter((id) => id !== 73));
    expect(doubts).toEqual(['one of its records cannot be read']);
  });
});
