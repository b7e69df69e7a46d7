// What the tools of a project and counts of its daily logs tell, and what they do not.
import { catalogue } from '@procore-mirror/catalogue';
import { createProcoreClient, type ProcoreClient, ProcoreUnreachableError } from '@procore-mirror/procore';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type ScriptedProcore, scriptProcore } from '../testing/test-mirror.ts';
import { surveyProject } from './survey-project.ts';

let procore: ScriptedProcore;
let client: ProcoreClient;
let queries: URLSearchParams[];

beforeAll(async () => {
  procore = await scriptProcore();
  const { url, token } = procore;
  client = createProcoreClient({ apiUrl: new URL(url), token, refuseToken: () => {}, sleep: async () => {} });
});
afterAll(async () => {
  await client.close();
  await procore.close();
});
beforeEach(() => {
  procore.calls = [];
  queries = [];
});

const survey = (...resources: string[]) =>
  surveyProject(client, {
    ...{ companyId: '1', projectId: '7', catalogue, signal: AbortSignal.timeout(30_000) },
    resources: resources.map((name) => catalogue.get(name)),
    now: new Date('2026-11-27T12:00:00Z'),
  });

/** Answers what is given as tools, and as counts window by window, newest first. */
function answer(tools: unknown, counts: readonly unknown[] = []): void {
  procore.answer = (path, query) => {
    if (path.endsWith('/tools')) return { body: tools };
    queries.push(query);
    return { body: counts[queries.length - 1] ?? [] };
  };
}

test('tools are asked first, and of what is off no more is asked', async () => {
  answer([
    { id: 1, engine_name: 'daily_log', title: 'Daily Log', is_active: false, position: 1 },
    { id: 2, engine_name: 'rfi', title: 'RFIs', is_active: true, position: 2 },
  ]);
  const { off, logs } = await survey('RFIs', 'Manpower Logs', 'Notes Logs');
  expect(['RFIs', 'RFI Replies', 'Manpower Logs', 'Notes Logs'].filter((resource) => off.has(resource))).toEqual([
    'Manpower Logs',
    'Notes Logs',
  ]);
  expect(logs).toEqual(new Map());
  expect(procore.calls).toEqual(['/rest/v1.0/projects/7/tools?per_page=1000']);
});

test('without daily logs nothing is counted', async () => {
  answer([]);
  await survey('RFIs', 'Timecard Entries');
  expect(procore.calls).toEqual(['/rest/v1.0/projects/7/tools?per_page=1000']);
});

test('daily logs are counted in windows of 90 days, approved or not', async () => {
  answer([], [[{ module_name: 'manpower_log', count: 12 }], [], [{ module_name: 'ManpowerLog', count: '3' }], []]);
  const { logs } = await survey('Manpower Logs');
  expect(logs).toEqual(new Map([['Manpower Logs', [12, 0, 3, 0]]]));
  expect(
    queries.map((query) => [query.get('start_date'), query.get('end_date'), query.get('filters[status]')]),
  ).toEqual([
    ['2026-08-31', '2026-11-28', 'all'],
    ['2026-06-02', '2026-08-30', 'all'],
    ['2026-03-04', '2026-06-01', 'all'],
    ['2025-12-04', '2026-03-03', 'all'],
  ]);
});

test('a count of none tells nothing: who is no Admin does not see all', async () => {
  answer(
    [],
    Array(4).fill([
      { module_name: 'manpower_log', count: 0 },
      { module_name: 'notes_log', count: 4 },
    ]),
  );
  expect((await survey('Manpower Logs', 'Notes Logs', 'Weather Logs')).logs).toEqual(
    new Map([['Notes Logs', [4, 4, 4, 4]]]),
  );
});

test.each<[string, () => { status?: number; body?: unknown }]>([
  ['404', () => ({ status: 404 })],
  ['403', () => ({ status: 403 })],
  ['500', () => ({ status: 500 })],
  ['no list', () => ({ body: { tools: [] } })],
  ['a list of something else', () => ({ body: [1, 'two', null] })],
  ['rows that lack what counts', () => ({ body: [{ id: 1 }] })],
])('%s tells nothing, and one call for counts is enough to know', async (_, wrong) => {
  procore.answer = wrong;
  expect(await survey('RFIs', 'Manpower Logs')).toEqual({ off: new Set(), logs: new Map() });
  const paths = new Set(procore.calls);
  expect(paths.size).toBe(2);
});

test('a window that is refused takes the other counts along', async () => {
  answer([], [[{ module_name: 'manpower_log', count: 12 }], { error: 'range' }]);
  expect((await survey('Manpower Logs')).logs).toEqual(new Map());
  expect(queries).toHaveLength(2);
});

test('who gets no answer at all is told', async () => {
  const nobody = createProcoreClient({
    ...{ apiUrl: new URL('http://127.0.0.1:9'), token: procore.token, refuseToken: () => {}, sleep: async () => {} },
  });
  const place = { companyId: '1', projectId: '7', catalogue, signal: AbortSignal.timeout(30_000), now: new Date() };
  await expect(surveyProject(nobody, { ...place, resources: [] })).rejects.toThrow(ProcoreUnreachableError);
  await nobody.close();
});
