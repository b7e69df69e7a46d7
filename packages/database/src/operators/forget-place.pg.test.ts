import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { claimBatch, renewLease } from '../schedule/batches.ts';
import { notes, openSampleMirror, type SampleMirror } from '../testing/sample-mirror.ts';
import { countHeld, findCompaniesOf, forgetPlace, type Held } from './forget-place.ts';

let mirror: SampleMirror;
beforeAll(async () => {
  mirror = await openSampleMirror();
});
afterAll(() => mirror.close());

const OF_OPERATORS = ['pending', 'batches', 'backfills', 'scopes', 'walks', 'lists', 'absences', 'dead_letters'].concat(
  ['hooks', 'selection', 'events'],
);
const project = { companyId: '1', projectId: '2' };
const company = { companyId: '1', projectId: null };
const places = [
  [1, 2],
  [1, 3],
  [4, 2],
];

/** Something in every table, of each place. */
beforeEach(async () => {
  const { pool } = mirror.database;
  await pool.query(`truncate procore.notes, procore.people, procore.badges,
    ${OF_OPERATORS.map((name) => `mirror.${name}`).join(', ')}`);
  await pool.query(`insert into procore.badges (company_id, id, _version) values (1, 'B', 1), (4, 'B', 1)`);
  for (const [companyId, projectId] of places) {
    const rows = await pool.query(
      `insert into procore.notes (company_id, project_id, id, _version)
        select $1::bigint, $2::bigint, 100 * $1::bigint + 10 * $2::bigint + n, 1 from generate_series(1, 3) n`,
      [companyId, projectId],
    );
    expect(rows.rowCount).toBe(3);
    await pool.query(`insert into procore.people (company_id, project_id, id, _version) values ($1, $2, 9, 1)`, [
      companyId,
      projectId,
    ]);
    const key = [companyId, projectId];
    for (const statement of [
      `mirror.pending (company_id, project_id, resource, record_id, ready_at) values ($1, $2, 'RFIs', '1', now())`,
      `mirror.batches (company_id, project_id, resource, due_at) values ($1, $2, 'RFIs', now())`,
      `mirror.backfills (company_id, project_id, resource, state) values ($1, $2, 'RFIs', 'waiting')`,
      `mirror.scopes (company_id, project_id, resource, reason, probe_at) values ($1, $2, 'Punch Items', 'failing', now())`,
      `mirror.lists (company_id, project_id, resource) values ($1, $2, 'RFIs')`,
      `mirror.walks (version, company_id, project_id, resource, lane, generations, place)
        values (10 * $1::bigint + $2::bigint, $1, $2, 'RFIs', 'live', '{}', '{}')`,
      `mirror.absences (company_id, project_id, resource, record_id, version) values ($1, $2, 'RFIs', '1', 1)`,
      `mirror.dead_letters (id, kind, company_id, project_id, resource, record_id, reason, raw)
        values (concat('r', $1::bigint, $2::bigint), 'record', $1, $2, 'RFIs', '1', 'answer_422', '{}'),
          (concat('d', $1::bigint, $2::bigint), 'delivery', $1, $2, 'RFIs', '1', 'bad_id', '{}')`,
      `mirror.hooks (company_id, project_id, payload_version) values ($1, $2, 'v4.0')`,
      `mirror.selection (company_id, project_id, is_selected) values ($1, $2, false)`,
      `mirror.events (id, company_id, project_id, resource, record_id, kind, occurred_at, received_at, payload_version, raw, outcome)
        values (concat($1::bigint, '/', $2::bigint), $1, $2, 'RFIs', '1', 'update', now(), now(), 'v4.0', '{}', 'pending')`,
    ])
      await pool.query(`insert into ${statement}`, key);
  }
});

/** How many rows each table has of each place, by company and project. */
async function counts(table: string): Promise<Record<string, number>> {
  const { rows } = await mirror.database.pool.query<{ place: string; rows: number }>(
    `select concat_ws('/', company_id, project_id) as place, count(*)::int as rows from ${table} group by 1 order by 1`,
  );
  return Object.fromEntries(rows.map(({ place, rows: count }) => [place, count]));
}

async function badgesOf(): Promise<string[]> {
  const { rows } = await mirror.database.pool.query('select company_id from procore.badges order by 1');
  return rows.map(({ company_id }) => company_id);
}

const forget = (
  place: { companyId: string; projectId: string | null },
  options: Partial<Parameters<typeof forgetPlace>[2]> = {},
) =>
  forgetPlace(mirror.database, place, {
    signal: new AbortController().signal,
    pause: () => Promise.reject(new Error('there was nothing to wait for')),
    onRemoved: () => {},
    ...options,
  });

test('what there is of a project is removed, nothing of its neighbours, and the plan said so', async () => {
  const removed: Held[] = [];
  const plan = await countHeld(mirror.database.pool, project);
  expect(await forget(project, { onRemoved: (held) => removed.push(held) })).toBe(true);
  expect(removed).toEqual(plan);
  expect(removed.find(({ table }) => table === 'procore.notes')).toEqual({ table: 'procore.notes', rows: 3 });
  expect(await counts('procore.notes')).toEqual({ '1/3': 3, '4/2': 3 });
  expect(await counts('procore.people')).toEqual({ '1/3': 1, '4/2': 1 });
  for (const name of OF_OPERATORS.filter((name) => !['events', 'selection', 'dead_letters'].includes(name)))
    expect([name, await counts(`mirror.${name}`)]).toEqual([name, { '1/3': 1, '4/2': 1 }]);
  expect(await badgesOf()).toEqual(['1', '4']);
  expect(await countHeld(mirror.database.pool, project)).toEqual([]);
});

test('the log stays, bodies that could not be read stay, and that a project was forgotten is noted', async () => {
  await forget(project);
  expect(await counts('mirror.events')).toEqual({ '1/2': 1, '1/3': 1, '4/2': 1 });
  expect(await counts('mirror.dead_letters')).toEqual({ '1/2': 1, '1/3': 2, '4/2': 2 });
  const { rows } = await mirror.database.pool.query(
    'select company_id, project_id, is_selected from mirror.selection where forgotten_at is not null',
  );
  expect(rows).toEqual([{ company_id: '1', project_id: '2', is_selected: false }]);
});

test('a company goes with all of its projects, the selection included', async () => {
  expect(await forget(company)).toBe(true);
  for (const table of ['procore.notes', 'procore.people', 'mirror.pending', 'mirror.selection'])
    expect(Object.keys(await counts(table))).toEqual(['4/2']);
  expect(await badgesOf()).toEqual(['4']);
});

test('rows go in portions; who is cut off begins anew', async () => {
  await mirror.database.pool.query(
    `insert into procore.notes (company_id, project_id, id, _version) select 1, 2, 10000 + n, 1 from generate_series(1, 4500) n`,
  );
  const told = new AbortController();
  const portions: number[] = [];
  const onRemoved = ({ table, rows }: Held) => {
    if (table !== 'procore.notes') return;
    portions.push(rows);
    told.abort(new Error('told to end'));
  };
  await expect(forget(project, { signal: told.signal, onRemoved })).rejects.toThrow('told to end');
  expect(portions).toEqual([2000]);
  expect(await counts('procore.notes')).toMatchObject({ '1/2': 2503 });
  expect(await forget(project)).toBe(true);
  expect(Object.keys(await counts('procore.notes'))).toEqual(['1/3', '4/2']);
});

test('what a worker stores that has a batch in hand is removed, too', async () => {
  const options = { holder: 'worker', leaseMs: 15_000, mostPerCompany: 9, onlyLive: false };
  await mirror.database.pool.query(`delete from mirror.batches where (company_id, project_id) <> (1, 2)`);
  const batch = await claimBatch(mirror.database, options);
  if (batch === null) throw new Error('no batch was due');
  const waited: number[] = [];
  const pause = async (ms: number) => {
    waited.push(ms);
    expect(await renewLease(mirror.database, batch, options)).toBe(false);
    await mirror.store({ json: '[{"id": 5}]', table: notes }); // it had the answer already
  };
  expect(await forget(project, { pause })).toBe(true);
  expect(waited).toEqual([expect.toSatisfy((ms: number) => ms > 1_000 && ms < 17_000)]);
  expect(Object.keys(await counts('procore.notes'))).toEqual(['1/3', '4/2']);
});

test('where a worker takes the company up again and again it says so in the end', async () => {
  const again = () =>
    mirror.database.pool.query(
      `insert into mirror.batches (company_id, project_id, resource, lease_until) values (1, 2, 'RFIs', now() + interval '15 s')`,
    );
  await mirror.database.pool.query('delete from mirror.batches');
  await again();
  expect(await forget(company, { pause: again })).toBe(false);
});

test('the companies of a project are found by its rows, too', async () => {
  expect(await findCompaniesOf(mirror.database, '2')).toEqual(['1', '4']);
  await mirror.database.pool.query(
    'truncate mirror.selection, mirror.pending, mirror.batches, mirror.backfills, mirror.lists',
  );
  await mirror.database.pool.query('truncate mirror.scopes, mirror.dead_letters, procore.people');
  expect(await findCompaniesOf(mirror.database, '3')).toEqual(['1']);
  expect(await findCompaniesOf(mirror.database, '5')).toEqual([]);
});
