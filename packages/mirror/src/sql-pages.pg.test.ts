// What docs/sql.md and the README tell SQL users to run, run as they are told to: as a login that is a member of
// procore_reader, on a small mirror.
import { readFileSync } from 'node:fs';
import { catalogue } from '@procore-mirror/catalogue';
import { type Database, inTransaction, openDatabase, type Queryable, storeRecords } from '@procore-mirror/database';
import { createMigratedDatabase } from '@procore-mirror/database/testing';
import type { TestDatabase } from '@procore-mirror/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';

type Row = Record<string, unknown>;
type Expected = { columns: string[]; rows?: Row[] };

const LOGIN = 'report_builder';
const COMPANY = '1';

let test_: TestDatabase;
let mirror: Database;
let readers: Database;
/** One connection, because temporary tables are a connection's own. */
let reader: Queryable;
let release: () => void;

beforeAll(async () => {
  test_ = await createMigratedDatabase(catalogue.tables);
  mirror = openDatabase({ url: test_.url, applicationName: 'test' });
  await fillMirror();
  for (const { text } of blocks.filter(isForAdministrators)) await test_.pool.query(text);
  const url = Object.assign(new URL(test_.url), { username: LOGIN, password: 'choose your own' }).href;
  readers = openDatabase({ url, applicationName: 'test' });
  const client = await readers.pool.connect();
  reader = client;
  release = () => client.release();
});
afterAll(async () => {
  await reader.query('drop table if exists my_rfis'); // the login owns it, and ends with the session only after a moment
  release();
  await readers.close();
  await mirror.close();
  await test_.pool.query(`drop role ${LOGIN}`);
  await test_.drop();
});

/** The ```sql blocks of a page; the first line of each is a comment that says what it is. */
function blocksOf(page: string): { title: string; text: string }[] {
  const text = readFileSync(new URL(`../../../${page}`, import.meta.url), 'utf8');
  return [...text.matchAll(/```sql\n([\s\S]*?)```/g)].map(([, block = '']) => {
    const [title = ''] = block.split('\n');
    expect(title, `the first line of a block in ${page}`).toMatch(/^-- \S/);
    return { title: title.slice(3), text: block };
  });
}

const blocks = blocksOf('docs/sql.md');

function isForAdministrators({ title }: { title: string }): boolean {
  return title.startsWith('As an administrator');
}

async function store(resource: string, records: Row[], projectId: string | null = '7', parentId: string | null = null) {
  const { table } = catalogue.get(resource);
  const answer = {
    table,
    companyId: COMPANY,
    projectId,
    parentId,
    version: '1',
    wrapper: 'none',
    only: null,
  } as const;
  await inTransaction(mirror, (client) =>
    storeRecords(client, { ...answer, json: Buffer.from(JSON.stringify(records)) }),
  );
}

const ana = { id: 41, name: 'Ana Vargas', login: 'ana@example.com' };
const bo = { id: 42, name: 'Bo Smith', login: 'bo@example.com' };
const ridge = { id: 51, name: 'Ridge Concrete' };
const volt = { id: 52, name: 'Volt & Sons' };

async function fillMirror(): Promise<void> {
  await store(
    'Projects',
    [
      { id: 7, name: 'Harbor Tower' },
      { id: 8, name: 'Mill Bridge' },
    ],
    null,
  );
  await store('Company Users', [{ id: 41, name: ana.name, email_address: ana.login, vendor: ridge }], null);
  await store('RFIs', [
    { id: 1, status: 'open', due_date: '2026-01-15', ball_in_courts: [ana, bo], rfi_manager: bo, subject: 'Stair 2' },
    {
      ...{ id: 2, status: 'open', due_date: '2999-01-01', ball_in_courts: [ana], subject: 'Roof drain' },
      custom_fields: { custom_field_598134325000101: { data_type: 'string', value: 'north' } },
      schedule_impact: { status: 'yes_known', value: 2.5 },
    },
    { id: 3, status: 'closed', due_date: '2026-01-01', ball_in_courts: [], subject: 'Door schedule' },
    { id: 4, status: 'open', due_date: '2026-01-01', ball_in_courts: [bo], subject: 'Deleted' },
    { id: 5, status: 'open', due_date: '2026-01-01', ball_in_courts: [bo], subject: 'Hidden' },
    { id: 6, status: 'draft', due_date: 'soon', ball_in_courts: null, subject: 'No date' },
  ]);
  await test_.pool.query('update procore.rfis set _deleted_at = now() where id = 4');
  await test_.pool.query('update procore.rfis set _hidden_at = now() where id = 5');
  await store('Submittals', [
    {
      ...{
        id: 1,
        formatted_number: '03-001',
        title: 'Rebar',
        due_date: '2026-01-10',
        status: { name: 'Open', status: 'Open' },
      },
      ball_in_court: [bo, ana],
    },
    {
      id: 2,
      formatted_number: '03-002',
      title: 'Mix',
      due_date: '2026-01-10',
      status: { name: 'Done', status: 'Closed' },
    },
    { id: 3, formatted_number: '03-003', title: 'Grout', due_date: '2999-01-10', status: { status: 'Open' } },
    { id: 4, title: 'Rebar, old', due_date: '2026-01-10', status: { status: 'Open' }, current_revision: false },
  ]);
  const assigned = { login_information: ana, vendor: ridge, status: 'unresolved' };
  await store('Punch Items', [
    { id: 1, status: 'Open', due_date: '2026-01-10', assignments: [{ id: 1, ...assigned }] },
    { id: 2, status: 'Open', due_date: null, assignments: [{ id: 2, ...assigned }] },
    { id: 3, status: 'Open', due_date: null, assignments: [] },
    { id: 4, status: 'Closed', due_date: null, assignments: [{ id: 4, ...assigned }] },
  ]);
  await store('Manpower Logs', [
    { id: 1, date: '2026-03-02', num_workers: 4, man_hours: '32.0', vendor: ridge, status: 'approved' },
    { id: 2, date: '2026-03-08', num_workers: 5, man_hours: '37.5', vendor: ridge, status: 'approved' },
    { id: 3, date: '2026-03-08', num_workers: 1, man_hours: '8.0', vendor: null, status: 'approved' },
    { id: 4, date: '2026-03-09', num_workers: 2, man_hours: '16.0', vendor: ridge, status: 'approved' },
    { id: 5, date: '2026-03-09', num_workers: 2, man_hours: '16.0', vendor: ridge, status: 'pending' },
  ]);
  const approved = { status: 'Approved', pending_change_orders: '0.00', total_payments: '10.00' };
  await store('Purchase Order Contracts', [
    {
      ...{ id: 1, number: 'PO-1', title: 'Concrete', vendor: ridge, ...approved, grand_total: '1000.00' },
      ...{ approved_change_orders: '50.25', revised_contract: '1050.25' },
    },
    {
      ...{ id: 2, number: 'PO-2', title: 'Power', vendor: volt, ...approved, grand_total: '300.00' },
      ...{ approved_change_orders: '0.00', revised_contract: '300.00' },
    },
    {
      id: 3,
      number: 'PO-3',
      title: 'Draft',
      vendor: volt,
      status: 'Draft',
      grand_total: '9.00',
      revised_contract: '9.00',
    },
  ]);
  await store(
    'Purchase Order Contract Line Items',
    [
      { id: 1, amount: '600.00' },
      { id: 2, amount: '400.00' },
    ],
    '7',
    '1',
  );
  await store('Purchase Order Contract Line Items', [{ id: 3, amount: '299.00' }], '7', '2');
  const open = { mapped_to_status: 'open' };
  await store('Change Events', [
    { id: 1, status: open, created_at: '2026-02-02T10:00:00Z' },
    { id: 2, status: open, created_at: '2026-02-01T10:00:00Z' },
    { id: 3, status: { mapped_to_status: 'closed' }, created_at: '2025-02-01T10:00:00Z' },
  ]);
  await test_.pool.query(
    `insert into mirror.events (id, company_id, project_id, resource, record_id, kind, occurred_at, received_at,
        payload_version, raw, outcome)
      select 'E' || n, 1, 7, 'RFIs', '1', 'update', now(), now(), 'v4.0', '{}', 'pending' from generate_series(1, 4) n`,
  );
  await test_.pool.query(
    `insert into mirror.fetches (company_id, project_id, resource, called_at, lane, route, status, ms)
      select 1, 7, 'RFIs', now() - interval '10 min', (case when n <= 5 then 'live' else 'backfill' end)::mirror.lane,
        'GET /x', 200, 1 from generate_series(1, 6) n`,
  );
}

const expectations: Record<string, Expected> = {
  'Which tables have a column like this, and what does it hold?': {
    columns: ['table_name', 'column_name', 'data_type', 'comment'],
  },
  'How many rows of each kind?': {
    columns: ['live', 'tombstones', 'hidden'],
    rows: [{ live: '4', tombstones: '1', hidden: '1' }],
  },
  'Open RFIs by ball in court': {
    columns: ['project', 'ball_in_court', 'email_address', 'rfis', 'overdue', 'first_due'],
    rows: [
      {
        project: 'Harbor Tower',
        ball_in_court: 'Ana Vargas',
        email_address: 'ana@example.com',
        rfis: '2',
        overdue: '1',
      },
      { project: 'Harbor Tower', ball_in_court: 'Bo Smith', email_address: null, rfis: '1', overdue: '1' },
    ],
  },
  'Overdue submittals, and who has them': {
    columns: ['project', 'formatted_number', 'title', 'due_date', 'days_late', 'ball_in_court'],
    rows: [{ formatted_number: '03-001', ball_in_court: 'Ana Vargas, Bo Smith' }],
  },
  'Punch items that are not closed, by assignee': {
    columns: ['project', 'assignee', 'vendor', 'items', 'overdue'],
    rows: [
      { assignee: 'Ana Vargas', vendor: 'Ridge Concrete', items: '2', overdue: '1' },
      { assignee: 'nobody', vendor: null, items: '1', overdue: '0' },
    ],
  },
  'Manpower by week and vendor, approved entries only': {
    columns: ['project', 'week', 'vendor', 'workers', 'hours'],
    rows: [
      { week: '2026-03-02', vendor: 'Ridge Concrete', workers: '9', hours: '69.5' },
      { week: '2026-03-02', vendor: 'own forces', workers: '1', hours: '8.0' },
      { week: '2026-03-09', vendor: 'Ridge Concrete', workers: '2', hours: '16.0' },
    ],
  },
  'Purchase orders by vendor: what is committed, what may still come, what is paid': {
    columns: ['project', 'vendor', 'contracts', 'original', 'approved_changes', 'revised', 'pending_changes', 'paid'],
    rows: [
      { vendor: 'Ridge Concrete', contracts: '1', original: '1000.00', approved_changes: '50.25', revised: '1050.25' },
      { vendor: 'Volt & Sons', contracts: '1', original: '300.00', revised: '300.00', paid: '10.00' },
    ],
  },
  'Commitments and open change events of each project': {
    columns: ['project', 'contracts', 'committed', 'open_change_events', 'oldest_change_event'],
    rows: [
      {
        ...{ project: 'Harbor Tower', contracts: '2', committed: '1350.25' },
        ...{ open_change_events: '2', oldest_change_event: '2026-02-01' },
      },
    ],
  },
  'Purchase orders whose lines do not add up to their total': {
    columns: ['project_id', 'number', 'title', 'grand_total', 'of_lines'],
    rows: [{ project_id: '7', number: 'PO-2', grand_total: '300.00', of_lines: '299.00' }],
  },
  'Rows, waiting records and the newest news of each resource': {
    columns: [
      ...['company_id', 'project_id', 'resource', 'rows', 'pending', 'oldest_pending_at'],
      ...['last_event_at', 'last_fetch_at'],
    ],
  },
  'What is not all there?': {
    columns: ['completeness', 'resource', 'places', 'rows'],
  },
  'Which tables were not proved equal within a week?': { columns: ['resource', 'places', 'longest_ago'] },
  'Is June complete?': {
    columns: ['june_is_complete'],
    rows: [{ june_is_complete: false }], // nothing was filled
  },
  'Where do the API calls go?': {
    columns: ['resource', 'calls_last_hour', 'calls_per_event'],
    rows: [{ resource: 'RFIs', calls_last_hour: '6', calls_per_event: '1.25' }],
  },
  'Reading _data: a path, a custom field, a number': {
    columns: ['id', 'manager', 'region', 'days'],
    rows: [
      { id: '1', manager: 'Bo Smith', region: null, days: null },
      { id: '2', manager: null, region: 'north', days: '2.5' },
    ],
  },
  'Values that did not fit their column': {
    columns: ['company_id', 'project_id', 'id', 'due_date_as_sent'],
    rows: [{ id: '6', due_date_as_sent: 'soon' }],
  },
  'A copy of your own, made once': { columns: [] },
  'Bring the copy up to date; as often as you like': { columns: [] },
};

async function run(text: string): Promise<{ columns: string[]; rows: Row[] }> {
  const result = await reader.query(text);
  return { columns: result.fields.map(({ name }) => name), rows: result.rows };
}

test('what docs/sql.md promises is expected here, and the other way round', () => {
  const titles = blocks.filter((block) => !isForAdministrators(block)).map(({ title }) => title);
  expect(titles).toEqual(Object.keys(expectations));
  expect(blocks.filter(isForAdministrators)).toHaveLength(1);
});

// In the order of the page: later queries build on earlier ones.
test.each(Object.entries(expectations))('docs/sql.md: %s', async (title, { columns, rows }) => {
  const block = blocks.find((one) => one.title === title);
  const result = await run(block?.text ?? '');
  expect(result.columns).toEqual(columns);
  if (rows !== undefined) expect(result.rows).toEqual(rows.map((row) => expect.objectContaining(row)));
});

test('a copy that is brought up to date follows edits and deletions, and no older state overwrites a newer one', async () => {
  const update = blocks.find(({ title }) => title.startsWith('Bring the copy'))?.text ?? '';
  const copied = async () => (await run('select id, subject, is_live from my_rfis where id < 3 order by id')).rows;
  expect(await copied()).toEqual([
    { id: '1', subject: 'Stair 2', is_live: true },
    { id: '2', subject: 'Roof drain', is_live: true },
  ]);
  await test_.pool.query(
    `update procore.rfis set subject = 'Stair 3', _version = _version + 1, _fetched_at = now() where id = 1;
     update procore.rfis set _deleted_at = now(), _version = _version + 1, _fetched_at = now() where id = 2`,
  );
  await run(update);
  await test_.pool.query(`update procore.rfis set subject = 'of an older fetch', _version = 0 where id = 1`);
  await run(update);
  expect(await copied()).toEqual([
    { id: '1', subject: 'Stair 3', is_live: true },
    { id: '2', subject: 'Roof drain', is_live: false },
  ]);
});

test('the queries of the README run, too', async () => {
  const [block] = [
    ...readFileSync(new URL('../../../README.md', import.meta.url), 'utf8').matchAll(/```sql\n([\s\S]*?)```/g),
  ];
  const statements = (block?.[1] ?? '').split(';').filter((statement) => statement.trim() !== '');
  expect(statements).toHaveLength(4);
  for (const statement of statements) await run(statement);
});

test('the login may read what the page says, and nothing else', async () => {
  for (const forbidden of [
    'select * from mirror.events',
    'delete from procore.rfis',
    'create table procore.mine (n int)',
  ]) {
    await expect(run(forbidden)).rejects.toMatchObject({ code: '42501' });
  }
});
