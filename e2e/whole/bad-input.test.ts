// Whatever is posted to the receiver, each sender gets the answer of the contract, nothing an event made up becomes an
// address, and the next good event is stored.
import { connect as connectSocket } from 'node:net';
import { fingerprint } from '@procore-mirror/runtime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { aBody, deliver, type Mirror, startMirror } from './start-mirror.ts';

type Made = { records: { id: string; companyId: string; projectId: string }[] };

let mirror: Mirror;
let companyId: string;
let projectId: string;

beforeAll(async () => {
  mirror = await startMirror('postgres', { projects: 1 });
  await mirror.system.startIngest();
  await mirror.system.startWorker();
  const create = { edits: [{ resource: 'RFIs', action: 'create' }] };
  const { records } = await mirror.system.control<Made>('POST', '/control/edits', create);
  companyId = records[0]!.companyId;
  projectId = records[0]!.projectId;
});
afterAll(() => mirror.close());

const good = (change: Record<string, unknown> = {}) =>
  aBody({ company_id: companyId, project_id: projectId, resource_type: 'RFIs', resource_id: '1', ...change });

const v2 = (change: Record<string, unknown>) =>
  JSON.stringify({
    id: 7,
    ulid: '01EDPD2J6SBY1163N77H95GW09',
    api_version: 'v2.0',
    event_type: 'update',
    resource_name: 'RFIs',
    resource_id: 1,
    company_id: 1,
    project_id: 2,
    timestamp: '2026-06-01T10:00:00Z',
    ...change,
  });

const deadLetters: [string, () => string | Uint8Array<ArrayBuffer>, string][] = [
  ['garbage bytes', () => new Uint8Array([0xff, 0xfe, 0x00, 0x80, 0xc3, 0x28]), 'not_json'],
  ['nothing', () => '', 'not_json'],
  ['cut-off JSON', () => '{"id": "01JMYXMZRBVKK0PC6XS8SA4QRE", "rea', 'not_json'],
  ['an array', () => `[${good()}]`, 'not_an_object'],
  ['a number', () => '42', 'not_an_object'],
  ['an empty object', () => '{}', 'unknown_version'],
  ['no company', () => good({ company_id: undefined }), 'missing_field'],
  ['an unknown version', () => v2({ api_version: 'v9.0' }), 'unknown_version'],
  ['a record id that climbs', () => good({ resource_id: '../../rest/v1.0/me' }), 'bad_id'],
  ['a record id with a query', () => good({ resource_id: '1?company_id=2' }), 'bad_id'],
  ['a project id that is none', () => good({ project_id: '1/../2' }), 'bad_id'],
  ['a ULID where ids are numbers', () => good({ resource_id: '01JMYXMZRBVKK0PC6XS8SA4QRE' }), 'bad_id'],
  ['no project for a project resource', () => good({ project_id: '' }), 'missing_project'],
];

test.each(deadLetters)('%s is answered 204 and kept as a dead letter', async (_, body, reason) => {
  const { system, database, untilQuiet } = mirror;
  await database.pool.query('truncate mirror.dead_letters');
  await system.control('DELETE', '/control/calls');
  const sent = body();
  expect(await deliver(system, sent)).toBe(204);
  await untilQuiet();
  await expect
    .poll(async () => (await database.pool.query('select reason, raw from mirror.dead_letters')).rows)
    .toEqual([{ reason, raw: expect.any(String) }]);
  const { rows } = await database.pool.query('select raw from mirror.dead_letters');
  expect(rows[0].raw).toBe(typeof sent === 'string' ? sent : `\\x${Buffer.from(sent).toString('hex')}`);
  expect(await system.control('GET', '/control/calls')).toMatchObject({ total: 0 });
});

test('a wrong content type does not matter', async () => {
  expect(await deliver(mirror.system, good(), { 'content-type': 'text/plain' })).toBe(204);
});

test('an event of a resource that cannot be read is logged as ignored', async () => {
  const { system, database, untilQuiet } = mirror;
  expect(await deliver(system, good({ resource_type: 'Daily Log/Entries', resource_id: '77' }))).toBe(204);
  await untilQuiet();
  await expect
    .poll(
      async () => (await database.pool.query(`select outcome, reason from mirror.events where record_id = '77'`)).rows,
    )
    .toEqual([{ outcome: 'ignored', reason: 'no_known_endpoint' }]);
});

test.each([
  ['a wrong Authorization', { authorization: 'Bearer wrong-wrong-wrong' }],
  ['an empty Authorization', { authorization: '' }],
])('%s is answered 401 and nothing is stored', async (_, headers) => {
  const { system, database, untilQuiet } = mirror;
  const before = await database.pool.query('select count(*) from mirror.events');
  expect(await deliver(system, good(), headers)).toBe(401);
  await untilQuiet();
  expect((await database.pool.query('select count(*) from mirror.events')).rows).toEqual(before.rows);
});

test('ten megabytes are refused with 413', async () => {
  const answer = await deliver(mirror.system, ' '.repeat(10 * 1024 * 1024)).catch(() => 'cut off');
  expect([413, 'cut off']).toContain(answer);
});

test('half a request and then silence does not hold the receiver', async () => {
  const { system } = mirror;
  const { hostname, port, pathname } = new URL(system.receiverUrl);
  const socket = connectSocket(Number(port), hostname);
  const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => {}).resume();
  socket.write(
    `POST ${pathname} HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: ${system.secrets.authorization}\r\nContent-Length: 500\r\n\r\n{"half`,
  );
  expect(await deliver(system, good())).toBe(204);
  await ended;
});

test('silent connections and odd requests by the thousand hold up nobody', async () => {
  const { system } = mirror;
  const { hostname, port, pathname } = new URL(system.receiverUrl);
  const open = new Set<unknown>();
  const send = (bytes: string | Buffer) =>
    new Promise<void>((resolve) => {
      const socket = connectSocket(Number(port), hostname);
      open.add(socket);
      socket.on('error', () => {}).resume();
      socket.once('close', () => {
        open.delete(socket);
        resolve();
      });
      socket.write(bytes);
    });
  const proved = `Host: x\r\nAuthorization: ${system.secrets.authorization}\r\n`;
  const odd = [
    'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    `POST ${pathname} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    `BREW ${pathname} HTTP/1.1\r\n${proved}\r\n`,
    `POST ${pathname} HTTP/9.9\r\n${proved}\r\n`,
    `POST ${pathname} HTTP/1.1\r\n${proved}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
    `POST ${pathname} HTTP/1.1\r\n${proved}Content-Length: -1\r\n\r\n`,
    `POST ${pathname} HTTP/1.1\r\n${proved}Content-Length: 5\r\nContent-Length: 6\r\n\r\n`,
    `POST ${pathname} HTTP/1.1\r\n${proved}X: ${'x'.repeat(20_000)}\r\n\r\n`,
    `OPTIONS * HTTP/1.1\r\n${proved}Connection: close\r\n\r\n`,
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', // what begins TLS
    Buffer.alloc(1_000, 0xff),
  ];
  const silent = Array.from({ length: 500 }, () => send(''));
  for (let round = 0; round < 25; round += 1) {
    await Promise.all(Array.from({ length: 96 }, (_, index) => send(odd[index % odd.length] ?? '')));
    expect(await deliver(system, good())).toBe(204);
  }
  await Promise.all(silent);
  expect(open.size).toBe(0);
});

test('the next good event is stored, digit for digit', async () => {
  const { system, database, untilQuiet } = mirror;
  const id = '9007199254740993';
  const number = '123456789012345678901234567890.5';
  const raw = `{"grand_total": "${number}", "number": "PO-1"}`;
  const edits = [
    { resource: 'Purchase Order Contracts', action: 'create', id, companyId, projectId, raw, silent: true },
  ];
  await system.control('POST', '/control/edits', { edits });
  const event = { resource_name: 'Purchase Order Contracts', company_id: 0, project_id: 0, resource_id: 0 };
  const body = v2({ ...event, ulid: undefined })
    .replace('"id":7', '"id":5982324300946918154')
    .replace('"company_id":0', `"company_id":${companyId}`)
    .replace('"project_id":0', `"project_id":${projectId}`)
    .replace('"resource_id":0', `"resource_id":${id}`);
  expect(await deliver(system, body)).toBe(204);
  await untilQuiet();
  const logged = async () =>
    (
      await database.pool.query(
        `select id, raw ->> 'id' as raw_id, record_id from mirror.events where record_id = $1`,
        [id],
      )
    ).rows;
  await expect.poll(logged).toEqual([{ id: '5982324300946918154', raw_id: '5982324300946918154', record_id: id }]);
  await untilQuiet();
  const { rows } = await database.pool.query(
    'select id::text, grand_total::text from procore.purchase_order_contracts',
  );
  expect(rows).toEqual([{ id, grand_total: number }]);
});

test('an event is logged with the key that came with it, under the trace that its sender began', async () => {
  const { system, database, untilQuiet } = mirror;
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
  const headers = { traceparent: `00-${trace}-00f067aa0ba902b7-01` };
  expect(await deliver(system, good({ id: 'TRACED' }), headers)).toBe(204);
  await untilQuiet();
  const logged = async () =>
    (await database.pool.query(`select key, trace from mirror.events where id = 'TRACED'`)).rows;
  await expect.poll(logged).toEqual([{ key: fingerprint(system.secrets.authorization), trace }]);
});

test('the receiver itself is known, from its report, and that is no dead letter', async () => {
  const known = async () => (await mirror.database.pool.query('select report, stopped_at from mirror.receivers')).rows;
  await expect
    .poll(known)
    .toMatchObject([
      { report: { reason: expect.stringMatching(/^(start|minute)$/), downSince: null }, stopped_at: null },
    ]);
  const { rows } = await mirror.database.pool.query(`select from mirror.dead_letters where reason = 'bad_report'`);
  expect(rows).toEqual([]);
});

test('nothing was asked of Procore but records by their ids, and who we are', async () => {
  const { recent } = await mirror.system.control<{ recent: { path: string; kind: string }[] }>('GET', '/control/calls');
  expect(recent.filter(({ kind, path }) => kind === 'other' && path !== '/rest/v1.0/me')).toEqual([]);
});
