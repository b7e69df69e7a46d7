import { expect, test } from 'vitest';
import { createShutdown } from './shutdown.ts';

const forEver = () => new Promise<never>(() => {});

test('what was deferred last is closed first, one after the other, once the signal is aborted', async () => {
  const shutdown = createShutdown(60_000);
  const order: string[] = [];
  for (const name of ['database', 'queue', 'server']) {
    shutdown.defer(name, async () => {
      order.push(`${name} ${shutdown.signal.aborted}`);
      await new Promise(setImmediate);
      order.push(`${name} closed`);
    });
  }
  expect(await shutdown.run()).toEqual([]);
  expect(order).toEqual([
    'server true',
    'server closed',
    'queue true',
    'queue closed',
    'database true',
    'database closed',
  ]);
});

test('what fails to close is reported, and the rest is closed', async () => {
  const shutdown = createShutdown(60_000);
  const closed: string[] = [];
  const error = new Error('broken pipe');
  shutdown.defer('database', () => closed.push('database'));
  shutdown.defer('queue', () => {
    throw error;
  });
  shutdown.defer('server', () => Promise.reject(error));
  expect(await shutdown.run()).toEqual([
    { message: 'could not close server', error },
    { message: 'could not close queue', error },
  ]);
  expect(closed).toEqual(['database']);
});

test('what hangs is named at the limit, and what waits behind it is closed nevertheless', async () => {
  const shutdown = createShutdown(100);
  const closed: string[] = [];
  shutdown.defer('database', () => closed.push('database'));
  shutdown.defer('queue', forEver);
  shutdown.defer('server', () => closed.push('server'));
  expect(await shutdown.run()).toEqual([{ message: 'queue did not close within 100 ms', error: undefined }]);
  expect(closed).toEqual(['server', 'database']);
});

test('work under way may end before things are closed under it, but not hold them up for ever', async () => {
  for (const work of [forEver, () => Promise.reject(new Error('given up'))]) {
    const shutdown = createShutdown(100);
    const closed: string[] = [];
    shutdown.waitFor(work());
    shutdown.defer('database', () => closed.push('database'));
    expect(await shutdown.run()).toEqual([]);
    expect(closed).toEqual(['database']);
  }
});

test('what work opens while it comes to its end is closed, too', async () => {
  const shutdown = createShutdown(60_000);
  const closed: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  shutdown.waitFor(promise);
  shutdown.signal.addEventListener('abort', () => {
    shutdown.defer('late', () => closed.push('late'));
    resolve();
  });
  await shutdown.run();
  expect(closed).toEqual(['late']);
});
