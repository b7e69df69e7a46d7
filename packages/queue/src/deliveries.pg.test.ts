import { createTestDatabase, type TestDatabase } from '@procore-mirror/testing';
import { afterAll, beforeAll } from 'vitest';
import { describeDeliveries } from './deliveries.contract.ts';
import { startProxy, startSilence } from './test-servers.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

describeDeliveries('Postgres', {
  url: () => database.url,
  async outage() {
    const proxy = await startProxy(Number(new URL(database.url).port));
    return { ...proxy, url: onPort(proxy.port) };
  },
  async silence() {
    const silence = await startSilence();
    return { url: onPort(silence.port), close: silence.close };
  },
});

function onPort(port: number): string {
  return Object.assign(new URL(database.url), { port: String(port) }).href;
}
