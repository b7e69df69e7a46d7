import { createProcoreClient, type ProcoreClient } from '@procore-mirror/procore';
import { ConfigError } from '@procore-mirror/runtime';
import { type Answer, type ScriptedProcore, startScriptedProcore } from '@procore-mirror/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkCompanies } from './check-companies.ts';

let procore: ScriptedProcore;
let client: ProcoreClient;
let said: string[];

beforeEach(async () => {
  procore = await startScriptedProcore();
  client = createProcoreClient({
    apiUrl: new URL(procore.url),
    token: async () => 'a-token',
    refuseToken: () => {},
    retry: { extraTries: 0, firstDelayMs: 0, longestDelayMs: 0 },
  });
  said = [];
});
afterEach(async () => {
  await client.close();
  await procore.close();
});

const check = (...companyIds: string[]) =>
  checkCompanies({
    client,
    companyIds,
    signal: AbortSignal.timeout(60_000),
    say: (line) => said.push(line),
    askAgainAfterMs: 1,
  });
const asked = () => procore.asked.map(({ companyId, path }) => `${companyId} ${path}`);
const companies = (...ids: (string | number)[]) => ids.map((id) => ({ id, name: `Builders ${id}`, is_active: true }));
const answer = (body: unknown): Answer => ({ text: JSON.stringify(body) });

async function problemsOf(...companyIds: string[]): Promise<readonly string[]> {
  const error: unknown = await check(...companyIds).catch((thrown: unknown) => thrown);
  if (!(error instanceof ConfigError)) throw error;
  return error.problems;
}

test('companies that the service account sees cost one call and are no news', async () => {
  procore.answer = () => answer(companies(7, 8, 9));
  await check('8', '7');
  expect(asked()).toEqual(['8 /rest/v1.0/companies']);
  expect(said).toEqual([]);
});

test.each([
  [['7', '10'], '10', [7, 8]],
  [['562949953425831', '562949953425813', '1'], '562949953425813, 1', [562949953425831, '562949953425832']],
  [['9007199254740993'], '9007199254740993', ['9007199254740992', '9007199254740994']],
])('of %j those that it does not see are named: %s', async (ids, unseen, seen) => {
  procore.answer = () => answer(companies(...seen));
  const list = seen.map((id) => `${id} (Builders ${id})`).join(', ');
  expect(await problemsOf(...ids)).toEqual([
    `PROCORE_COMPANY_IDS: the service account does not see ${unseen}; it sees ${list}`,
  ]);
});

test('ids with more digits than a number of JavaScript has are told apart', async () => {
  procore.answer = () => ({ text: '[{"id": 9007199254740993, "name": "Odd"}]' });
  await check('9007199254740993');
  expect(await problemsOf('9007199254740992')).toEqual([expect.stringContaining('it sees 9007199254740993 (Odd)')]);
});

test('an account that sees none is told so, and one that sees many is not told all', async () => {
  procore.answer = () => answer([]);
  expect(await problemsOf('7')).toEqual(['PROCORE_COMPANY_IDS: the service account does not see 7; it sees none']);
  procore.answer = () => answer(companies(...Array.from({ length: 33 }, (_, index) => 100 + index)));
  const [problem = ''] = await problemsOf('7');
  expect(problem).toContain('119 (Builders 119) and 13 more');
  expect(problem).not.toContain('120 ');
});

test('a company on a later page is seen', async () => {
  const all = companies(...Array.from({ length: 250 }, (_, index) => 1000 + index));
  procore.answer = ({ query }) => {
    const [page, size] = [Number(query.get('page') ?? 1), Number(query.get('per_page'))];
    const isLast = page * size >= all.length;
    const next = `<${procore.url}/rest/v1.0/companies?page=${page + 1}&per_page=${size}>; rel="next"`;
    return { body: all.slice((page - 1) * size, page * size), headers: isLast ? {} : { link: next } };
  };
  await check('1000', '1249');
  expect(await problemsOf('1250')).toHaveLength(1);
});

test('a name is shown without what would steer the terminal, and may be missing', async () => {
  procore.answer = () => answer([{ id: 7, name: 'red \u001b[31m' }, { id: 8 }, { id: 9, name: { long: 'Nine' } }]);
  expect(await problemsOf('1')).toEqual([expect.stringMatching(/ it sees 7 \(red ·\[31m\), 8, 9$/)]);
});

test.each<[string, Answer]>([
  ['500', { status: 500 }],
  ['503', { status: 503, headers: { 'retry-after': '3600' } }],
  ['429', { status: 429, headers: { 'retry-after': '3600' } }],
  ['a page for people', { text: '<html></html>' }],
  ['no list', { body: { errors: 'none' } }],
  ['a list of nothing that has an id', { body: [{ name: 'Builders' }, null] }],
  ['a list with one that has no id', { body: [...companies(7), { name: 'Builders' }] }],
])('%s is no answer: nothing is concluded, and it is said', async (_, refusal) => {
  procore.answer = () => refusal;
  await check('1', '2');
  expect(said).toEqual([expect.stringMatching(/^Companies: could not be listed \(/)]);
});

test.each([[403], [404]])('where each company is answered %i, twice, none is seen', async (status) => {
  procore.answer = () => ({ status, body: { errors: 'You do not have access' } });
  expect(await problemsOf('1', '2')).toEqual([expect.stringMatching(/^PROCORE_COMPANY_IDS: .* does not see 1, 2 \(/)]);
  procore.answer = ({ companyId }) => ({ status: companyId === '1' ? status : 500 });
  await check('1', '2');
  expect(said).toEqual([expect.stringContaining('could not be listed')]);
});

test('a refusal of a moment proves nothing', async () => {
  let calls = 0;
  procore.answer = () => {
    calls += 1;
    return calls === 1 ? { status: 404 } : answer(companies(7));
  };
  await check('7');
});

test('where one company refuses to say, the next is asked', async () => {
  procore.answer = ({ companyId }) => (companyId === '1' ? { status: 403 } : answer(companies(2, 3)));
  expect(await problemsOf('1', '2', '3')).toEqual([
    expect.stringContaining('does not see 1; it sees 2 (Builders 2), 3'),
  ]);
  expect(asked()).toEqual(['1 /rest/v1.0/companies', '2 /rest/v1.0/companies']);
});

test('a list that is cut off in its middle proves nothing', async () => {
  const next = `<${procore.url}/rest/v1.0/companies?page=2>; rel="next"`;
  procore.answer = ({ query }) =>
    (query.get('page') ?? '1') === '1' ? { body: companies(7), headers: { link: next } } : { status: 500 };
  await check('8');
  expect(said).toEqual([expect.stringContaining('could not be listed')]);
});

test('told to end, it ends', async () => {
  const hold = procore.hold(() => true);
  const ending = new AbortController();
  const checking = checkCompanies({ client, companyIds: ['1'], signal: ending.signal, say: () => {} });
  await hold.reached;
  ending.abort(new Error('told to end'));
  await expect(checking).rejects.toThrow('told to end');
});
