// When an answer lacks a record: what that proves, of which place, and what is done about the rest.
import { catalogue } from '@procore-mirror/catalogue';
import { inTransaction, storeRecords, takeVersion } from '@procore-mirror/database';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { backfillResource } from '../backfill-resource.ts';
import { lookAgain } from '../look-again.ts';
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
  world = new Map();
});

/** What Procore has: records by their path, lists are of what stands under theirs. */
let world: Map<string, Record<string, unknown>>;

function answerFromWorld(path: string, query: URLSearchParams) {
  if (path.endsWith('/me')) return { body: { id: 5 } };
  const found = world.get(path);
  if (found !== undefined) return { body: found };
  if (/\/\d+$/.test(path)) return { status: 404 };
  const asked = query.getAll('filters[id][]');
  const items = [...world]
    .filter(([key]) => key.slice(0, key.lastIndexOf('/')) === path)
    .map(([, record]) => record)
    .filter(({ id }) => asked.length === 0 || asked.includes(String(id)));
  return { body: path.startsWith('/rest/v2') ? { data: items } : items };
}

const COMPANY = { projectId: null };
const RFIS = (project: number) => `/rest/v1.0/projects/${project}/rfis`;
const put = (path: string, record: Record<string, unknown>) => world.set(`${path}/${record.id}`, record);
const ready = () => mirror.database.pool.query('update mirror.pending set ready_at = now(), not_before = null');

async function runUntilQuiet(resource: string, scope = {}): Promise<void> {
  for (let runs = 0; runs < 6; runs += 1) {
    await ready();
    await mirror.run(resource, scope);
  }
}

describe('a record that Procore does not have yet', () => {
  test.each([
    ['RFIs', RFIS(7), {}, {}],
    ['Locations', '/rest/v1.0/projects/7/locations', {}, {}],
    ['Notes Logs', '/rest/v1.0/projects/7/notes_logs', {}, {}],
    ['Drawing Areas', '/rest/v1.1/projects/7/drawing_areas', {}, {}],
    ['Change Order Change Reasons', '/rest/v2.0/companies/1/change_order_change_reasons', COMPANY, { project_id: '' }],
    ['Trades', '/rest/v1.0/companies/1/trades', COMPANY, { project_id: '' }],
    ['Company Users', '/rest/v1.3/companies/1/users', COMPANY, { project_id: '' }],
  ])('is asked for again before it counts as absent: %s', async (resource, path, scope, change) => {
    procore.answer = answerFromWorld;
    await mirror.hear(resource, [1], { reason: 'create', ...change });
    await mirror.run(resource, scope);
    expect(await mirror.pendingIds()).toEqual(['1']);
    put(path, { id: 1, name: 'late' });
    await mirror.run(resource, scope);
    const { table } = catalogue.get(resource);
    expect(await mirror.rows(table.name)).toEqual([{ id: '1', deleted: false, hidden: false }]);
    expect(await mirror.pendingIds()).toEqual([]);
  });

  test('and whose second look comes too soon stays pending', async () => {
    procore.answer = answerFromWorld;
    await mirror.hear('RFIs', [1]);
    for (let runs = 0; runs < 3; runs += 1) {
      await ready();
      await mirror.run('RFIs', {}, { absencePauseMs: 60_000 });
    }
    expect(await mirror.rows('rfis')).toEqual([]);
    expect(await mirror.pendingIds()).toEqual(['1']);
  });

  test('needs two sightings anew after each event', async () => {
    procore.answer = answerFromWorld;
    for (let events = 0; events < 3; events += 1) {
      await mirror.hear('RFIs', [1]);
      await mirror.run('RFIs');
      expect(await mirror.rows('rfis')).toEqual([]);
    }
    await mirror.run('RFIs');
    expect(await mirror.rows('rfis')).toEqual([{ id: '1', deleted: false, hidden: true }]);
  });
});

describe('a hidden record', () => {
  const due = () => mirror.database.pool.query('update mirror.absences set look_at = now() where look_at is not null');
  const waits = async () => {
    const { rows } = await mirror.database.pool.query(
      `select round(extract(epoch from look_at - now()) / 60)::int as minutes, looks from mirror.absences`,
    );
    return rows;
  };
  const runLook = async () => {
    await due();
    expect(await lookAgain(mirror.settings)).toBe(1);
    await ready();
    return mirror.run('RFIs', { lane: 'repair' });
  };

  test('is looked at again after ten minutes, an hour and a day, for two calls each, and then no more', async () => {
    procore.answer = answerFromWorld;
    await mirror.hear('RFIs', [1]);
    await mirror.run('RFIs');
    await mirror.run('RFIs');
    expect(await waits()).toEqual([{ minutes: 10, looks: 0 }]);
    for (const wait of [60, 1440, null]) {
      procore.calls = [];
      await runLook();
      expect(procore.calls).toHaveLength(2); // the company tells that it is there
      expect(await mirror.pendingIds()).toEqual([]);
      expect((await waits())[0]?.minutes).toBe(wait);
    }
    await due();
    expect(await lookAgain(mirror.settings)).toBe(0);
  });

  test('comes back when a look finds it, and is looked at no more', async () => {
    procore.answer = answerFromWorld;
    await mirror.hear('RFIs', [1]);
    await mirror.run('RFIs');
    await mirror.run('RFIs');
    put(RFIS(7), { id: 1 });
    await runLook();
    expect(await mirror.rows('rfis')).toEqual([{ id: '1', deleted: false, hidden: false }]);
    await due();
    expect(await lookAgain(mirror.settings)).toBe(0);
  });

  test('that waits for a fetch already is not marked twice', async () => {
    procore.answer = answerFromWorld;
    await mirror.hear('RFIs', [1]);
    await mirror.run('RFIs');
    await mirror.run('RFIs');
    await mirror.hear('RFIs', [1]);
    await due();
    expect(await lookAgain(mirror.settings)).toBe(0);
  });
});

describe('hidden children of no known parent', () => {
  test('are looked for in one walk, though their looks are due one after the other', async () => {
    procore.answer = answerFromWorld;
    for (const id of upTo(30)) put(RFIS(7), { id });
    await mirror.hear('RFIs', upTo(30));
    await runUntilQuiet('RFIs');
    const children = `generate_series(501, 520) as id`;
    await mirror.database.pool.query(`insert into procore.rfi_replies (company_id, project_id, id, _hidden_at, _fetched_at, _version)
      select 1, 7, id, now(), now(), 1 from ${children}`);
    await mirror.database.pool.query(`insert into mirror.absences (company_id, resource, record_id, project_id, version, looks, look_at)
      select 1, 'RFI Replies', id, 7, 1, 2, now() + (id - 501) * interval '30 minutes' from ${children}`);
    procore.calls = [];
    expect(await lookAgain(mirror.settings)).toBe(20);
    await runUntilQuiet('RFI Replies', { lane: 'repair' });
    expect(procore.calls.length).toBeLessThan(40);
  });
});

describe('a parent that comes back', () => {
  const replies = async () => {
    await runUntilQuiet('RFIs');
    await runUntilQuiet('RFI Replies');
    return mirror.rows('rfi_replies');
  };
  test.each([
    ['deleted with it', '0', { deleted: false }],
    ['deleted long before it', '2 days', { deleted: true }],
  ])('brings back a child that was %s', async (_, age, expected) => {
    procore.answer = answerFromWorld;
    for (const id of upTo(40)) put(RFIS(7), { id });
    put(`${RFIS(7)}/1/replies`, { id: 5 });
    await mirror.hear('RFIs', upTo(40));
    await mirror.hear('RFI Replies', [5]);
    await replies();
    const parent = world.get(`${RFIS(7)}/1`)!;
    world.clear();
    await mirror.hear('RFI Replies', [5], { reason: 'delete' });
    expect(await replies()).toMatchObject([{ deleted: true }]);
    await mirror.database.pool.query(`update procore.rfi_replies set _deleted_at = _deleted_at - $1::interval`, [age]);
    await mirror.hear('RFIs', [1], { reason: 'delete' });
    await replies();
    put(RFIS(7), parent);
    put(`${RFIS(7)}/1/replies`, { id: 5 });
    procore.calls = [];
    await mirror.hear('RFIs', [1]);
    expect(await replies()).toMatchObject([expected]);
    expect(procore.calls.length).toBeLessThan(6);
  });
});

describe('a record that moves to another project', () => {
  const at = (project: number) => ({ projectId: String(project) });
  const place = async () => mirror.rows('rfis', 'id, project_id');
  const LIVE_IN_8 = [{ id: '1', project_id: '8', deleted: false, hidden: false }];
  beforeEach(async () => {
    procore.answer = answerFromWorld;
    put(RFIS(7), { id: 1 });
    await mirror.hear('RFIs', [1]);
    await mirror.run('RFIs');
    world.delete(`${RFIS(7)}/1`);
    put(RFIS(8), { id: 1 });
  });

  test.each([
    ['the new project tells first', ['new', 'old'], {}],
    ['the old project tells first', ['old', 'new'], {}],
    ['the old project tells of a deletion, first', ['old', 'new'], { reason: 'delete' }],
    ['the old project tells of a deletion, last', ['new', 'old'], { reason: 'delete' }],
  ] as const)('ends where it is: %s', async (_, order, change) => {
    for (const which of order) {
      if (which === 'old') await mirror.hear('RFIs', [1], change);
      else await mirror.hear('RFIs', [1], { project_id: '8' });
      await runUntilQuiet('RFIs', at(which === 'old' ? 7 : 8));
    }
    // News of the old place is news of the record where it is now.
    await runUntilQuiet('RFIs', at(8));
    expect(await place()).toEqual(LIVE_IN_8);
    expect(await mirror.pendingIds()).toEqual([]);
  });

  test.each(['update', 'delete'])(
    'and whose answer comes after the later absence here is read again (%s)',
    async (reason) => {
      let release = () => {};
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      let isHeld = true;
      procore.answer = async (path, query) => {
        const answer = answerFromWorld(path, query);
        if (path.startsWith(RFIS(8)) && isHeld) await held;
        return answer;
      };
      await mirror.hear('RFIs', [1], { project_id: '8' });
      const slow = mirror.run('RFIs', at(8));
      await expect.poll(() => procore.calls.some((call) => call.startsWith(RFIS(8)))).toBe(true);
      await mirror.hear('RFIs', [1], { reason });
      await mirror.run('RFIs', at(7));
      await mirror.run('RFIs', at(7));
      isHeld = false;
      release();
      await slow;
      await runUntilQuiet('RFIs', at(8));
      expect(await place()).toEqual(LIVE_IN_8);
      expect(await mirror.pendingIds()).toEqual([]);
    },
  );

  test('and is deleted there is not brought back by an answer of before', async () => {
    world.delete(`${RFIS(8)}/1`);
    const early = await takeVersion(mirror.database);
    await mirror.hear('RFIs', [1], { project_id: '8', reason: 'delete' });
    await mirror.run('RFIs', at(8));
    await inTransaction(mirror.database, (client) =>
      storeRecords(client, {
        ...{ companyId: '1', projectId: '8', version: early, json: Buffer.from('{"id": 1}') },
        ...{ table: catalogue.get('RFIs').table, wrapper: 'none', parentId: null, only: null },
      }),
    );
    // The row is still where it was seen last, and is looked for there.
    expect(await place()).toEqual([{ id: '1', project_id: '7', deleted: false, hidden: false }]);
    await runUntilQuiet('RFIs', at(7));
    expect(await place()).toEqual([{ id: '1', project_id: '7', deleted: false, hidden: true }]);
    await runUntilQuiet('RFIs', at(8)); // where it was seen, too
    expect(await mirror.pendingIds()).toEqual([]);
  });

  const show = () => mirror.run('RFIs', at(8));
  const listOfFill = () =>
    backfillResource(
      mirror.settings,
      { companyId: '1', projectId: '8', resource: 'RFIs' },
      { signal: AbortSignal.timeout(30_000), now: new Date() },
    );
  test.each([
    ['a show', show],
    ['the list of a fill', listOfFill],
  ])('and back is not taken away again for good by %s from a copy that lags', async (_, look) => {
    await mirror.hear('RFIs', [1], { project_id: '8' });
    await runUntilQuiet('RFIs', at(8));
    put(RFIS(7), { id: 1 });
    await mirror.hear('RFIs', [1], { project_id: '8' });
    await mirror.hear('RFIs', [1]);
    await mirror.run('RFIs', at(7));
    expect(await place()).toMatchObject([{ project_id: '7' }]);
    await look();
    world.delete(`${RFIS(8)}/1`); // the copy has caught up
    for (const project of [8, 7, 8, 7]) await runUntilQuiet('RFIs', at(project));
    expect(await place()).toEqual([{ id: '1', project_id: '7', deleted: false, hidden: false }]);
    expect(await mirror.pendingIds()).toEqual([]);
  });

  test('is not buried there by one absence, whatever the old place deletes', async () => {
    await mirror.hear('RFIs', [1], { project_id: '8' });
    await runUntilQuiet('RFIs', at(8));
    await mirror.hear('RFIs', [1], { reason: 'delete' });
    await mirror.run('RFIs', at(7));
    world.delete(`${RFIS(8)}/1`); // a copy that lags
    await mirror.run('RFIs', at(8));
    put(RFIS(8), { id: 1 });
    await runUntilQuiet('RFIs', at(8));
    expect(await place()).toEqual(LIVE_IN_8);
  });

  test('takes its children along: a late absence in the old place buries none of them', async () => {
    put(`${RFIS(8)}/1/replies`, { id: 5 });
    await mirror.hear('RFIs', [1], { project_id: '8' });
    await runUntilQuiet('RFIs', at(8));
    await mirror.hear('RFI Replies', [5], { project_id: '8' });
    await runUntilQuiet('RFI Replies', at(8));
    await mirror.hear('RFIs', [1], { reason: 'delete' });
    await runUntilQuiet('RFIs', at(7));
    expect(await place()).toEqual(LIVE_IN_8);
    expect(await mirror.rows('rfi_replies', 'id, project_id')).toEqual([
      { id: '5', project_id: '8', deleted: false, hidden: false },
    ]);
  });

  test('takes its children along, also those whose path names no project', async () => {
    const areas = (project: number) => `/rest/v1.1/projects/${project}/drawing_areas`;
    put(areas(7), { id: 3 });
    put('/rest/v1.1/drawing_areas/3/drawings', { id: 31 });
    await mirror.hear('Drawing Areas', [3]);
    await runUntilQuiet('Drawing Areas');
    await mirror.hear('Drawings', [31]);
    await runUntilQuiet('Drawings');
    world.delete(`${areas(7)}/3`);
    put(areas(8), { id: 3 });
    await mirror.hear('Drawing Areas', [3], { project_id: '8' });
    await runUntilQuiet('Drawing Areas', at(8));
    await runUntilQuiet('Drawings', at(8));
    await mirror.hear('Drawings', [31]); // an event of before, delivered late
    await runUntilQuiet('Drawings');
    const drawing = { id: '31', project_id: '8', drawing_area_id: '3', deleted: false, hidden: false };
    expect(await mirror.rows('drawings', 'id, project_id, drawing_area_id')).toEqual([drawing]);
    expect(await mirror.pendingIds()).toEqual([]);
  });

  test.each(['before', 'after'])(
    'takes a child along that nobody had read, whose event is looked at %s',
    async (when) => {
      world = new Map();
      put(RFIS(8), { id: 1 });
      put(RFIS(8), { id: 3 });
      put(`${RFIS(8)}/1/replies`, { id: 5 });
      if (when === 'before') {
        await mirror.hear('RFI Replies', [5]);
        await runUntilQuiet('RFI Replies');
        expect(await mirror.rows('rfi_replies')).toEqual([{ id: '5', deleted: false, hidden: true }]);
      }
      await mirror.hear('RFIs', [1, 3], { project_id: '8' });
      await runUntilQuiet('RFIs', at(8));
      if (when === 'after') {
        await mirror.hear('RFI Replies', [5]);
        await runUntilQuiet('RFI Replies');
      }
      await runUntilQuiet('RFI Replies', at(8));
      expect(await mirror.rows('rfi_replies', 'id, project_id, rfi_id')).toEqual([
        { id: '5', project_id: '8', rfi_id: '1', deleted: false, hidden: false },
      ]);
    },
  );

  test('and one that moves the other way send no absent child to and fro', async () => {
    put(RFIS(8), { id: 2 });
    await mirror.hear('RFIs', [2], { project_id: '8' });
    await runUntilQuiet('RFIs', at(8));
    world = new Map();
    put(RFIS(8), { id: 1 });
    put(RFIS(7), { id: 2 });
    await mirror.hear('RFIs', [1], { project_id: '8' });
    await mirror.hear('RFIs', [2]);
    for (const project of [7, 8]) await runUntilQuiet('RFIs', at(project));
    await mirror.hear('RFI Replies', [5]);
    for (const project of [7, 8]) await runUntilQuiet('RFI Replies', at(project));
    expect(await mirror.pendingIds()).toEqual([]);
  });

  test('takes its children along, although they tell nothing', async () => {
    world = new Map();
    put(RFIS(7), { id: 2 });
    put(`${RFIS(7)}/2/replies`, { id: 5 });
    await mirror.hear('RFI Replies', [5]);
    await mirror.hear('RFIs', [2]);
    await runUntilQuiet('RFIs');
    await runUntilQuiet('RFI Replies');
    world = new Map();
    put(RFIS(8), { id: 2 });
    put(`${RFIS(8)}/2/replies`, { id: 5 });
    await mirror.hear('RFIs', [2], { project_id: '8' });
    await runUntilQuiet('RFIs', at(8));
    await runUntilQuiet('RFI Replies', at(8));
    expect(await mirror.rows('rfi_replies', 'id, project_id, rfi_id')).toEqual([
      { id: '5', project_id: '8', rfi_id: '2', deleted: false, hidden: false },
    ]);
  });
});

describe('what no row ties to the record that it is listed under', () => {
  const DIVISIONS = 'Specification Section Divisions';
  const REVISIONS = 'Specification Section Revisions';
  const LIST = '/rest/v1.0/specification_section_revisions';
  const at = (project: number) => ({ projectId: String(project) });
  /** Where each division is, and in which each revision. */
  let projectOf: Record<number, number> = {};
  const divisionOf: Record<number, number> = { 5: 1, 6: 1, 7: 2 };
  /** How the list of revisions of a moved division is answered once. */
  let odd: { status: number } | null = null;
  const idsWhere = (of: Record<number, number>, value: number) =>
    Object.keys(of).flatMap((id) => (of[Number(id)] === value ? { id: Number(id) } : []));

  function answerList(query: URLSearchParams) {
    const [division, project] = ['specification_section_division_id', 'project_id'].map((name) =>
      Number(query.get(name)),
    );
    const answer = project === 8 ? odd : null;
    if (answer !== null) odd = null;
    const isHere = projectOf[division ?? 0] === project;
    return answer ?? (isHere ? { body: idsWhere(divisionOf, division ?? 0) } : { status: 404 });
  }
  function answerShow(id: number, query: URLSearchParams) {
    const isHere = projectOf[divisionOf[id] ?? 0] === Number(query.get('project_id'));
    return isHere ? { body: { id } } : { status: 404 };
  }
  beforeEach(async () => {
    projectOf = { 1: 7, 2: 7, 3: 8 };
    odd = null;
    procore.answer = (path, query) => {
      if (path.endsWith('/me')) return { body: { id: 5 } };
      if (path.endsWith('divisions')) return { body: idsWhere(projectOf, Number(query.get('project_id'))) };
      return path === LIST ? answerList(query) : answerShow(Number(path.split('/').at(-1)), query);
    };
    await mirror.hear(DIVISIONS, [1, 2]);
    await mirror.hear(DIVISIONS, [3], { project_id: '8' });
    await mirror.hear(REVISIONS, [5, 6, 7]);
    for (const resource of [DIVISIONS, REVISIONS]) await settle(resource);
    procore.calls = [];
  });
  const settle = async (resource: string) => {
    for (let runs = 0; runs < 9; runs += 1) {
      await ready();
      const pending = await mirror.database.pool.query<{ projectId: string; lane: 'live' }>(
        `select distinct project_id as "projectId", lane from mirror.pending where resource = $1`,
        [resource],
      );
      for (const batch of pending.rows) await mirror.run(resource, batch);
    }
  };
  const move = async () => {
    projectOf[1] = 8;
    await mirror.hear(DIVISIONS, [1], { project_id: '8' });
  };
  const LIVE = { deleted: false, hidden: false };
  const expectMoved = async () => {
    expect(await mirror.rows('specification_section_revisions', 'id, project_id')).toEqual([
      { id: '5', project_id: '8', ...LIVE },
      { id: '6', project_id: '8', ...LIVE },
      { id: '7', project_id: '7', ...LIVE },
    ]);
    expect(await mirror.pendingIds()).toEqual([]);
  };

  test('goes along with it, for one call more than those that bring it', async () => {
    await move();
    await settle(DIVISIONS);
    expect(procore.calls.filter((call) => call.startsWith(LIST))).toHaveLength(1);
    expect(procore.calls).toHaveLength(3); // what moved is read twice in any case
    await settle(REVISIONS);
    expect(procore.calls).toHaveLength(5);
    await expectMoved();
    // Later news of it costs what it did.
    procore.calls = [];
    await mirror.hear(DIVISIONS, [1], { project_id: '8' });
    await settle(DIVISIONS);
    expect(procore.calls).toHaveLength(1);
  });

  test.each([403, 404])(
    'goes along where the list answers %s first, which keeps no other record waiting',
    async (status) => {
      await move();
      await mirror.run(DIVISIONS, at(8));
      odd = { status };
      await mirror.hear(DIVISIONS, [3], { project_id: '8' });
      await ready();
      await mirror.run(DIVISIONS, at(8));
      expect(odd).toBeNull();
      expect(await mirror.pendingIds()).toEqual(['1']);
      await settle(DIVISIONS);
      await settle(REVISIONS);
      await expectMoved();
    },
  );

  test('goes along when news comes before the list was read, and from another lane', async () => {
    await move();
    await mirror.run(DIVISIONS, { ...at(8), lane: 'repair' });
    await mirror.run(DIVISIONS, at(8));
    for (const lane of ['live', 'detail'] as const) {
      await mirror.hear(DIVISIONS, [1], { project_id: '8' });
      await ready();
      await mirror.run(DIVISIONS, { ...at(8), lane });
    }
    await settle(DIVISIONS);
    await settle(REVISIONS);
    await expectMoved();
  });

  test('goes along where the old project alone tells of it', async () => {
    projectOf[1] = 8;
    const options = { signal: AbortSignal.timeout(30_000), now: new Date() };
    await mirror.database.pool.query(`update procore.specification_section_divisions set project_id = 8 where id = 1`);
    await mirror.hear(DIVISIONS, [1]);
    await settle(DIVISIONS);
    await settle(DIVISIONS);
    await settle(REVISIONS);
    await expectMoved();
    await backfillResource(mirror.settings, { companyId: '1', projectId: '8', resource: DIVISIONS }, options);
    expect(await mirror.pendingIds()).toEqual([]);
  });
});

describe('children of a parent that was deleted in a project', () => {
  test('are buried there, and not in another project', async () => {
    const { table } = catalogue.get('RFQ Quotes');
    const store = async (projectId: string, id: number) => {
      const version = await takeVersion(mirror.database);
      const answer = { table, companyId: '1', projectId, version, json: Buffer.from(JSON.stringify({ id })) };
      await inTransaction(mirror.database, (client) =>
        storeRecords(client, { ...answer, wrapper: 'none', parentId: '4', only: null }),
      );
    };
    await store('7', 5);
    await store('8', 6);
    procore.answer = () => ({ status: 404 });
    await mirror.hear('RFQs', [4], { reason: 'delete' });
    await runUntilQuiet('RFQs');
    expect(await mirror.rows('rfq_quotes', 'id')).toEqual([
      { id: '5', deleted: true, hidden: false },
      { id: '6', deleted: false, hidden: false },
    ]);
  });
});

describe('a child', () => {
  const replies = (rfi: number) => `${RFIS(7)}/${rfi}/replies`;
  const where = () => mirror.rows('rfi_replies', 'id, rfi_id');
  beforeEach(async () => {
    procore.answer = answerFromWorld;
    put(RFIS(7), { id: 1 });
    put(RFIS(7), { id: 2 });
    put(replies(1), { id: 5 });
    await mirror.hear('RFIs', [1, 2]);
    await mirror.run('RFIs');
    await mirror.hear('RFI Replies', [5]);
    await runUntilQuiet('RFI Replies');
  });

  test.each([
    ['an update', [{}]],
    ['an update that a deletion came before', [{ reason: 'delete', timestamp: '2026-06-01T10:00:00Z' }, {}]],
  ])(
    'that got another parent is looked for under the others after %s, and both parents hear of it',
    async (_, events) => {
      await runUntilQuiet('RFIs');
      world.delete(`${replies(1)}/5`);
      put(replies(2), { id: 5 });
      for (const event of events) await mirror.hear('RFI Replies', [5], event);
      await runUntilQuiet('RFI Replies');
      expect(await where()).toEqual([{ id: '5', rfi_id: '2', deleted: false, hidden: false }]);
      expect(await mirror.pendingIds()).toEqual(['1', '2']);
    },
  );

  test('that was deleted under its parent costs one call', async () => {
    world.delete(`${replies(1)}/5`);
    procore.calls = [];
    await mirror.hear('RFI Replies', [5], { reason: 'delete' });
    await mirror.run('RFI Replies');
    expect(procore.calls).toHaveLength(1);
    expect(await where()).toEqual([{ id: '5', rfi_id: '1', deleted: true, hidden: false }]);
  });

  test('that was deleted before we had it and is there again is found', async () => {
    put(replies(2), { id: 6 });
    await mirror.hear('RFI Replies', [6], { reason: 'delete' });
    await runUntilQuiet('RFI Replies');
    expect(await where()).toMatchObject([{ id: '5' }, { id: '6', rfi_id: '2', deleted: false, hidden: false }]);
  });

  test('that was deleted before we had it leaves no ghost in the parent that shows it', async () => {
    put(RFIS(7), { id: 2, questions: [{ id: 1, answers: [{ id: 6 }] }] });
    await mirror.hear('RFIs', [2]);
    await mirror.run('RFIs');
    await mirror.database.pool.query(`update procore.rfis set _fetched_at = now() - interval '1 year'`);
    put(RFIS(7), { id: 2, questions: [{ id: 1, answers: [] }] });
    await mirror.hear('RFI Replies', [6], { reason: 'delete' });
    await runUntilQuiet('RFI Replies');
    await runUntilQuiet('RFIs');
    expect(await mirror.rows('rfis', `id, _data #> '{questions,0,answers}' as answers`)).toMatchObject([
      { id: '1' },
      { id: '2', answers: [] },
    ]);
  });

  test('is not given up by a look that began before its parent moved', async () => {
    let contract = '3';
    let release = () => {};
    let held: Promise<void> | null = null;
    procore.answer = async (path, query) => {
      if (path === '/rest/v1.0/purchase_order_contracts') return { body: [{ id: 3 }, { id: 4 }] };
      if (query.get('contract_id') !== contract) {
        await held;
        return { status: 404 };
      }
      if (path === '/rest/v1.0/rfqs') return { body: [{ id: 1, commitment_contract_id: Number(contract) }] };
      if (path === '/rest/v1.0/rfqs/1') return { body: { id: 1, commitment_contract_id: Number(contract) } };
      return path.endsWith('/quotes') ? { body: [{ id: 5 }] } : { body: { id: 5 } };
    };
    await mirror.hear('RFQs', [1]);
    await runUntilQuiet('RFQs');
    await mirror.hear('RFQ Quotes', [5]);
    await runUntilQuiet('RFQ Quotes');
    contract = '4';
    await mirror.hear('RFQ Quotes', [5]);
    await mirror.run('RFQ Quotes');
    held = new Promise((resolve) => {
      release = resolve;
    });
    const calls = procore.calls.length;
    const slow = mirror.run('RFQ Quotes');
    await expect.poll(() => procore.calls.length).toBeGreaterThan(calls);
    held = null;
    await mirror.hear('RFQs', [1]);
    await runUntilQuiet('RFQs');
    release();
    await slow;
    await runUntilQuiet('RFQ Quotes');
    expect(await mirror.rows('rfqs', 'id, contract_id')).toMatchObject([{ id: '1', contract_id: '4' }]);
    expect(await mirror.rows('rfq_quotes')).toEqual([{ id: '5', deleted: false, hidden: false }]);
    expect((await mirror.pendingIds()).includes('5')).toBe(false);
  });

  test('comes back with its parent, although it tells nothing', async () => {
    const { table } = catalogue.get('RFQ Quotes');
    const rfqs = '/rest/v1.0/rfqs';
    const version = await takeVersion(mirror.database);
    const shared = { companyId: '1', projectId: '7', version, wrapper: 'none' as const, only: null };
    await inTransaction(mirror.database, async (client) => {
      await storeRecords(client, { ...shared, table, json: Buffer.from('{"id": 5}'), parentId: '4' });
      const json = Buffer.from('{"id": 4, "commitment_contract_id": 3}');
      const rfq = { ...shared, table: catalogue.get('RFQs').table, json };
      await storeRecords(client, { ...rfq, parentId: '3' });
    });
    await mirror.hear('RFQs', [4], { reason: 'delete' });
    await mirror.run('RFQs');
    expect(await mirror.rows('rfq_quotes')).toEqual([{ id: '5', deleted: true, hidden: false }]);
    put(rfqs, { id: 4, commitment_contract_id: 3 });
    put(`${rfqs}/4/quotes`, { id: 5 });
    await mirror.hear('RFQs', [4]);
    await runUntilQuiet('RFQs');
    await runUntilQuiet('RFQ Quotes');
    expect(await mirror.rows('rfqs')).toEqual([{ id: '4', deleted: false, hidden: false }]);
    expect(await mirror.rows('rfq_quotes')).toEqual([{ id: '5', deleted: false, hidden: false }]);
  });
});

describe('a parent that carries its children', () => {
  const event = (fields: Record<string, unknown>) => ({ id: 1, ...fields });
  const path = '/rest/v1.1/change_events';
  const items = () => mirror.rows('change_event_line_items', 'id');
  const HELD = [{ id: '5', deleted: false, hidden: false }];
  beforeEach(async () => {
    procore.answer = answerFromWorld;
    put(path, event({ change_items: [{ id: 5 }] }));
    await mirror.hear('Change Event Line Items', [5]);
    await runUntilQuiet('Change Event Line Items');
    expect(await items()).toEqual(HELD);
    await runUntilQuiet('Change Events');
  });

  const nonsense: [string, unknown][] = [
    ['nothing', {}],
    ['a list', []],
    ['null', null],
    ['text', 'maintenance'],
    ['another record', { id: 2, change_items: [] }],
    ['a parent without the field', { id: 1 }],
    ['a parent whose field is null', { id: 1, change_items: null }],
    ['a parent whose field is an object', { id: 1, change_items: {} }],
    ['a record in a wrapper', { data: { id: 1, change_items: [] } }],
  ];
  test.each(nonsense)('says nothing of them when it is %s', async (_, body) => {
    procore.answer = () => ({ body });
    await mirror.hear('Change Event Line Items', [5]);
    const { error } = await mirror.run('Change Event Line Items');
    expect(String(error)).toContain('ProcoreFormatError');
    expect(await items()).toEqual(HELD);
    expect(await mirror.pendingIds()).toContain('5');
    procore.answer = answerFromWorld;
    await runUntilQuiet('Change Event Line Items');
    expect(await items()).toEqual(HELD);
  });

  test('buries at once what it held and holds no more, with no call more', async () => {
    put(path, event({ change_items: [] }));
    await mirror.hear('Change Events', [1]);
    procore.calls = [];
    await mirror.run('Change Events');
    expect(procore.calls).toHaveLength(1);
    expect(await items()).toEqual([{ id: '5', deleted: true, hidden: false }]);
  });

  test.each(nonsense.filter(([what]) => what.startsWith('a parent')))(
    'and whose list never comes buries what a delete event named: %s',
    async (_, body) => {
      procore.answer = () => ({ body });
      await mirror.hear('Change Event Line Items', [5], { reason: 'delete' });
      await mirror.hear('Change Event Line Items', [6]);
      await runUntilQuiet('Change Event Line Items');
      expect(await items()).toEqual([{ id: '5', deleted: true, hidden: false }]);
      expect(await mirror.pendingIds()).toContain('6');
    },
  );

  test('leaves alone a child that has news since it was read', async () => {
    put(path, event({ change_items: [] }));
    await mirror.hear('Change Events', [1]);
    let isFirst = true;
    procore.answer = async (asked, query) => {
      const answer = answerFromWorld(asked, query);
      if (isFirst) await mirror.hear('Change Event Line Items', [5]);
      isFirst = false;
      return answer;
    };
    await mirror.run('Change Events');
    expect(await items()).toEqual(HELD);
    expect(await mirror.pendingIds()).toContain('5');
  });

  test('and another that shows the same child are not read in turn for ever', async () => {
    put(path, { id: 2, change_items: [{ id: 5 }] });
    await mirror.hear('Change Events', [2]);
    await mirror.hear('Change Event Line Items', [5]);
    for (let rounds = 0; rounds < 3; rounds += 1) {
      await runUntilQuiet('Change Events');
      await runUntilQuiet('Change Event Line Items');
    }
    expect(await mirror.pendingIds()).toEqual([]);
  });

  test('brings in a child that another parent held before, whichever answers first', async () => {
    world.delete(`${path}/1`);
    put(path, { id: 1, change_items: [] });
    put(path, { id: 2, change_items: [{ id: 5 }] });
    const where = () => mirror.rows('change_event_line_items', 'id, change_event_id');
    for (const order of [
      ['1', '2'],
      ['2', '1'],
    ]) {
      for (const id of order) {
        await mirror.hear('Change Events', [id]);
        await mirror.run('Change Events');
      }
      expect(await where()).toEqual([{ id: '5', change_event_id: '2', deleted: false, hidden: false }]);
    }
  });
});

describe('one parent whose answer makes no sense', () => {
  test.each([
    ['RFIs', RFIS(7), 'RFI Replies', 'replies', {}],
    ['RFIs', RFIS(7), 'RFI Replies', 'replies', [{ id: 70 }, { note: 'none' }]],
    ['RFIs', RFIS(7), 'RFI Replies', 'replies', 'maintenance'],
  ])('keeps no child of others from being found, and none is given up: %s', async (parent, path, child, list, odd) => {
    put(path, { id: 1 });
    put(path, { id: 2 });
    put(`${path}/2/${list}`, { id: 5 });
    procore.answer = (asked, query) => (asked === `${path}/1/${list}` ? { body: odd } : answerFromWorld(asked, query));
    for (const id of [2, 1]) {
      await mirror.hear(parent, [id]);
      await runUntilQuiet(parent);
    }
    await mirror.hear(child, [5, 6]);
    await runUntilQuiet(child);
    await runUntilQuiet(parent); // told of its new child
    expect(await mirror.rows('rfi_replies')).toContainEqual({ id: '5', deleted: false, hidden: false });
    expect(await mirror.rows('rfi_replies')).not.toContainEqual(expect.objectContaining({ id: '6' }));
    expect(await mirror.pendingIds()).toEqual(['6']);
  });
});

describe('a list that is none', () => {
  // `read-answer.test.ts` has the forms.
  test.each([
    ['Locations', {}],
    ['Locations', [{}]],
    ['Drawing Areas', null],
    ['Change Order Change Reasons', { data: null }],
    ['Change Order Change Reasons', []],
    ['Notes Logs', { message: 'ok' }],
    ['Trades', 'maintenance'],
  ])('hides nothing of %s, settles nothing and ends no fill: %j', async (resource, body) => {
    const { table, scope } = catalogue.get(resource);
    const isCompany = scope === 'company';
    const place = isCompany ? COMPANY : {};
    const change = isCompany ? { project_id: '' } : {};
    const shown = (asked: string) => (/\/\d+$/.test(asked) ? { body: { id: Number(asked.split('/').at(-1)) } } : null);
    const listed = upTo(3).map((id) => ({ id }));
    procore.answer = (asked) => shown(asked) ?? { body: asked.startsWith('/rest/v2') ? { data: listed } : listed };
    await mirror.hear(resource, [1, 2, 3], change);
    await mirror.run(resource, place);
    const live = upTo(3).map((id) => ({ id: String(id), deleted: false, hidden: false }));
    expect(await mirror.rows(table.name)).toEqual(live);
    procore.answer = () => ({ body });
    await mirror.hear(resource, [1, 2, 3], change);
    for (let runs = 0; runs < 3; runs += 1) {
      await ready();
      await mirror.run(resource, place);
    }
    expect(await mirror.rows(table.name)).toEqual(live);
    expect(await mirror.pendingIds()).toEqual(['1', '2', '3']);
    const key = { companyId: '1', projectId: isCompany ? null : '7', resource };
    const options = { signal: AbortSignal.timeout(30_000), now: new Date() };
    await expect(backfillResource(mirror.settings, key, options)).rejects.toThrow('list of');
  });
});

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

describe('a run that lost its lease', () => {
  test('and stores a part of what another has completed leaves the record pending', async () => {
    put(RFIS(7), { id: 1, subject: 'whole' });
    put(RFIS(7), { id: 2, subject: 'whole' });
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    procore.answer = answerFromWorld;
    await mirror.hear('RFIs', [1, 2]);
    await mirror.database.pool.query('update mirror.budget set remaining = 1');
    // It sleeps before it numbers its request, as a process does that is stopped there.
    let numbers = 0;
    const sleeping = new Proxy(mirror.database.pool, {
      get: (pool, name) => {
        if (name !== 'query') return Reflect.get(pool, name);
        return async (...given: unknown[]) => {
          if (String(given[0]).includes(`nextval('mirror.fetch_version')`)) numbers += 1;
          if (numbers === 2) await held;
          return Reflect.apply(pool.query, pool, given);
        };
      },
    });
    const paused = mirror.run('RFIs', {}, { database: { ...mirror.database, pool: sleeping } });
    await expect.poll(() => numbers).toBe(2);
    await mirror.database.pool.query('update mirror.budget set remaining = 1000000');
    await mirror.run('RFIs');
    expect(await mirror.rows('rfis', 'id, _complete')).toMatchObject([{ _complete: true }, { _complete: true }]);
    expect(await mirror.pendingIds()).toEqual([]);
    release();
    await paused;
    expect(await mirror.rows('rfis', 'id, _complete')).toMatchObject([{ _complete: false }, { _complete: false }]);
    expect(await mirror.pendingIds()).toEqual(['1', '2']);
    await runUntilQuiet('RFIs');
    expect(await mirror.rows('rfis', 'id, _complete')).toMatchObject([{ _complete: true }, { _complete: true }]);
    expect(await mirror.pendingIds()).toEqual([]);
  });
});
