import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { recordDelivery } from './record-delivery.ts';
import { replayDeadLetters, retryDeadLetters, timeToNextTry } from './retry-dead-letters.ts';
import type { NewDeadLetter } from './run/fetch-settings.ts';
import { type ScriptedProcore, scriptProcore, startTestMirror, type TestMirror } from './testing/test-mirror.ts';

let procore: ScriptedProcore;
let mirror: TestMirror;
let told: NewDeadLetter[];

beforeAll(async () => {
  procore = await scriptProcore();
  mirror = await startTestMirror(procore);
  mirror.settings.retryDeadLettersAfterMs = [3_600_000, 86_400_000];
  mirror.settings.onDeadLetter = (letter) => told.push(letter);
});
afterAll(() => mirror.close());
beforeEach(async () => {
  told = [];
  procore.calls.splice(0);
  await mirror.clear();
});

const refused = { status: 200, body: ['no record'] };
const query = async (sql: string) => (await mirror.database.pool.query(sql)).rows;
const makeDue = () => query(`update mirror.dead_letters set next_try_at = now() - interval '1 s'`);
const letters = (columns = 'id') => query(`select ${columns} from mirror.dead_letters order by id`);

/** Fetches until nothing is pending: what keeps making no sense is given up in the end. */
async function runToTheEnd(lane: 'live' | 'repair' = 'live'): Promise<void> {
  for (let run = 0; run < 20 && (await mirror.pendingIds()).length > 0; run += 1) {
    await mirror.run('Locations', { lane });
    await query('update mirror.pending set ready_at = now(), not_before = null');
  }
}

async function giveUp(change: Record<string, unknown> = {}): Promise<void> {
  const good = procore.answer;
  await mirror.hear('Locations', [5], change);
  procore.answer = (path) => (path.endsWith('/locations') ? { body: [] } : refused);
  await runToTheEnd();
  procore.answer = good;
  expect(await mirror.pendingIds()).toEqual([]);
  expect(await letters()).toEqual([{ id: '1/7/Locations/5' }]);
}

const replay = (choice: Parameters<typeof replayDeadLetters>[1] = {}, bodies: string[] = []) =>
  replayDeadLetters(
    {
      ...mirror.settings,
      handOver: async (delivery) => {
        bodies.push(delivery.body.toString('latin1'));
        await record(delivery.body, delivery.receivedAt);
      },
    },
    choice,
  );
const record = (body: Buffer, receivedAt = new Date()) =>
  recordDelivery({ ...mirror.settings, selection: { companyIds: null, resources: null } }, { body, receivedAt });

test('a new dead letter is told of once, however often it fails again', async () => {
  await giveUp();
  await giveUp();
  expect(told).toMatchObject([
    { id: '1/7/Locations/5', companyId: '1', projectId: '7', resource: 'Locations', recordId: '5' },
  ]);
  expect(told[0]?.reason).toBe('malformed_answer');
});

test('it is tried again by itself and gone when the record is stored', async () => {
  await giveUp();
  expect(await retryDeadLetters(mirror.settings)).toBe(0);
  await makeDue();
  procore.answer = () => ({ body: { id: 5, name: 'Roof' } });
  expect(await retryDeadLetters(mirror.settings)).toBe(1);
  expect(await retryDeadLetters(mirror.settings)).toBe(0);
  await mirror.run('Locations', { lane: 'repair' });
  expect(await mirror.rows('locations', 'id, name')).toMatchObject([{ id: '5', name: 'Roof' }]);
  expect([await mirror.pendingIds(), await letters()]).toEqual([[], []]);
});

test('a deletion that was given up is applied when it is tried again', async () => {
  procore.answer = () => ({ body: { id: 5, name: 'Roof' } });
  await mirror.hear('Locations', [5]);
  await mirror.run('Locations');
  await giveUp({ reason: 'delete' });
  await makeDue();
  await retryDeadLetters(mirror.settings);
  procore.answer = () => ({ status: 404 });
  await mirror.run('Locations', { lane: 'repair' });
  expect(await mirror.rows('locations')).toEqual([{ id: '5', deleted: true, hidden: false }]);
  expect([await mirror.pendingIds(), await letters()]).toEqual([[], []]);
});

test('an event of the record that gets through ends its dead letter', async () => {
  await giveUp();
  procore.answer = () => ({ body: { id: 5 } });
  await mirror.hear('Locations', [5]);
  await mirror.run('Locations');
  expect(await letters()).toEqual([]);
});

test('what fails again stays with its next try', async () => {
  await giveUp();
  await makeDue();
  procore.answer = (path) => (path.endsWith('/locations') ? { body: [] } : refused);
  await retryDeadLetters(mirror.settings);
  await runToTheEnd('repair');
  expect(await letters(`tries, next_try_at > now() + interval '22 hours' as is_in_a_day`)).toEqual([
    { tries: 1, is_in_a_day: true },
  ]);
});

test('replayed records are pending at once, and the schedule stays as it is', async () => {
  await giveUp();
  const before = await letters('tries, next_try_at');
  expect(await replay({ ids: ['1/7/Locations/5'] })).toMatchObject({ records: ['1/7/Locations/5'], deliveries: [] });
  expect(await mirror.pendingIds()).toEqual(['5']);
  expect(await letters('tries, next_try_at')).toEqual(before);
  expect(await replay({ resource: 'RFIs' })).toMatchObject({ records: [] });
  expect(await replay({ resource: 'locations', companyId: '1', projectId: '7' })).toMatchObject({
    records: [expect.any(String)],
  });
});

test('a record whose resource is not mirrored any more is named, not marked', async () => {
  await giveUp();
  await query(`update mirror.dead_letters set resource = 'Teapots', next_try_at = now()`);
  expect(await replay()).toMatchObject({ records: [], notMirrored: ['1/7/Locations/5'] });
  expect(await retryDeadLetters(mirror.settings)).toBe(0);
  expect(await mirror.pendingIds()).toEqual([]);
});

test.each([
  ['no JSON', Buffer.from('{"half')],
  ['nothing', Buffer.alloc(0)],
  ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x00, 0x80])],
  ['a NUL', Buffer.from('{\u0000}')],
  ['text that looks like our bytes', Buffer.from('\\x7b7d')],
  ['lines', Buffer.from('{\r\n\t"half')],
])('a body of %s is handed over byte for byte, and is the same dead letter when it fails again', async (_, body) => {
  const { newDeadLetter } = await record(body);
  expect(newDeadLetter).toMatch(/^[0-9a-f]{32}$/);
  const bodies: string[] = [];
  expect(await replay({}, bodies)).toMatchObject({ deliveries: [newDeadLetter] });
  expect(bodies).toEqual([body.toString('latin1')]);
  expect(await letters('id, kind, attempts')).toEqual([{ id: newDeadLetter, kind: 'delivery', attempts: 2 }]);
  expect(await record(body)).toMatchObject({ outcome: 'dead', newDeadLetter: null });
});

test('a body that can be used meanwhile is no dead letter any more', async () => {
  const event = { id: 'E1', timestamp: '2026-06-01T10:00:00Z', reason: 'update', company_id: '1', project_id: '7' };
  const body = Buffer.from(JSON.stringify({ ...event, resource_type: 'Locations', resource_id: '5' }));
  // As an older version would have kept it.
  const { newDeadLetter } = await record(Buffer.from('{'));
  const id = createHash('sha256').update(body).digest('hex').slice(0, 32);
  const values = [id, body.toString(), newDeadLetter];
  await mirror.database.pool.query('update mirror.dead_letters set id = $1, raw = $2 where id = $3', values);
  expect(await replay()).toMatchObject({ deliveries: [id] });
  expect(await letters()).toEqual([]);
  expect(await mirror.pendingIds()).toEqual(['5']);
});

test('a body that says what it is about is a dead letter about that', async () => {
  const event = { id: 'E1', timestamp: '2026-06-01T10:00:00Z', reason: 'update', company_id: '1', project_id: '' };
  await record(Buffer.from(JSON.stringify({ ...event, resource_type: 'Locations', resource_id: '5' })));
  expect(await letters('reason, company_id, project_id, resource, record_id, next_try_at')).toEqual([
    {
      reason: 'missing_project',
      company_id: '1',
      project_id: null,
      resource: 'Locations',
      record_id: '5',
      next_try_at: null,
    },
  ]);
});

describe('the next look for records to be tried again', () => {
  const nextTry = (inSeconds: number | null) =>
    query(`update mirror.dead_letters set next_try_at = now() + ${inSeconds} * interval '1 s'`);

  test.each<[string, number | null, number[], [least: number, most: number]]>([
    ['is after a minute when there are none', null, [3_600_000, 86_400_000], [60_000, 60_000]],
    ['is after a minute when the first is due later', 3_600, [3_600_000], [60_000, 60_000]],
    ['is when the first is due', 20, [3_600_000], [15_000, 20_000]],
    ['is within the shortest time after which one is tried', null, [5_000, 2_000, 86_400_000], [2_000, 2_000]],
    ['is no sooner than after a second', null, [10], [1_000, 1_000]],
    ['is after a second when one is due already', -5, [3_600_000], [1_000, 1_000]],
    ['is after a minute when none is to be tried', null, [], [60_000, 60_000]],
  ])('%s', async (_, inSeconds, retryDeadLettersAfterMs, [least, most]) => {
    await giveUp();
    await nextTry(inSeconds);
    const lookInMs = await timeToNextTry({ ...mirror.settings, retryDeadLettersAfterMs });
    expect(lookInMs).toBeGreaterThanOrEqual(least);
    expect(lookInMs).toBeLessThanOrEqual(most);
  });
});
