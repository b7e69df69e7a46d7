import { startApp } from '@procore-mirror/testing';
import { expect, test } from 'vitest';

test('unknown names in MIRROR_RESOURCES stop the worker at its start, each with the nearest', async () => {
  const worker = startApp('worker', {
    DATABASE_URL: 'postgres://nobody:nothing@127.0.0.1:1/none',
    PROCORE_CLIENT_ID: 'client',
    PROCORE_CLIENT_SECRET: 'a-client-secret',
    MIRROR_RESOURCES: 'RFI, Submittals, Punch Item',
  });
  await expect.poll(() => worker.isRunning(), { timeout: 30_000 }).toBe(false);
  expect(await worker.end('SIGTERM')).toBe(2);
  expect(worker.output()).toContain('MIRROR_RESOURCES: there is no resource "RFI", did you mean "RFIs"?');
  expect(worker.output()).toContain('did you mean "Punch Items"?');
});
