import { showEvent } from '@procore-mirror/database';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { recordDelivery } from './record-delivery.ts';
import { type ScriptedProcore, scriptProcore, startTestMirror, type TestMirror } from './testing/test-mirror.ts';

let procore: ScriptedProcore;
let mirror: TestMirror;
beforeAll(async () => {
  procore = await scriptProcore();
  mirror = await startTestMirror(procore);
});
afterAll(() => mirror.close());
beforeEach(async () => {
  procore.calls.splice(0);
  await mirror.clear();
});

const receivedAt = new Date('2026-06-01T12:00:00Z');
const anEvent = (fields: Record<string, unknown> = {}) => ({
  ...{ id: 'EVENT', timestamp: '2026-06-01T10:00:00Z', reason: 'update', company_id: '1', project_id: '7' },
  ...{ resource_type: 'Locations', resource_id: '5', ...fields },
});
const receive = (body: string | Buffer) =>
  recordDelivery(
    { ...mirror.settings, selection: { companyIds: null, resources: null } },
    { body: Buffer.from(body as string), receivedAt },
  );

async function logged(): Promise<{ at: string }[]> {
  const { rows } = await mirror.database.pool.query(
    `select to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') as at from mirror.events`,
  );
  return rows;
}

test('an event of the projects announces those of a company that is mirrored, once', async () => {
  const { pool } = mirror.database;
  await pool.query('insert into mirror.selection (company_id, is_selected) values (1, true), (2, true)');
  const announced = async () =>
    (await pool.query('select company_id from mirror.selection where announced_at is not null')).rows;
  await receive(JSON.stringify(anEvent({ id: 'RFI' })));
  expect(await announced()).toEqual([]);
  const event = { id: 'PROJECT', resource_type: 'projects', resource_id: '8', reason: 'create' };
  await receive(JSON.stringify(anEvent(event)));
  expect(await announced()).toEqual([{ company_id: '1' }]);
  await pool.query('update mirror.selection set announced_at = null');
  await receive(JSON.stringify(anEvent(event)));
  expect(await announced()).toEqual([]);
  await pool.query('delete from mirror.selection');
});

test('the key and the trace of its first delivery stand with the event', async () => {
  const settings = { ...mirror.settings, selection: { companyIds: null, resources: null } };
  const body = Buffer.from(JSON.stringify(anEvent()));
  const first = { key: '0123456789abcdef', trace: '4bf92f3577b34da6a3ce929d0e0e4736' };
  await recordDelivery(settings, { body, receivedAt, ...first });
  await recordDelivery(settings, { body, receivedAt, key: 'f'.repeat(16), trace: 'f'.repeat(32) });
  expect(await showEvent(mirror.database.pool, 'EVENT')).toMatchObject({ ...first, deliveries: 2 });
  await receive(JSON.stringify(anEvent({ id: 'OTHER' })));
  expect(await showEvent(mirror.database.pool, 'OTHER')).toMatchObject({ key: null, trace: null });
});

describe('costs nothing, and the record is fetched', () => {
  const nested = (open: string, close: string, depth: number) => open.repeat(depth) + 1 + close.repeat(depth);
  const withDeep = (deep: string) => JSON.stringify(anEvent({ more: '@' })).replace('"@"', () => deep);
  test.each([
    ['a byte order mark', `\ufeff${JSON.stringify(anEvent())}`],
    ['a blank after the name', JSON.stringify(anEvent({ resource_type: 'Locations ' }))],
    ['a blank before the name', JSON.stringify(anEvent({ resource_type: ' Locations' }))],
    ['another spelling of the time', JSON.stringify(anEvent({ timestamp: '2026-06-01 10:00:00 UTC' }))],
    ['a time without a zone', JSON.stringify(anEvent({ timestamp: '2026-06-01T10:00:00.123' }))],
    ['a time in seconds', JSON.stringify(anEvent({ timestamp: 1780308000 }))],
    ...[900, 5000, 100_000].flatMap((depth) => [
      [`a field with arrays nested ${depth} deep`, withDeep(nested('[', ']', depth))],
      [`a field with objects nested ${depth} deep`, withDeep(nested('{"x":', '}', depth))],
    ]),
  ])('%s', async (_, body) => {
    procore.answer = () => ({ body: { id: 5, name: 'Roof' } });
    expect(await receive(body ?? '')).toMatchObject({ outcome: 'pending', event: { resource: 'Locations' } });
    expect(await receive(body ?? '')).toMatchObject({ outcome: 'known' });
    expect(await logged()).toEqual([{ at: '2026-06-01 10:00:00' }]);
    await mirror.run('Locations');
    expect(await mirror.rows('locations', 'id, name')).toMatchObject([{ id: '5', name: 'Roof' }]);
    expect(await mirror.pendingIds()).toEqual([]);
    expect((await mirror.database.pool.query('select from mirror.dead_letters')).rowCount).toBe(0);
  });
});

describe('an event whose time cannot be read', () => {
  test.each([undefined, null, '', 'yesterday', 17, {}, '2026-02-30T10:00:00Z'])(
    'as %j is logged with the time of its receipt',
    async (timestamp) => {
      procore.answer = () => ({ body: { id: 5, updated_at: '2020-01-01T00:00:00Z' } });
      expect(await receive(JSON.stringify(anEvent({ timestamp })))).toMatchObject({ outcome: 'pending' });
      expect(await logged()).toEqual([{ at: '2026-06-01 12:00:00' }]);
      await mirror.run('Locations');
      // It proves no answer too old.
      expect(await mirror.pendingIds()).toEqual([]);
      expect(procore.calls).toHaveLength(1);
    },
  );

  const at = (hour: number) => `2026-06-01T${hour}:00:00Z`;
  test.each([
    ['a deletion alone is the last news', [['delete', null]], 'deleted'],
    [
      'so it is twice',
      [
        ['delete', null],
        ['delete', null],
      ],
      'deleted',
    ],
    [
      'a deletion after a change of which we know when',
      [
        ['update', at(10)],
        ['delete', null],
      ],
      'pending',
    ],
    [
      'a change after a deletion of which we know when',
      [
        ['delete', at(10)],
        ['update', null],
      ],
      'pending',
    ],
    [
      'a change before a deletion of which we know when',
      [
        ['update', null],
        ['delete', at(10)],
      ],
      'pending',
    ],
    [
      'a change and a deletion',
      [
        ['update', null],
        ['delete', null],
      ],
      'pending',
    ],
    [
      'a deletion, known to be later than the change, told once more',
      [
        ['update', at(10)],
        ['delete', null],
        ['delete', at(11)],
      ],
      'deleted',
    ],
  ] as const)('%s: after one sighting its record is %s', async (_, events, state) => {
    procore.answer = (path) => (path.endsWith('/me') ? { body: { id: 1 } } : { status: 404 });
    for (const [index, [reason, timestamp]] of events.entries()) {
      await receive(JSON.stringify(anEvent({ id: `EVENT${index}`, reason, timestamp })));
    }
    await mirror.run('Locations');
    expect(await mirror.pendingIds()).toEqual(state === 'pending' ? ['5'] : []);
    await mirror.run('Locations');
    expect(await mirror.rows('locations')).toEqual([{ id: '5', deleted: true, hidden: false }]);
    expect(await mirror.pendingIds()).toEqual([]);
  });
});
