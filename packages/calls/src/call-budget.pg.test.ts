import { createServer, type OutgoingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, openDatabase } from '@procore-mirror/database';
import { createMigratedDatabase } from '@procore-mirror/database/testing';
import { createProcoreClient, type ProcoreClient } from '@procore-mirror/procore';
import type { TestDatabase } from '@procore-mirror/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type CallBudget, createCallBudget } from './call-budget.ts';

let test_: TestDatabase;
let database: Database;
let server: Server;
let client: ProcoreClient;
let budget: CallBudget;
/** What each company is answered; 200 without headers where it is not named. */
let answers: Record<string, { status: number; headers?: OutgoingHttpHeaders }>;
let asked: string[];

beforeAll(async () => {
  test_ = await createMigratedDatabase([]);
  database = openDatabase({ url: test_.url, applicationName: 'test' });
});
afterAll(async () => {
  await database.close();
  await test_.drop();
});
beforeEach(async () => {
  [answers, asked] = [{}, []];
  await database.pool.query('truncate mirror.budget, mirror.callers');
  server = createServer((request, response) => {
    const companyId = String(request.headers['procore-company-id']);
    asked.push(companyId);
    const { status, headers } = answers[companyId] ?? { status: 200 };
    response.writeHead(status, headers).end('{}');
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  budget = createCallBudget({
    database,
    holder: 'test',
    onError: (error) => {
      throw error;
    },
  });
  client = createProcoreClient({
    apiUrl: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), // it listens on TCP
    token: async () => 'token-of-the-test',
    refuseToken: () => {},
    beforeCall: budget.beforeCall,
    afterCall: budget.afterCall,
  });
});
afterEach(async () => {
  budget.close();
  await client.close();
  server.close();
});

const call = (companyId: string, signal?: AbortSignal) => client.get('/x', { companyId, signal });

async function pauses(): Promise<{ company_id: string | null; seconds: number }[]> {
  const { rows } = await database.pool.query(
    `select company_id, ceil(extract(epoch from reset_at - updated_at))::int as seconds
      from mirror.budget where window_name = 'pause'`,
  );
  return rows;
}

test.each([
  ['nothing of its length', {}, 10],
  ['zero seconds', { 'Retry-After': '0' }, 1],
  ['how long', { 'Retry-After': '40' }, 40],
])('a 429 that says %s pauses its company, and the calls of others go out', async (_, headers, seconds) => {
  answers = { '1': { status: 429, headers } };
  await expect(call('1')).rejects.toMatchObject({ name: 'ProcoreBusyError' });
  expect(await pauses()).toEqual([{ company_id: '1', seconds }]);
  answers = {};
  const ending = new AbortController();
  if (seconds === 1) await call('1');
  else {
    const waiting = expect(call('1', ending.signal)).rejects.toThrow();
    for (let calls = 1; calls <= 20; calls += 1) await call('2');
    await sleep(1_500); // longer than the budget naps
    ending.abort();
    await waiting;
  }
  expect(asked.filter((companyId) => companyId === '1')).toHaveLength(seconds === 1 ? 2 : 1);
});

test('a 503 is no matter of the budget: the next call goes out', async () => {
  answers = { '1': { status: 503, headers: { 'Retry-After': '60' } } };
  for (let calls = 1; calls <= 3; calls += 1) {
    await expect(call('1')).rejects.toMatchObject({ name: 'ProcoreBusyError' });
  }
  await call('2');
  expect(await pauses()).toEqual([]);
  expect(asked).toEqual(['1', '1', '1', '2']);
});
