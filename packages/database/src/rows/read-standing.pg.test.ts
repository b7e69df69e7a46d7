import { afterAll, beforeAll, expect, test } from 'vitest';
import { inTransaction } from '../connection/transaction.ts';
import { notes, openSampleMirror, people, type SampleMirror } from '../testing/sample-mirror.ts';
import { readStanding } from './read-standing.ts';

let mirror: SampleMirror;

beforeAll(async () => {
  mirror = await openSampleMirror();
});
afterAll(() => mirror.close());

const nothing = { updatedAt: null, status: null, isActive: null };

test('a record stands as its row tells, in whatever form, and what tells nothing is null', async () => {
  const records = [
    { id: 1, status: 'open', updated_at: '2026-01-02T03:04:05Z' },
    { id: 2, status: { id: 7, name: 'Closed' }, active: false },
    { id: 3, status: { status: 'Void' }, is_active: true, active: false },
    { id: 4, status: ['open'], is_active: 'yes', updated_at: null },
    { id: 5, status: 12 },
  ];
  await mirror.store({ json: JSON.stringify(records) });
  const place = { table: notes, companyId: '1', projectId: '2' };
  const ids = ['1', '2', '3', '4', '5', '6', 'no id'];
  const standing = await inTransaction(mirror.database, (client) => readStanding(client, place, ids));
  expect(standing).toEqual(
    new Map<string, unknown>([
      ['1', { ...nothing, status: 'open', updatedAt: '2026-01-02T03:04:05Z' }],
      ['2', { ...nothing, status: 'Closed', isActive: false }],
      ['3', { ...nothing, status: 'Void', isActive: true }],
      ['4', nothing],
      ['5', nothing],
    ]),
  );
});

test('of a record that several projects have, it stands as in this one', async () => {
  for (const projectId of ['2', '3'])
    await mirror.store({ table: people, projectId, json: `[{"id": 1, "status": "in ${projectId}"}]` });
  const place = { table: people, companyId: '1', projectId: '3' };
  expect(await readStanding(mirror.database.pool, place, ['1'])).toEqual(
    new Map([['1', { ...nothing, status: 'in 3' }]]),
  );
});
