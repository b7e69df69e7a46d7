// Servers that make of page and per_page what they like, in memory: whatever they do, a list comes whole or ends in doubt.
import { describe, expect, test } from 'vitest';
import { ProcoreResponseError, ProcoreTooLargeError, ProcoreUnreachableError } from './errors.ts';
import { type GetPage, pagesOf } from './pages.ts';
import type { ProcoreAnswer } from './procore-answer.ts';
import { readLinks } from './request-path.ts';

type Page = { number: number; size: number; asked: number; total: number; isLast: boolean; ids: readonly string[] };
type Headers = { link?: string; total?: number; perPage?: number };

type Server = {
  records: number;
  /** How many it gives to a page for which so many are asked for. */
  gives: (asked: number) => number;
  headers: (page: Page) => Headers;
  /** What is thrown for a page, if it is not answered. */
  fails?: (page: Page, call: number, timeoutMs: number | undefined) => Error | null;
  /** The page that it takes another number for. */
  takes?: (number: number, last: number) => number;
};

const upTo = (count: number) => Array.from({ length: count }, (_, index) => String(index + 1));

async function read(
  server: Server,
  perPage = 1000,
  usuallyMissing: number | null = null,
  answeredPerPage: number | null = null,
) {
  let calls = 0;
  const all = upTo(server.records);
  const get: GetPage = async (path, { isOnlyTry, timeoutMs }) => {
    const query = new URL(path, 'http://a').searchParams;
    const asked = Number(query.get('per_page'));
    const size = server.gives(asked);
    const last = Math.max(1, Math.ceil(server.records / size));
    const number = (server.takes ?? ((one) => one))(Number(query.get('page') ?? 1), last);
    const ids = all.slice((number - 1) * size, number * size);
    const page = { number, size, asked, total: server.records, isLast: number >= last, ids };
    for (let tries = isOnlyTry ? 1 : 3; ; tries -= 1) {
      calls += 1;
      const error = server.fails?.(page, calls, timeoutMs) ?? null;
      if (error === null) break;
      if (tries === 1 || !(error instanceof ProcoreResponseError) || error.status !== 500) throw error;
    }
    const { link, total = null, perPage: sizeTold = null } = server.headers(page);
    return {
      ...{ status: 200, text: { bytes: Buffer.alloc(0), fields: ids }, total, perPage: sizeTold, rateLimit: null },
      links: readLinks(new URL('http://a'), path, link),
      [Symbol.dispose]: () => {},
    } satisfies ProcoreAnswer;
  };
  const doubts = new Set<string>();
  const came = new Set<string>();
  const sizes: { size: number; isSure: boolean; hasFailed: boolean }[] = [];
  const pages = pagesOf(get, '/list', {
    ...{ companyId: '42', perPage, usuallyMissing, answeredPerPage },
    read: ({ text }) => {
      const ids = text.fields as string[];
      return { ids, records: ids.length, groups: ids.length };
    },
    onDoubt: (issue) => doubts.add(issue),
    onPageSize: (answered) => sizes.push(answered),
  });
  for await (const { ids } of pages) for (const id of ids) came.add(id);
  return { came: came.size, doubts: [...doubts], calls, lastSize: sizes.at(-1) ?? null };
}

const failing = (status: number) => new ProcoreResponseError('failed', { status });
const next = ({ number, isLast }: Page, size: number): Headers =>
  isLast ? {} : { link: `</list?page=${number + 1}&per_page=${size}>; rel="next"` };

const HEADERS = {
  'no headers': () => ({}),
  Total: ({ total }) => ({ total }),
  'Per-Page': ({ size }) => ({ perPage: size }),
  'Total and Per-Page': ({ total, size }) => ({ total, perPage: size }),
  'a Total that counts the page': ({ ids }) => ({ total: ids.length }),
  'a Total that is too low': ({ total }) => ({ total: Math.min(7, total) }),
  'a Per-Page that repeats what was asked for': ({ asked }) => ({ perPage: asked }),
  'links that name the size given': (page) => next(page, page.size),
  'links that name the size asked for': (page) => next(page, page.asked),
  'links that name a thousand': (page) => next(page, 1000),
  'links, Total and Per-Page': (page) => ({ ...next(page, page.size), total: page.total, perPage: page.size }),
} satisfies Record<string, Server['headers']>;

const atMost = (most: number) => (asked: number) => Math.min(asked, most);
/** Sizes that are no round numbers cannot be told from a last page where nothing names them. */
const GIVES: [string, Server['gives']][] = [
  ['what is asked for comes to a page', (asked) => asked],
  ['at most 30 come to a page', atMost(30)],
  ['at most 100 come to a page', atMost(100)],
];

/** Which pages fail, and how many records surely come to a page. */
const FAILS: [string, number, NonNullable<Server['fails']>][] = [
  ['no page', 1000, () => null],
  ...[1, 7, 10, 60, 300].map((limit): (typeof FAILS)[number] => [
    `above ${limit}`,
    limit,
    ({ asked }) => (asked > limit ? failing(500) : null),
  ]),
  ['above 60, as too large', 60, ({ asked }) => (asked > 60 ? failing(408) : null)],
  ['above 60, for us', 60, ({ ids }) => (ids.length > 60 ? new ProcoreTooLargeError('too large') : null)],
  ...[1, 2, 4, 6].map((first): (typeof FAILS)[number] => [
    `four from call ${first} on`,
    1000,
    (_, call) => (call >= first && call < first + 4 ? failing(500) : null),
  ]),
];

describe.each(Object.entries(HEADERS))('all records of a list come: %s', (_, headers) => {
  test.each(GIVES)('%s', async (_, gives) => {
    for (const [failure, fewest, fails] of FAILS) {
      for (const records of [0, 1, 10, 99, 100, 275, 600]) {
        const { calls, lastSize, ...got } = await read({ records, gives, headers, fails });
        expect({ ...got, failure }).toEqual({ came: records, doubts: [], failure });
        expect(calls).toBeLessThan(30 + (2 * records) / Math.min(gives(1000), fewest));
      }
    }
  });
});

describe('a server that takes no notice', () => {
  const whole = (records: number) => ({ came: records, doubts: [] });
  const repeats = ['a page holds only records of the pages before it'];

  test.each([10, 17, 20, 25, 50, 2500])('of pages gives its list whole: %i', async (records) => {
    for (const headers of [{}, { total: records }, { total: records + 3 }, { perPage: 1000 }, { total: 1 }]) {
      const server: Server = { records, gives: () => records, headers: () => headers };
      expect(await read(server)).toMatchObject(whole(records));
      const fails: Server['fails'] = (_, call) => (call < 5 ? failing(500) : null);
      expect(await read({ ...server, fails })).toMatchObject(whole(records));
    }
  });

  test('of the number of a page, and gives just as many as are asked for, is in doubt, unless its Total says that they are all', async () => {
    const server: Server = { records: 250, gives: atMost(100), headers: () => ({}), takes: () => 1 };
    expect(await read(server, 100)).toMatchObject({ came: 100, doubts: repeats });
    expect(await read({ ...server, headers: () => ({ perPage: 100 }) })).toMatchObject({ came: 100, doubts: repeats });
    expect(await read({ ...server, headers: () => ({ total: 100 }), records: 100 }, 100)).toMatchObject(whole(100));
  });

  test.each([
    [{}, 'empty'],
    [{ perPage: 20 }, 'empty'],
    [{}, 'the last page'],
    [{}, 'refused'],
  ])(
    'of the size of a page is read to its end, whatever fails, and what is beyond it: %o, %s',
    async (headers, beyond) => {
      for (const records of [99, 333, 500]) {
        for (const [first, count] of [1, 2, 3, 5].flatMap((one) => [3, 4, 5].map((many) => [one, many] as const))) {
          const fails: Server['fails'] = ({ ids }, call) =>
            call >= first && call < first + count
              ? failing(500)
              : beyond === 'refused' && ids.length === 0
                ? failing(404)
                : null;
          const takes = beyond === 'the last page' ? Math.min : (number: number) => number;
          const got = await read({ records, gives: () => 20, headers: () => headers, fails, takes });
          expect({ ...got, first, count }).toMatchObject({ ...whole(records), first, count });
        }
      }
    },
  );

  test.each([
    [2000, {}],
    [2000, { total: 2003 }],
    [250, { total: 253 }],
    [200, { perPage: 100 }],
  ])('of numbers beyond the last page gives that again, which is the end: %i, %o', async (records, headers) => {
    const gives = 'perPage' in headers ? atMost(100) : (asked: number) => asked;
    const server: Server = { records, gives, headers: () => headers, takes: Math.min };
    expect(await read(server)).toMatchObject(whole(records));
  });
});

test.each([400, 404, 422])(
  'a page that only a Total above what comes spoke for, and that is refused, is no cut: %i',
  async (status) => {
    const fails: Server['fails'] = ({ number }) => (number > 1 ? failing(status) : null);
    const server: Server = { records: 50, gives: (asked) => asked, headers: () => ({ total: 53 }), fails };
    expect(await read(server)).toMatchObject({ came: 50, doubts: [] });
    expect(await read({ ...server, headers: () => ({ total: 153 }), records: 150 }, 100)).toMatchObject({
      came: 100,
      doubts: ['page 2 was not found'],
    });
  },
);

test('a Total that is usually above what comes keeps back nothing that shows since', async () => {
  expect(await read({ records: 200, gives: atMost(100), headers: () => ({ total: 200 }) }, 1000, 100)).toMatchObject({
    ...{ came: 200, doubts: [] },
  });
});

test('a full page of a linked list that lost its Link header is read on from', async () => {
  const headers: Server['headers'] = (page) => (page.number === 2 ? {} : next(page, 1000));
  expect(await read({ records: 2500, gives: (asked) => asked, headers })).toMatchObject({ came: 2500, doubts: [] });
});

test('one trial that fails does not keep pages small', async () => {
  const blip = ({ asked }: Page, call: number) =>
    call < 4 || call === 6 ? failing(500) : asked > 640 ? failing(500) : null;
  const server: Server = { records: 1000, gives: (asked) => asked, headers: () => ({}), fails: blip };
  const { calls, lastSize } = await read(server);
  expect(calls).toBeLessThan(20);
  expect(lastSize?.size).toBeGreaterThan(100);
  expect(lastSize?.isSure).toBe(false);
});

describe('records that Procore cannot show are left out, in doubt', () => {
  const isOn = (bad: readonly number[], { ids }: Page) => bad.some((id) => ids.includes(String(id)));
  const one = 'one of its records cannot be read';
  test.each([
    ['the first', [1], 199, [one]],
    ['the first of a few', [1, 3], 198, [one]],
    ['the last', [200], 199, [one]],
    ['four in a row', [71, 72, 73, 74], 196, [one]],
    [
      'more in a row than are tried',
      upTo(30).map((id) => Number(id) + 70),
      70,
      [one, 'too many of its records in a row cannot be read'],
    ],
  ])('%s', async (_, bad, came, doubts) => {
    for (const error of [failing(500), failing(408), new ProcoreTooLargeError('too large')]) {
      for (const headers of [HEADERS.Total, HEADERS['links, Total and Per-Page']]) {
        const fails = (page: Page) => (isOn(bad, page) ? error : null);
        const got = await read({ records: 200, gives: (asked) => asked, headers, fails });
        expect(got).toMatchObject({ came, doubts });
        expect(got.calls).toBeLessThan(60);
      }
    }
  });

  test('if they are the only one', async () => {
    const fails = (page: Page) => (isOn([1], page) ? failing(500) : null);
    expect(await read({ records: 1, gives: (asked) => asked, headers: () => ({}), fails })).toMatchObject({
      came: 0,
      doubts: [one],
    });
  });
});

describe('pages that do not come in time', () => {
  const inVain = () => new ProcoreUnreachableError('no answer', { isTimeOut: true });

  test('shrink until they do', async () => {
    const server: Server = { records: 500, gives: (asked) => asked, headers: () => ({}) };
    const got = await read({ ...server, fails: ({ asked }) => (asked > 100 ? inVain() : null) });
    expect(got).toMatchObject({ came: 500, doubts: [] });
    expect(got.calls).toBeLessThan(20);
  });

  test('whatever their size are given up after a small one', async () => {
    const seen: number[] = [];
    const fails: Server['fails'] = ({ asked }) => {
      seen.push(asked);
      return inVain();
    };
    await expect(read({ records: 500, gives: (asked) => asked, headers: () => ({}), fails })).rejects.toThrow(
      'no answer',
    );
    expect(seen).toEqual([1000, 10]);
  });

  /** Sizes that were asked for, each with how long it may take; above `most` none comes. */
  async function asked(most: number, answeredPerPage: number | null = null): Promise<string[]> {
    const seen: string[] = [];
    const fails: Server['fails'] = ({ asked: size }, _, timeoutMs) => {
      seen.push(`${size}${timeoutMs === undefined ? '' : ` in ${timeoutMs}`}`);
      return size > most ? inVain() : null;
    };
    const server: Server = { records: 25, gives: (size) => size, headers: () => ({}), fails };
    await read(server, 100, null, answeredPerPage).catch(() => {});
    return seen;
  }

  test('are followed by a small one that is not waited for as long', async () => {
    expect(await asked(0)).toEqual(['100', '10 in 20000']);
    expect(await asked(0, 50)).toEqual(['100', '50', '10 in 20000']);
  });

  test('are waited for as long as ever once one came', async () => {
    const [first, second, ...further] = await asked(10);
    expect([first, second]).toEqual(['100', '10 in 20000']);
    expect(further.length).toBeGreaterThan(0);
    expect(further.filter((one) => one.includes('in'))).toEqual([]);
  });
});
