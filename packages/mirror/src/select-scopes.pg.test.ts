import { noteCompanies } from '@procore-mirror/database';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { planProjects, selectCompany } from './select-scopes.ts';
import { type ScriptedProcore, scriptProcore, startTestMirror, type TestMirror } from './testing/test-mirror.ts';

type Project = { id: number; name?: string; active?: boolean };

let procore: ScriptedProcore;
let mirror: TestMirror;
/** What is listed: with no filter, and with `by_status=All`. */
let listed: { active: Project[]; all: Project[] | null; total?: number };

beforeAll(async () => {
  procore = await scriptProcore();
  mirror = await startTestMirror(procore);
});
afterAll(() => mirror.close());
beforeEach(async () => {
  await mirror.database.pool.query('delete from mirror.selection');
  procore.calls.splice(0);
  procore.answer = (path, query) => {
    if (path !== '/rest/v1.1/projects') return { status: 404 };
    if (!query.has('filters[by_status]'))
      return { body: listed.active, headers: { total: String(listed.total ?? listed.active.length) } };
    return listed.all === null ? { status: 400 } : { body: listed.all, headers: { total: String(listed.all.length) } };
  };
});

const options = () => ({
  client: mirror.settings.client,
  database: mirror.database,
  companyId: '1',
  wanted: 'active' as const,
  signal: AbortSignal.timeout(20_000),
});
const list = async (active: Project[], more: Partial<typeof listed> = {}) => {
  listed = { active, all: active, ...more };
  return selectCompany(options());
};
/** Selected or not, and new or not, by project. */
async function selection(): Promise<Record<string, string>> {
  const { rows } = await mirror.database.pool.query(
    `select p.project_id as id, p.name, p.is_selected, p.left_at is not null as has_left, p.selected_at > c.selected_at as is_new
      from mirror.selection p join mirror.selection c on c.company_id = p.company_id and c.project_id is null
      where p.project_id is not null order by 1`,
  );
  return Object.fromEntries(
    rows.map((row) => [
      row.id,
      [row.is_selected ? 'selected' : 'not', row.has_left && 'left', row.is_new && 'new', row.name]
        .filter((word) => word)
        .join(' '),
    ]),
  );
}

test('the first list of a company begins it; who comes, goes and comes back later is told apart', async () => {
  await list([
    { id: 7, name: 'Bridge', active: true },
    { id: 8, name: 'Tower' },
  ]);
  expect(await selection()).toEqual({ 7: 'selected Bridge', 8: 'selected Tower' });
  expect(await list([{ id: 7 }, { id: 8 }, { id: 9 }])).toMatchObject({ come: ['9'], selected: ['7', '8', '9'] });
  expect(await selection()).toEqual({ 7: 'selected Bridge', 8: 'selected Tower', 9: 'selected new' });
  expect(await list([{ id: 7 }, { id: 8, active: false }])).toMatchObject({ left: ['8', '9'] });
  expect(await selection()).toEqual({ 7: 'selected Bridge', 8: 'not left Tower', 9: 'not left new' });
  await list([{ id: 7 }, { id: 8 }]);
  expect(await selection()).toEqual({ 7: 'selected Bridge', 8: 'selected new Tower', 9: 'not left new' });
});

test.each<[string, Project[], Partial<typeof listed>, string[]]>([
  ['is cut off', [{ id: 7 }], { total: 2 }, ['7', '8']],
  ['is empty, as that of all projects is', [], {}, ['7', '8']],
  ['is empty, and the filter is not taken', [], { all: null }, ['7', '8']],
  ['lacks one that is active all the same', [{ id: 7 }], { all: [{ id: 7 }, { id: 8, active: true }] }, ['7', '8']],
  ['lacks one that the list of all projects lacks, too', [{ id: 7 }], { all: [{ id: 7 }] }, ['7']],
  ['lacks one, a second time, too', [{ id: 7 }], { all: null }, ['7']],
  ['is empty because the last ones were archived', [], { all: [{ id: 7, active: false }, { id: 8 }] }, ['8']],
  ['has one without an id', [{ id: 7 }, {} as Project], {}, ['7', '8']],
])('of a list that %s only those leave that surely are gone', async (_, active, more, selected) => {
  await list([{ id: 7 }, { id: 8 }]);
  expect((await list(active, more)).selected.toSorted()).toEqual(selected);
});

test('a list that fails changes nothing, and a plan writes nothing', async () => {
  await list([{ id: 7 }]);
  const before = await selection();
  listed = { active: [{ id: 9 }], all: [] };
  expect(await planProjects({ ...options(), wanted: ['9'] })).toEqual({ selected: ['9'], left: ['7'], come: ['9'] });
  procore.answer = () => ({ status: 403 });
  await expect(selectCompany(options())).rejects.toThrow('403');
  expect(await selection()).toEqual(before);
});

test('a list that was begun after an announcement ends it; a company that is not mirrored any more leaves with its projects', async () => {
  await list([{ id: 7 }]);
  const { pool } = mirror.database;
  const announced = async () =>
    (await pool.query('select announced_at from mirror.selection where project_id is null')).rows[0].announced_at;
  await pool.query(`update mirror.selection set announced_at = now() + interval '1 minute' where project_id is null`);
  await list([{ id: 7 }]);
  expect(await announced()).not.toBeNull();
  await pool.query(`update mirror.selection set announced_at = now() - interval '1 minute' where project_id is null`);
  await list([{ id: 7 }]);
  expect(await announced()).toBeNull();
  await noteCompanies(mirror.database, { holder: 'before', companyIds: ['1'], leaveAfterMs: null });
  await noteCompanies(mirror.database, { holder: 'test', companyIds: ['2'], leaveAfterMs: 0 });
  expect(await selection()).toEqual({ 7: 'not left' });
});

test('the own lists of a company that comes back are filled again, those that were filled before, and once', async () => {
  const { pool } = mirror.database;
  const fills = async () =>
    (
      await pool.query("select resource || ' ' || state as fill from mirror.backfills order by company_id, resource")
    ).rows.map(({ fill }) => fill);
  await pool.query('truncate mirror.backfills');
  await list([{ id: 7 }]);
  await pool.query(`insert into mirror.backfills (company_id, project_id, resource, state, request, position) values
    (1, null, 'Departments', 'done', 'a', 1), (1, null, 'Trades', 'failed', 'a', 2), (1, 7, 'RFIs', 'done', 'a', 3),
    (2, null, 'Programs', 'done', 'a', 1)`);
  const before = ['Departments done', 'RFIs done', 'Trades failed', 'Programs done'];
  await list([{ id: 7 }]);
  expect(await fills()).toEqual(before);
  await noteCompanies(mirror.database, { holder: 'before', companyIds: ['1'], leaveAfterMs: null });
  await noteCompanies(mirror.database, { holder: 'test', companyIds: ['2'], leaveAfterMs: 0 });
  await list([{ id: 7 }]);
  const filled = ['Departments waiting', 'RFIs done', 'Trades waiting', 'Programs done']; // projects that come are filled as new ones
  expect(await fills()).toEqual(filled);
  await pool.query("update mirror.backfills set state = 'done'");
  await list([{ id: 7 }]);
  expect(await fills()).toEqual(filled.map((fill) => fill.replace('waiting', 'done')));
});
