// What Procore deleted behind the mirror's back is buried by the next backfill; a list in doubt buries nothing.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type BackfillEnd, type BackfillOptions, backfillResource } from './backfill-resource.ts';
import type { FillNews, KeptFill } from './fetch/fill-place.ts';
import { type ScriptedProcore, scriptProcore, startTestMirror, type TestMirror } from './testing/test-mirror.ts';

let procore: ScriptedProcore;
let mirror: TestMirror;
type Scripted = Awaited<ReturnType<ScriptedProcore['answer']>>;

beforeAll(async () => {
  procore = await scriptProcore();
  mirror = await startTestMirror(procore);
});
afterAll(() => mirror.close());
beforeEach(async () => {
  await mirror.clear();
  procore.calls = [];
});

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
const without = (ids: readonly number[], ...gone: number[]) => ids.filter((id) => !gone.includes(id));

/** Lists of these ids, ten to a page, by the end of their path; a record's show; of others nothing. */
function world(lists: Record<string, readonly number[]>): (path: string, query: URLSearchParams) => Scripted {
  return (path, query) => {
    const list = Object.entries(lists).find(([end]) => path.endsWith(end));
    if (list === undefined) {
      const id = Number(/\/(\d+)$/.exec(path)?.[1]);
      const isThere = Object.entries(lists).some(([end, ids]) => path.includes(end) && ids.includes(id));
      return isThere ? { body: record(id) } : { status: 404 };
    }
    const number = Number(query.get('page') ?? 1);
    const [, ids] = list;
    const next = `<${path}?page=${number + 1}&per_page=10>; rel="next"`;
    return {
      body: ids.slice((number - 1) * 10, number * 10).map(record),
      headers: { total: String(ids.length), 'per-page': '10', ...(number * 10 < ids.length && { link: next }) },
    };
  };
}
function withTotal(total: number, answer: Scripted): Scripted {
  return { ...answer, headers: { ...answer.headers, total: String(total) } };
}
const record = (id: number) => ({ id, subject: `subject ${id}` });

async function fill(
  resource: string,
  {
    projectId = '7',
    deleteCap,
    ...options
  }: Partial<BackfillOptions> & { projectId?: string | null; deleteCap?: number } = {},
): Promise<BackfillEnd> {
  let ended: BackfillEnd = { calls: 0, buried: 0, notes: [], remarks: [], isProof: false };
  await backfillResource(
    { ...mirror.settings, pageSize: 10, deleteCap },
    { companyId: '1', projectId, resource },
    {
      ...{ signal: AbortSignal.timeout(30_000), now: new Date(), ...options },
      onEnd: (end) => {
        ended = end;
      },
    },
  );
  return ended;
}
const marked = async (table: string, mark: 'deleted' | 'hidden' = 'deleted') =>
  (await mirror.rows(table, 'id::int')).filter((row) => row[mark]).map(({ id }) => id);
const query = async (sql: string) => (await mirror.database.pool.query(sql)).rows;
const settle = () => query('truncate mirror.pending, mirror.batches');

test.each<[string, string, string, string | null]>([
  ['whole list', 'Locations', '/locations', '7'],
  ['thin list', 'RFIs', '/rfis', '7'],
  ['list of the company', 'Departments', '/departments', null],
  ['thin list of the company', 'Programs', '/programs', null],
  ['list in groups', 'Project Dates', '/project_dates', '7'],
])('what a %s lacks is buried by the next backfill', async (_, resource, path, projectId) => {
  const grouped =
    (answer: ReturnType<typeof world>): ScriptedProcore['answer'] =>
    (asked, search) => {
      const given = answer(asked, search);
      return resource === 'Project Dates' && Array.isArray(given.body)
        ? { ...given, body: { schedule_dates: {}, project_dates: given.body } }
        : given;
    };
  procore.answer = grouped(world({ [path]: upTo(25) }));
  expect(await fill(resource, { projectId })).toMatchObject({ buried: 0, remarks: [] });
  for (let runs = 0; runs < 3; runs += 1) await mirror.run(resource, { projectId, lane: 'backfill' });
  expect(await mirror.pendingIds()).toEqual([]);
  const table = resource.toLowerCase().replaceAll(' ', '_');
  await query(`update procore.${table} set _hidden_at = now() where id = 25`);
  await query(`update procore.${table} set _changed_at = '2026-01-01'`);
  const left = without(upTo(25), 3, 12, 25);
  procore.answer = grouped(world({ [path]: left }));
  expect(await fill(resource, { projectId })).toMatchObject({ buried: 2, remarks: [] });
  expect(await marked(table)).toEqual([3, 12]);
  expect(await marked(table, 'hidden')).toEqual([25]); // private ones are in no list either
  expect(await query(`select id::int from procore.${table} where _changed_at > '2026-01-02' order by id`)).toEqual([
    { id: 3 },
    { id: 12 },
  ]);
  procore.answer = grouped(world({ [path]: upTo(25) }));
  await fill(resource, { projectId });
  for (let runs = 0; runs < 3; runs += 1) await mirror.run(resource, { projectId, lane: 'backfill' });
  expect(await marked(table)).toEqual([]);
});

test.each<[string, (id: number) => Scripted]>([
  [
    'that Procore shows, so that its list leaves some out',
    (id) => (id === 12 ? { body: record(id) } : { status: 404 }),
  ],
  ['that Procore does not let us see', () => ({ status: 403 })],
  ['of which Procore does not tell', () => ({ status: 500 })],
])('records that a list lacks stay, all of them, where there is one %s', async (_, show) => {
  procore.answer = world({ '/locations': upTo(25) });
  await fill('Locations');
  const listed = world({ '/locations': without(upTo(25), 3, 12) });
  procore.answer = (path, query) => {
    const id = Number(/\/(\d+)$/.exec(path)?.[1]);
    return [3, 12].includes(id) ? show(id) : listed(path, query);
  };
  const { buried, remarks } = await fill('Locations');
  expect({ buried, remarks }).toEqual({ buried: 0, remarks: [expect.stringMatching(/^2 rows .* stay: Procore /)] });
  expect(await marked('locations')).toEqual([]);
});

test('a list that shows nothing any more buries nothing', async () => {
  procore.answer = world({ '/locations': [1, 2] });
  await fill('Locations');
  procore.answer = world({ '/locations': [] });
  expect(await fill('Locations')).toMatchObject({ buried: 0, remarks: [expect.stringContaining('shows nothing')] });
  expect(await marked('locations')).toEqual([]);
});

test('children that their parents list no more are buried, and all of a parent that is gone, whoever has sent no event', async () => {
  procore.answer = world({ '/rfis': [1, 2, 3], '/1/replies': [11, 12], '/2/replies': [21], '/3/replies': [31, 32] });
  await fill('RFIs');
  await fill('RFI Replies');
  await settle();
  procore.answer = world({ '/rfis': [1, 2], '/1/replies': [12], '/2/replies': [21] });
  expect(await fill('RFIs')).toMatchObject({ buried: 1 });
  expect(await marked('rfis')).toEqual([3]);
  expect(await marked('rfi_replies')).toEqual([31, 32]);
  await settle();
  expect(await fill('RFI Replies')).toMatchObject({ buried: 1 });
  expect(await marked('rfi_replies')).toEqual([11, 31, 32]);
});

test('more children of a parent that is gone than the cap are fetched, and not buried with it', async () => {
  const few = upTo(20).map((id) => 100 + id);
  const many = upTo(21).map((id) => 200 + id);
  procore.answer = world({ '/rfis': [1, 2, 3], '/1/replies': few, '/2/replies': many, '/3/replies': [301] });
  await fill('RFIs');
  await fill('RFI Replies');
  await settle();
  procore.answer = world({ '/rfis': [2, 3], '/2/replies': many, '/3/replies': [301] });
  expect(await fill('RFIs')).toMatchObject({ buried: 1 });
  expect(await marked('rfi_replies')).toEqual(few);
  await settle();
  procore.answer = world({ '/rfis': [3], '/3/replies': [301] });
  expect(await fill('RFIs')).toMatchObject({ buried: 1 });
  expect(await marked('rfi_replies')).toEqual(few);
  expect(await query("select record_id::int as id from mirror.pending where lane = 'repair' order by 1")).toEqual(
    many.map((id) => ({ id })),
  );
});

test('a child that went from one parent to another is not buried, whichever is listed first', async () => {
  procore.answer = world({ '/rfis': [1, 2], '/1/replies': [11, 12], '/2/replies': [21, 22] });
  await fill('RFIs');
  await fill('RFI Replies');
  procore.answer = world({ '/rfis': [1, 2], '/1/replies': [12, 22], '/2/replies': [21, 11] });
  expect(await fill('RFI Replies')).toMatchObject({ buried: 0 });
  expect(await marked('rfi_replies')).toEqual([]);
});

test('where a parent does not answer, its children stay, and those that others lack are buried', async () => {
  procore.answer = world({ '/rfis': [1, 2, 3], '/1/replies': [11, 12], '/2/replies': [21, 22], '/3/replies': [31] });
  await fill('RFIs');
  await fill('RFI Replies');
  const answer = world({ '/rfis': [1, 2, 3], '/1/replies': [12], '/2/replies': [] });
  procore.answer = (path, search) => (path.endsWith('/2/replies') ? { status: 403 } : answer(path, search));
  await expect(fill('RFI Replies')).rejects.toThrow();
  expect(await marked('rfi_replies')).toEqual([11]);
});

const all = upTo(25);
const some = without(all, 3, 12);
const last = (query: URLSearchParams, number: number) => query.get('page') === String(number);
const doubts: [string, (path: string, search: URLSearchParams) => Scripted][] = [
  [
    'is cut in half',
    (path, search) => ({ ...world({ '': all.slice(0, 10) })(path, search), headers: { total: '25' } }),
  ],
  [
    'has another Total on each page',
    (path, search) => withTotal(23 + Number(search.get('page') ?? 1), world({ '': some })(path, search)),
  ],
  [
    'shows a record twice',
    (path, search) => withTotal(22, world({ '': [...some.slice(0, 15), 1, ...some.slice(15, 22)] })(path, search)),
  ],
  [
    'is answered 500 in the middle',
    (path, search) => (last(search, 2) ? { status: 500 } : world({ '': some })(path, search)),
  ],
  ['is answered 403', () => ({ status: 403 })],
  ['is answered 404', () => ({ status: 404 })],
  [
    'is malformed in the end',
    (path, search) => (last(search, 3) ? { body: { a: 1 } } : world({ '': some })(path, search)),
  ],
  ['is malformed', () => ({ body: { message: 'none' } })],
  [
    'holds a record without an id',
    () => ({ body: [...some.slice(1).map(record), { subject: 'x' }], headers: { total: '23' } }),
  ],
  [
    'does not say how many there are, and changes',
    (() => {
      let asked = 0;
      return () => {
        asked += 1;
        return { body: some.slice(asked % 3, 9).map(record) };
      };
    })(),
  ],
  ['counts more than come', () => ({ body: some.slice(0, 9).map(record), headers: { total: '25' } })],
  ['counts fewer than come', () => ({ body: some.slice(0, 9).map(record), headers: { total: '8' } })],
];

test.each(doubts)('a list that %s buries nothing', async (_, answer) => {
  procore.answer = world({ '/locations': all });
  await fill('Locations');
  const isMe = (path: string) => path.endsWith('/me');
  procore.answer = (path, search) => (isMe(path) ? { body: { id: 1 } } : answer(path, search));
  // A doubt that lasts becomes no proof.
  for (let times = 0; times < 3; times += 1) await fill('Locations', { deleteCap: 100 }).catch(() => {});
  expect(await marked('locations')).toEqual([]);
  expect(await marked('locations', 'hidden')).toEqual([]);
});

test('a list from which records go while others come buries none that it skipped', async () => {
  procore.answer = world({ '/locations': all });
  await fill('Locations');
  const now = [...all];
  let next = 26;
  procore.answer = (path, search) => {
    const answer = world({ '/locations': [...now] })(path, search);
    now.shift();
    now.push(next);
    next += 1;
    return answer;
  };
  await fill('Locations');
  const there = new Set(now);
  const buried = await marked('locations');
  expect(buried.filter((id) => there.has(Number(id)))).toEqual([]);
});

test('what the second look shows stays: the copy that answered first lagged behind', async () => {
  procore.answer = world({ '/locations': upTo(9) });
  await fill('Locations');
  let asked = 0;
  procore.answer = (path, search) => {
    asked += 1;
    return world({ '/locations': asked === 1 ? upTo(6) : upTo(8) })(path, search);
  };
  expect(await fill('Locations')).toMatchObject({ buried: 1 });
  expect(await marked('locations')).toEqual([9]);
});

test.each<[string, string, string | null, string]>([
  ['of people who are active', 'Project Users', '7', 'project_users'],
  ['that others go along with', 'Company Users', null, 'company_users'],
  ['of some days', 'Manpower Logs', '7', 'manpower_logs'],
  ['of what we may see', 'Projects', null, 'projects'],
])('a list %s buries nothing', async (_, resource, projectId, table) => {
  procore.answer = (path, search) => world({ '': path.includes('inactive') ? [] : upTo(9) })(path, search);
  await fill(resource, { projectId });
  await settle();
  procore.answer = (path, search) => world({ '': path.includes('inactive') ? [] : upTo(8) })(path, search);
  expect(await fill(resource, { projectId })).toMatchObject({ buried: 0, remarks: [] });
  expect(await marked(table)).toEqual([]);
});

test('a Total that counts more than we may see proves as much as before, as soon as it did when nothing was lacking', async () => {
  const hiding = (ids: readonly number[]) => (path: string, search: URLSearchParams) =>
    withTotal(ids.length + 2, world({ '/locations': ids })(path, search));
  procore.answer = hiding(upTo(9));
  await fill('Locations');
  await fill('Locations');
  procore.answer = hiding(upTo(8));
  expect(await fill('Locations')).toMatchObject({ buried: 1 });
});

test('a Total that counts a row that is hidden from us proves as much, too', async () => {
  const hiding = (ids: readonly number[]) => (path: string, search: URLSearchParams) =>
    withTotal(ids.length + 1, world({ '/locations': ids })(path, search));
  procore.answer = world({ '/locations': upTo(9) });
  await fill('Locations');
  await query('update procore.locations set _hidden_at = now() where id = 9');
  procore.answer = hiding(upTo(8));
  await fill('Locations');
  await fill('Locations');
  procore.answer = hiding(upTo(7));
  expect(await fill('Locations')).toMatchObject({ buried: 1 });
  expect(await marked('locations')).toEqual([8]);
});

const untold = (ids: readonly number[]) => (path: string, search: URLSearchParams) => {
  const { headers: _, ...answer } = world({ '': ids })(path, search);
  return /\/\d+$/.test(path) && !ids.includes(Number(path.split('/').at(-1))) ? { status: 404 } : answer;
};

test.each<[string, string, number[]]>([
  ['Locations', 'locations', [9]],
  ['Change Types', 'change_types', []], // no call shows one of them
])(
  'a list of %s that does not say how many there are proves what it lacks if the record is not shown, either',
  async (resource, table, gone) => {
    procore.answer = untold(upTo(9));
    await fill(resource);
    await settle();
    procore.answer = untold(upTo(8));
    await fill(resource);
    expect(await marked(table)).toEqual(gone);
  },
);

test('a Total that counts more than we may see proves nothing where nothing but the list shows a record', async () => {
  const hiding = (ids: readonly number[]) => (path: string, search: URLSearchParams) =>
    withTotal(ids.length + 2, world({ '': ids })(path, search));
  procore.answer = hiding(upTo(9));
  await fill('Change Types');
  await fill('Change Types');
  procore.answer = hiding(upTo(8));
  expect(await fill('Change Types')).toMatchObject({ buried: 0 });
  expect(await marked('change_types')).toEqual([]);
});

test('records that are pending, or younger than the reading, stay', async () => {
  procore.answer = world({ '/locations': upTo(9) });
  await fill('Locations');
  await mirror.hear('Locations', [2]);
  const gone = world({ '/locations': [4, 5, 6, 7, 8, 9] });
  let asked = 0;
  procore.answer = async (path, search) => {
    asked += 1;
    // Shown while the list is read.
    if (asked === 1)
      await query(`update procore.locations set _version = nextval('mirror.fetch_version') where id = 3`);
    return gone(path, search);
  };
  expect(await fill('Locations')).toMatchObject({ buried: 1 });
  expect(await marked('locations')).toEqual([1]);
});

test('news that comes between the two looks protects, too', async () => {
  procore.answer = world({ '/locations': upTo(9) });
  await fill('Locations');
  let asked = 0;
  procore.answer = async (path, search) => {
    asked += 1;
    if (asked === 2) await mirror.hear('Locations', [9]);
    return world({ '/locations': upTo(7) })(path, search);
  };
  expect(await fill('Locations')).toMatchObject({ buried: 1 });
  expect(await marked('locations')).toEqual([8]);
});

test('more than the cap are not buried, and it says so; as many as an operator allows are', async () => {
  procore.answer = world({ '/locations': upTo(50) });
  await fill('Locations');
  procore.answer = world({ '/locations': upTo(29) });
  procore.calls = [];
  const remarks = ['21 rows that Procore lists no more stay: more than DELETE_CAP (20) allows'];
  expect(await fill('Locations')).toMatchObject({ calls: 3, buried: 0, remarks });
  expect(await fill('Locations', { deleteCap: 21 })).toMatchObject({ buried: 21, remarks: [] });
});

test('killed anywhere, it buries the same rows, and each once', async () => {
  procore.answer = world({
    '/rfis': [1, 2],
    '/1/replies': upTo(25).map((id) => 100 + id),
    '/2/replies': [201, 202, 203],
  });
  await fill('RFIs');
  await fill('RFI Replies');
  for (let kills = 0; ; kills += 1) {
    await query('update procore.rfi_replies set _deleted_at = null, _version = 1');
    procore.answer = world({ '/rfis': [1, 2], '/1/replies': upTo(23).map((id) => 100 + id), '/2/replies': [201, 203] });
    let place: unknown = null;
    let parents: unknown = null;
    let left = kills;
    const kept = (): KeptFill => ({
      ...{ place, parents, attempts: 0, isLastTry: false, areParentsFilled: async () => true },
      keepParents: async (kept) => {
        parents = kept;
      },
      keep: async (_, news: FillNews) => {
        left -= 1;
        if (left === -1) throw new Error('killed');
        place = JSON.parse(JSON.stringify(news.place));
      },
    });
    let end = await fill('RFI Replies', { kept: kept() }).catch(() => null);
    const wasKilled = end === null;
    end ??= await fill('RFI Replies', { kept: kept() });
    expect(end).toMatchObject({ buried: 3 });
    expect(await marked('rfi_replies')).toEqual([124, 125, 202]);
    if (!wasKilled) break;
  }
}, 60_000);
