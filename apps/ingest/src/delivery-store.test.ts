import { setTimeout as sleep } from 'node:timers/promises';
import type { Envelope, SealedEnvelope } from '@procore-mirror/queue';
import { createLog, createSecrets } from '@procore-mirror/runtime';
import { afterEach, expect, test, vi } from 'vitest';
import { createDeliveryStore, type DeliveryStore } from './delivery-store.ts';
import type { Spool } from './spool.ts';

const patience = { timeout: 10_000, interval: 5 };
const log = createLog({ name: 'test', level: 'silent', secrets: createSecrets() });
let stores: DeliveryStore[] = [];
afterEach(async () => {
  await Promise.all(stores.map((store) => store.close()));
  stores = [];
});

/** A queue and a spool in memory, each of which can be broken. */
function aWorld() {
  const queued: string[] = [];
  const spooled: string[] = [];
  const broken = { queue: false, spool: false };
  const asked = { queue: 0 };
  const queue = {
    async add({ body }: SealedEnvelope) {
      asked.queue += 1;
      if (broken.queue) throw new Error('the queue is down');
      queued.push(body.toString());
    },
    async waiting() {
      if (broken.queue) throw new Error('the queue is down');
      return queued.length;
    },
  };
  const spool: Spool = {
    async append({ body }) {
      if (broken.spool) throw new Error('the disk is full');
      spooled.push(body.toString());
    },
    async drain(add) {
      for (let first = spooled[0]; first !== undefined; first = spooled[0]) {
        await add(aDelivery(first));
        spooled.shift();
      }
    },
    count: () => spooled.length,
    async check() {
      if (broken.spool) throw new Error('the disk is full');
    },
    async close() {},
  };
  const store = createDeliveryStore({ queue, spool, log, retryMs: 20 });
  stores.push(store);
  return { store, queued, spooled, broken, asked };
}

function aDelivery(body: string): Envelope {
  return { v: 1, kind: 'delivery', body: Buffer.from(body), receivedAt: new Date(), key: null, trace: null };
}

test('a delivery goes to the queue', async () => {
  const { store, queued, spooled } = aWorld();
  expect(await store.store(aDelivery('one'))).toBe('queue');
  expect(queued).toEqual(['one']);
  expect(spooled).toEqual([]);
});

test('while the queue is down deliveries go to the spool, and from there to the queue when it is back', async () => {
  const { store, queued, broken } = aWorld();
  broken.queue = true;
  for (const body of ['one', 'two', 'three']) expect(await store.store(aDelivery(body))).toBe('spool');
  await sleep(50);
  expect(queued).toEqual([]);
  broken.queue = false;
  await vi.waitFor(() => expect(queued).toEqual(['one', 'two', 'three']), patience);
  expect(await store.store(aDelivery('four'))).toBe('queue');
});

test('a queue that has just failed is not asked for each delivery', async () => {
  const { store, broken, asked } = aWorld();
  broken.queue = true;
  await store.store(aDelivery('first'));
  const before = asked.queue;
  await Promise.all(Array.from({ length: 500 }, (_, n) => store.store(aDelivery(`${n}`))));
  expect(asked.queue - before).toBeLessThan(50); // only the attempts to drain
});

test('when the spool fails, too, a queue that rests is asked all the same', async () => {
  const { store, queued, broken } = aWorld();
  broken.queue = true;
  await store.store(aDelivery('one'));
  broken.spool = true;
  await expect(store.store(aDelivery('two'))).rejects.toThrow('neither the queue nor the spool');
  broken.queue = false;
  expect(await store.store(aDelivery('three'))).toBe('queue');
  expect(queued).toContain('three');
});

test('it can do its work as long as one of the two works', async () => {
  const { store, broken } = aWorld();
  expect(await store.problems()).toEqual([]);
  broken.queue = true;
  expect(await store.problems()).toEqual([]);
  broken.spool = true;
  expect(await store.problems()).toEqual(['the queue cannot be reached', 'the spool cannot be written']);
  broken.queue = false;
  expect(await store.problems()).toEqual([]);
});

test('closing leaves in the spool what is there', async () => {
  const { store, spooled, broken } = aWorld();
  broken.queue = true;
  await store.store(aDelivery('one'));
  await store.close();
  broken.queue = false;
  await sleep(60);
  expect(spooled).toEqual(['one']);
});
