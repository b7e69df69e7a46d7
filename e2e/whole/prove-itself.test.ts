// What no event told of is found and healed by a worker alone, which compares its tables with Procore by itself.
import { catalogue } from '@procore-mirror/catalogue';
import { requestFills, withResources } from '@procore-mirror/mirror';
import type { AppProcess } from '@procore-mirror/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Mirror, startMirror } from './start-mirror.ts';

const resources = ['Company Users', 'Locations', 'Project Dates', 'RFIs', 'RFI Replies', 'Submittals', 'Manpower Logs'];
const companyId = '598134325683880';
/** What seems to differ waits two minutes for its events. */
const patience = { timeout: 300_000, interval: 100 };
let mirror: Mirror;
let worker: AppProcess;

const query = async (sql: string, values: unknown[] = []) => (await mirror.database.pool.query(sql, values)).rows;
const edit = async (edits: object[]) =>
  (await mirror.system.control<{ records: { id: string }[] }>('POST', '/control/edits', { edits })).records;
const warnings = () =>
  worker
    .output()
    .split('\n')
    .filter((line) => line.includes('the mirror differed from Procore'))
    .map((line): Record<string, unknown> => JSON.parse(line));

beforeAll(async () => {
  mirror = await startMirror('postgres', { projects: 1, simulator: { callsPerHour: null, callsPerTenSeconds: null } });
  worker = await mirror.system.startWorker({
    PROCORE_COMPANY_IDS: companyId,
    VERIFY_EVERY_MS: '3000',
    MIRROR_RESOURCES: resources.join(),
  });
}, 180_000);
afterAll(() => mirror.close());

test('a mirror that is filled is proved table by table, and what events missed is healed', async () => {
  const projects = () => query('select project_id::text as id from mirror.selection where project_id is not null');
  await expect.poll(async () => (await projects()).length, patience).toBe(1);
  const [{ id: projectId }] = await projects();
  expect(await query('select from mirror.proofs')).toEqual([]); // nothing was filled yet
  const scopes = [null, projectId].map((id) => withResources({ companyId, projectId: id }, { catalogue, resources }));
  await requestFills(mirror.database, { catalogue, scopes });
  const proved = async () =>
    (await query('select distinct resource from mirror.proofs')).map(({ resource }) => resource);
  await expect.poll(async () => (await proved()).toSorted(), patience).toEqual(resources.toSorted());
  expect(warnings()).toEqual([]);
  const [one, other] = (
    await query('select id::text from procore.rfis where _deleted_at is null order by id limit 2')
  ).map(({ id }) => id);
  const silent = { resource: 'RFIs', companyId, projectId, silent: true };
  const [added] = await edit([
    { ...silent, action: 'create' },
    { ...silent, id: one, action: 'update', fields: { subject: 'of which nobody told' } },
    { ...silent, id: other, action: 'delete' },
  ]);
  const healed = () =>
    query(
      `select id::text, subject, _deleted_at is not null as deleted from procore.rfis where id = any($1::bigint[]) and _complete
        and (subject = 'of which nobody told' or id <> $2) order by id`,
      [[one, other, added?.id], one],
    );
  await expect.poll(async () => (await healed()).length, patience).toBe(3);
  await expect.poll(async () => (await healed()).find(({ id }) => id === other)?.deleted, patience).toBe(true);
  expect(warnings().some(({ resource }) => resource === 'RFIs')).toBe(true);
}, 900_000);
