import { afterEach, expect, test } from 'vitest';
import { type Answer, answer, type LocalServer, startLocalServer } from './local-server.ts';
import type { ProcoreAnswer } from './procore-answer.ts';
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

/** The pages of these tests hold one number each, which no test counts on. */
const read = ({ text }: ProcoreAnswer) => ({ text: String(text.bytes), ids: [], records: 1, groups: 1 });

async function walk(client: ProcoreClient, maxPages?: number): Promise<{ texts: string[]; doubts: string[] }> {
  const texts: string[] = [];
  const doubts: string[] = [];
  const onDoubt = (issue: string) => doubts.push(issue);
  const options = { companyId: '42', perPage: 2, searchParams: [['a', 'b c']] as const, maxPages, read, onDoubt };
  for await (const { text } of client.pages('/rest/v1.0/rfis?x=1', options)) texts.push(text);
  return { texts, doubts };
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
  expect(await walk(client)).toEqual({ texts: ['[0]', '[1]'], doubts: [] });
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
  expect(first.links.next).toBe('/list?filters%5Bid%5D%5B%5D=1&page=2');
  await client.get(first.links.next!, { companyId: '42' });
  expect(server.seen[1]?.url).toBe(first.links.next);
});

test.each([undefined, '', '<>', 'rel="next"', '</x>; rel="prev"', '</x>; rel="nextish"', '</x>; rev="next"'])(
  'a list ends where no next link is: %s',
  async (link) => {
    const { client } = await aWorld(page(() => link));
    expect(await walk(client)).toEqual({ texts: ['[0]'], doubts: [] });
  },
);

test.each([
  ['another host', 'http://example.com/rest/v1.0/rfis?page=2'],
  ['another port', 'http://127.0.0.1:1/rest/v1.0/rfis?page=2'],
  ['another scheme', 'https://127.0.0.1/rest/v1.0/rfis?page=2'],
  ['another host without scheme', '//example.com/rest/v1.0/rfis?page=2'],
])('of a next link that names %s only path and query count', async (_, target) => {
  const { client, server } = await aWorld(page((index) => (index === 0 ? `<${target}>; rel="next"` : undefined)));
  expect(await walk(client)).toEqual({ texts: ['[0]', '[1]'], doubts: [] });
  expect(server.seen[1]?.url).toBe('/rest/v1.0/rfis?page=2');
});

test.each([
  ['no http', 'javascript:alert(1)', ['its next link leads nowhere']],
  ['nowhere', 'http://[', ['its next link leads nowhere']],
])('a next link that is none keeps the page that it came with: %s', async (_, target, doubts) => {
  const { client, server } = await aWorld(page(() => `<${target}>; rel="next"`));
  expect(await walk(client)).toEqual({ texts: ['[0]'], doubts });
  expect(server.seen).toHaveLength(1);
});

test.each([
  ['the first page', ['/rest/v1.0/rfis?x=1&a=b+c&per_page=2'], 1],
  ['itself', ['/p?2', '/p?2'], 2],
  ['an earlier page', ['/p?2', '/p?3', '/p?2'], 3],
])('a next link that leads back ends the list in doubt: %s', async (_, targets, requests) => {
  const { client, server } = await aWorld(page((index) => `<${targets[index]}>; rel="next"`));
  const { texts, doubts } = await walk(client);
  expect(texts).toHaveLength(requests);
  expect(doubts).toEqual([expect.stringContaining('seen before')]);
  expect(server.seen).toHaveLength(requests);
});

test('a list that goes on after the last allowed page ends in doubt', async () => {
  const { client, server } = await aWorld(page((index) => `</p?${index}>; rel="next"`));
  expect(await walk(client, 3)).toEqual({ texts: ['[0]', '[1]', '[2]'], doubts: ['it goes on after 3 pages'] });
  expect(server.seen).toHaveLength(3);
});

test.each([404, 410])('a next link to a page that is not there ends the list in doubt: %i', async (status) => {
  const { client } = await aWorld(
    page(() => '</p?2>; rel="next"'),
    answer(status),
  );
  expect(await walk(client)).toEqual({ texts: ['[0]'], doubts: ['page 2 was not found'] });
});

test('a list that is not there is no doubt but an error', async () => {
  const { client } = await aWorld(answer(404));
  await expect(walk(client)).rejects.toMatchObject({ status: 404 });
});

test('who stops reading stops asking', async () => {
  const { client, server } = await aWorld(page((index) => `</p?${index}>; rel="next"`));
  for await (const { text } of client.pages('/p', { companyId: '42', perPage: 1, read })) if (text === '[1]') break;
  expect(server.seen).toHaveLength(2);
});

test('a page that fails is not skipped', async () => {
  const { client } = await aWorld(
    page(() => '</p?2>; rel="next"'),
    answer(403),
  );
  await expect(walk(client)).rejects.toMatchObject({ status: 403 });
});

test('without links, records are counted against Total', async () => {
  const { client, server } = await aWorld((response, request, index) =>
    answer(200, `[${index}]`, { total: '3', 'per-page': '2' })(response, request, index),
  );
  expect((await walk(client)).texts).toEqual(['[0]', '[1]', '[2]']);
  expect(server.seen.at(-1)?.url).toBe('/rest/v1.0/rfis?x=1&a=b+c&per_page=2&page=3');
});
