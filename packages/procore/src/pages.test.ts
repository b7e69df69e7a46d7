import { afterEach, expect, test } from 'vitest';
import { ProcoreFormatError } from './errors.ts';
import { type Answer, answer, type LocalServer, startLocalServer } from './local-server.ts';
import { createProcoreClient, type ProcoreClient } from './procore-client.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function aWorld(...answers: Answer[]): Promise<{ server: LocalServer; client: ProcoreClient }> {
  const server = await startLocalServer(...answers);
  const client = createProcoreClient({
    apiUrl: server.url,
    token: async () => 'a-token',
    refuseToken: () => {},
    sleep: async () => {},
  });
  closing.push(server.close, client.close);
  return { server, client };
}

async function walk(client: ProcoreClient, maxPages?: number): Promise<string[]> {
  const texts: string[] = [];
  const options = { companyId: '42', perPage: 2, searchParams: [['a', 'b c']] as const, maxPages };
  for await (const { text } of client.pages('/rest/v1.0/rfis?x=1', options)) texts.push(String(text.bytes));
  return texts;
}

/** A page of a list that never ends, `next` being what follows the origin in its link. */
const page =
  (next: (index: number, origin: string) => string | string[] | undefined): Answer =>
  (response, request, index) => {
    const link = next(index, `http://${request.headers.host}`);
    answer(200, `[${index}]`, link === undefined ? {} : { link })(response, request, index);
  };

test.each([
  ['absolute', (origin: string) => `<${origin}/rest/v1.0/rfis?page=2&x=1>; rel="next"`],
  ['relative', () => '</rest/v1.0/rfis?page=2&x=1>; rel="next"'],
  ['relative to the list', () => '<?page=2&x=1>; rel="next"'],
  [
    'among others',
    (origin: string) => `<${origin}/z?page=9>; rel="last", <${origin}/rest/v1.0/rfis?page=2&x=1>; rel="next"`,
  ],
  [
    'in a second header',
    (origin: string) => ['</z?page=9>; rel="last"', `<${origin}/rest/v1.0/rfis?page=2&x=1>; rel=next`],
  ],
  [
    'with commas and odd parameters',
    () => '</a,b;c>; title="x, <y>; rel=next"; rel="last", </rest/v1.0/rfis?page=2&x=1>;REL="last NEXT"',
  ],
])('a next link is followed: %s', async (_, link) => {
  const { client, server } = await aWorld(page((index, origin) => (index === 0 ? link(origin) : undefined)));
  expect(await walk(client)).toEqual(['[0]', '[1]']);
  expect(server.seen.map(({ url }) => url)).toEqual([
    '/rest/v1.0/rfis?x=1&a=b+c&per_page=2',
    '/rest/v1.0/rfis?page=2&x=1',
  ]);
  expect(server.seen.every(({ headers }) => headers['procore-company-id'] === '42')).toBe(true);
});

test('the next link of an answer is a path for get', async () => {
  const { client, server } = await aWorld(
    page((_, origin) => `<${origin}/list?filters%5Bid%5D%5B%5D=1&page=2>; rel="next"`),
  );
  const first = await client.get('/list', { companyId: '42' });
  expect(first.links).toEqual({ next: '/list?filters%5Bid%5D%5B%5D=1&page=2' });
  await client.get(first.links.next!, { companyId: '42' });
  expect(server.seen[1]?.url).toBe(first.links.next);
});

test.each([undefined, '', '<>', 'rel="next"', '</x>; rel="prev"', '</x>; rel="nextish"', '</x>; rev="next"'])(
  'a list ends where no next link is: %s',
  async (link) => {
    const { client } = await aWorld(page(() => link));
    expect(await walk(client)).toEqual(['[0]']);
  },
);

test.each([
  ['another host', 'http://example.com/rest/v1.0/rfis?page=2'],
  ['another port', 'http://127.0.0.1:1/rest/v1.0/rfis?page=2'],
  ['another host without scheme', '//example.com/rest'],
  ['no http', 'javascript:alert(1)'],
  ['nowhere', 'http://['],
])('a next link that leads elsewhere is refused: %s', async (_, target) => {
  const { client, server } = await aWorld(page(() => `<${target}>; rel="next"`));
  await expect(walk(client)).rejects.toThrow(ProcoreFormatError);
  expect(server.seen).toHaveLength(1);
});

test.each([
  ['the first page', ['/rest/v1.0/rfis?x=1&a=b+c&per_page=2'], 1],
  ['itself', ['/p?2', '/p?2'], 2],
  ['an earlier page', ['/p?2', '/p?3', '/p?2'], 3],
])('a next link that leads back is refused: %s', async (_, targets, requests) => {
  const { client, server } = await aWorld(page((index) => `<${targets[index]}>; rel="next"`));
  await expect(walk(client)).rejects.toMatchObject({ issues: [expect.stringContaining('seen before')] });
  expect(server.seen).toHaveLength(requests);
});

test('a list that goes on after the last allowed page is refused, not cut short', async () => {
  const { client, server } = await aWorld(page((index) => `</p?${index}>; rel="next"`));
  await expect(walk(client, 3)).rejects.toMatchObject({ issues: ['it goes on after 3 pages'] });
  expect(server.seen).toHaveLength(3);
});

test('who stops reading stops asking', async () => {
  const { client, server } = await aWorld(page((index) => `</p?${index}>; rel="next"`));
  for await (const { text } of client.pages('/p', { companyId: '42', perPage: 1 }))
    if (String(text.bytes) === '[1]') break;
  expect(server.seen).toHaveLength(2);
});

test('a page that fails is not skipped', async () => {
  const { client } = await aWorld(
    page(() => '</p?2>; rel="next"'),
    answer(403),
  );
  await expect(walk(client)).rejects.toMatchObject({ status: 403 });
});

test('without links, pages are counted by Total and Per-Page', async () => {
  const { client, server } = await aWorld((response, request, index) =>
    answer(200, `[${index}]`, { total: '5', 'per-page': '2' })(response, request, index),
  );
  expect(await walk(client)).toEqual(['[0]', '[1]', '[2]']);
  expect(server.seen.at(-1)?.url).toBe('/rest/v1.0/rfis?x=1&a=b+c&per_page=2&page=3');
});
