// What the rest of the system relies on, whichever server the queue is on. Run by deliveries.redis.test.ts and
// deliveries.pg.test.ts.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
// biome-ignore lint/correctness/noUndeclaredDependencies: the root brings vitest, as for each test
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  type ConsumeOptions,
  consumeDeliveries,
  type DeliveryConsumer,
  type DeliveryQueue,
  type DeliveryQueueOptions,
  type Envelope,
  openDeliveryQueue,
  QueueUnreachableError,
} from './index.ts';

/** A server that can be taken away, or fall silent, and be brought back. */
type Outage = {
  url: string;
  takeAway: () => Promise<void>;
  bringBack: () => Promise<void>;
  silence: () => Promise<void>;
  endSilence: () => Promise<void>;
  close: () => Promise<void>;
};
/** A server that accepts connections and never says a word. */
type Silence = { url: string; close: () => Promise<void> };
export type Place = { url: () => string; outage: () => Promise<Outage>; silence: () => Promise<Silence> };

const patience = { timeout: 30_000, interval: 20 };

export function describeDeliveries(server: string, place: Place): void {
  describe(`deliveries on ${server}`, () => {
    let cleanUps: (() => Promise<unknown>)[] = [];
    afterEach(async () => {
      for (const cleanUp of cleanUps.reverse()) await cleanUp();
      cleanUps = [];
    });

    async function openQueue(options: Partial<DeliveryQueueOptions> & { namespace: string }): Promise<DeliveryQueue> {
      const queue = await openDeliveryQueue({
        url: place.url(),
        allowVolatile: false,
        onWarning: () => {},
        ...options,
      });
      cleanUps.push(() => queue.close());
      return queue;
    }

    async function consume(options: Partial<ConsumeOptions> & { namespace: string }): Promise<DeliveryConsumer> {
      const consumer = await consumeDeliveries({
        url: place.url(),
        allowVolatile: false,
        concurrency: 4,
        record: async () => {},
        onWarning: () => {},
        onError: () => {},
        ...options,
      });
      cleanUps.push(() => consumer.close());
      return consumer;
    }

    test('an envelope that was added is recorded as it was, also one of before versions', async () => {
      const namespace = aNamespace();
      const queue = await openQueue({ namespace });
      const recorded: Envelope[] = [];
      await consume({ namespace, record: async (envelope) => void recorded.push(envelope) });
      const delivery = aDelivery('{"id":1}');
      const report = { ...aDelivery('{"id":1}'), kind: 'report', key: null } as const;
      const old = aDelivery('{"id":2}');
      for (const one of [delivery, report, { body: old.body, receivedAt: old.receivedAt }]) await queue.add(one);
      const expected = [delivery, report, { ...old, key: null, trace: null }];
      await vi.waitFor(() => expect(recorded).toHaveLength(3), patience);
      expect(recorded).toEqual(expect.arrayContaining(expected));
      await vi.waitFor(async () => expect(await queue.waiting()).toBe(0), patience);
    });

    test('what a newer receiver wrote stays until a newer worker comes, and holds up nothing', async () => {
      const namespace = aNamespace();
      const queue = await openQueue({ namespace });
      const recorded: string[] = [];
      const warnings: string[] = [];
      const errors: unknown[] = [];
      await consume({
        namespace,
        concurrency: 1,
        record: async ({ body }) => void recorded.push(body.toString()),
        onWarning: (warning) => warnings.push(warning),
        onError: (error) => errors.push(error),
      });
      await queue.add({ ...aDelivery('newer'), v: 2, more: {} });
      await queue.add({ ...aDelivery('other'), kind: 'postcard' });
      for (const body of ['one', 'two', 'newer']) await queue.add(aDelivery(body));
      await vi.waitFor(() => expect(recorded.toSorted()).toEqual(['newer', 'one', 'two']), patience);
      await vi.waitFor(async () => expect(await queue.waiting()).toBe(2), patience);
      // Not as errors, of which each try is one: there may be thousands.
      const told = () => new Set(warnings.filter((warning) => /newer receiver.*update the worker/.test(warning)));
      await vi.waitFor(() => expect(told().size).toBe(2), patience);
      expect(errors).toEqual([]);
    });

    test('bodies come out as they went in, whatever bytes they are', async () => {
      const namespace = aNamespace();
      const queue = await openQueue({ namespace });
      const recorded: string[] = [];
      await consume({ namespace, record: async ({ body }) => void recorded.push(body.toString('hex')) });
      const bodies = [
        Buffer.alloc(0),
        Buffer.from([0]),
        Buffer.from('\u0000"\\\u2028\ud83d\ude00', 'utf16le'),
        Buffer.from([0xc3, 0x28, 0xff, 0xfe, 0x0a, 0x0d]),
        randomBytes(1024 * 1024),
      ];
      await Promise.all(bodies.map((body) => queue.add({ ...aDelivery(''), body })));
      const sent = bodies.map((body) => body.toString('hex')).sort();
      await vi.waitFor(() => expect(recorded.length).toBe(bodies.length), patience);
      expect(recorded.sort()).toEqual(sent);
    });

    test('identical deliveries fold while one of them is in the queue, and are accepted again when it is done', async () => {
      const namespace = aNamespace();
      const queue = await openQueue({ namespace });
      const gate = Promise.withResolvers<void>();
      let runs = 0;
      await consume({
        namespace,
        record: async () => {
          runs += 1;
          await gate.promise;
        },
      });
      for (let n = 0; n < 3; n += 1) await queue.add(aDelivery('same'));
      await Promise.all(Array.from({ length: 20 }, () => queue.add(aDelivery('same'))));
      await vi.waitFor(async () => expect(await queue.waiting()).toBe(1), patience); // when jobs are made of all
      await vi.waitFor(() => expect(runs).toBe(1), patience);
      gate.resolve();
      await vi.waitFor(async () => expect(await queue.waiting()).toBe(0), patience);
      await queue.add(aDelivery('same'));
      await vi.waitFor(() => expect(runs).toBe(2), patience);
    });

    test('a record that fails is tried again until it works, and the error is told but not stored', async () => {
      const namespace = aNamespace();
      const queue = await openQueue({ namespace });
      const errors: unknown[] = [];
      const startedAt: number[] = [];
      await consume({
        namespace,
        onError: (error) => errors.push(error),
        record: async () => {
          startedAt.push(Date.now());
          // The name under which BullMQ would give a job up.
          if (startedAt.length < 4)
            throw Object.assign(new Error('the database is away'), { name: 'UnrecoverableError' });
        },
      });
      await queue.add(aDelivery('one'));
      await vi.waitFor(() => expect(startedAt.length).toBe(4), patience);
      await vi.waitFor(async () => expect(await queue.waiting()).toBe(0), patience);
      expect(errors.map(String)).toEqual(Array(3).fill('UnrecoverableError: the database is away'));
      const [first = 0, second = 0, third = 0] = startedAt.slice(1).map((at, n) => at - (startedAt[n] ?? 0));
      expect(first).toBeGreaterThanOrEqual(200); // pauses have lower bounds that no slow machine can break
      expect(second).toBeGreaterThanOrEqual(400);
      expect(third).toBeGreaterThanOrEqual(800);
    });

    test('what a killed consumer had in hand runs again elsewhere', async () => {
      const namespace = aNamespace();
      const queue = await openQueue({ namespace });
      const doomed = startConsumerProcess(place.url(), namespace);
      cleanUps.push(async () => void doomed.process.kill('SIGKILL'));
      const bodies = ['one', 'two', 'three'];
      for (const body of bodies) await queue.add(aDelivery(body));
      await vi.waitFor(() => expect(doomed.taken.toSorted()).toEqual(bodies.toSorted()), patience);
      const recorded: string[] = [];
      await consume({ namespace, record: async ({ body }) => void recorded.push(body.toString()) });
      doomed.process.kill('SIGKILL');
      await once(doomed.process, 'exit');
      await vi.waitFor(() => expect(recorded.toSorted()).toEqual(bodies.toSorted()), patience);
      await vi.waitFor(async () => expect(await queue.waiting()).toBe(0), patience);
    });

    test('closing waits for what is in hand and takes nothing new', async () => {
      const namespace = aNamespace();
      const queue = await openQueue({ namespace });
      const gate = Promise.withResolvers<void>();
      const started: string[] = [];
      const finished: string[] = [];
      const consumer = await consume({
        namespace,
        concurrency: 1,
        record: async ({ body }) => {
          started.push(body.toString());
          await gate.promise;
          finished.push(body.toString());
        },
      });
      await queue.add(aDelivery('in hand'));
      await queue.add(aDelivery('next'));
      await vi.waitFor(() => expect(started).toEqual(['in hand']), patience);
      const closed = consumer.close();
      gate.resolve();
      await closed;
      expect(finished).toEqual(['in hand']);
      expect(started).toEqual(['in hand']);
      expect(await queue.waiting()).toBe(1);
    });

    test('closing hands back what is not done in time, and it runs again at once', async () => {
      const namespace = aNamespace();
      const queue = await openQueue({ namespace });
      const gate = Promise.withResolvers<void>();
      const started: string[] = [];
      const consumer = await consume({
        namespace,
        finishWithinMs: 100,
        record: async ({ body }) => {
          started.push(body.toString());
          await gate.promise;
        },
      });
      await queue.add(aDelivery('slow'));
      await vi.waitFor(() => expect(started).toEqual(['slow']), patience);
      await consumer.close();
      const recorded: string[] = [];
      await consume({ namespace, record: async ({ body }) => void recorded.push(body.toString()) });
      await vi.waitFor(() => expect(recorded).toEqual(['slow']), patience);
      gate.resolve();
    });

    test('a paused consumer takes nothing', async () => {
      const namespace = aNamespace();
      const queue = await openQueue({ namespace });
      const recorded: string[] = [];
      const paused = await consume({ namespace, record: async () => void recorded.push('paused') });
      await paused.pause();
      await queue.add(aDelivery('one'));
      await consume({ namespace, record: async () => void recorded.push('other') });
      await vi.waitFor(() => expect(recorded).toEqual(['other']), patience);
    });

    test('a thousand adds at once all arrive', async () => {
      const namespace = aNamespace();
      const queue = await openQueue({ namespace, timeoutMs: 20_000 });
      const recorded = new Set<string>();
      await consume({ namespace, concurrency: 16, record: async ({ body }) => void recorded.add(body.toString()) });
      const bodies = Array.from({ length: 1_000 }, (_, n) => `delivery ${n}`);
      await Promise.all(bodies.map((body) => queue.add(aDelivery(body))));
      await vi.waitFor(() => expect(recorded.size).toBe(1_000), patience);
      expect(recorded).toEqual(new Set(bodies));
    });

    test('two that add the same deliveries in opposite order both succeed', async () => {
      const namespace = aNamespace();
      const queues = [
        await openQueue({ namespace, timeoutMs: 20_000 }),
        await openQueue({ namespace, timeoutMs: 20_000 }),
      ];
      for (let round = 1; round <= 5; round += 1) {
        const bodies = Array.from({ length: 300 }, (_, n) => `delivery ${round} ${n}`);
        await Promise.all([
          ...bodies.map((body) => queues[0]?.add(aDelivery(body))),
          ...bodies.toReversed().map((body) => queues[1]?.add(aDelivery(body))),
        ]);
      }
      const recorded = new Set<string>();
      await consume({ namespace, concurrency: 16, record: async ({ body }) => void recorded.add(body.toString()) });
      await vi.waitFor(async () => expect(await queues[0]?.waiting()).toBe(0), patience);
      expect(recorded.size).toBe(1_500);
    });

    test('namespaces know nothing of each other', async () => {
      const [mine, theirs] = [aNamespace(), aNamespace()];
      const queue = await openQueue({ namespace: mine });
      const recorded: string[] = [];
      await consume({ namespace: theirs, record: async () => void recorded.push('theirs') });
      await queue.add(aDelivery('one'));
      await consume({ namespace: mine, record: async () => void recorded.push('mine') });
      await vi.waitFor(() => expect(recorded).toEqual(['mine']), patience);
    });

    test('while the server is away adding fails in time, and it works again when the server is back', async () => {
      const namespace = aNamespace();
      const outage = await place.outage();
      cleanUps.push(() => outage.close());
      const warnings: string[] = [];
      const onWarning = (message: string) => void warnings.push(message);
      const queue = await openQueue({ url: outage.url, namespace, timeoutMs: 1_000, onWarning });
      const recorded = new Set<string>();
      const consumer = await consume({
        url: outage.url,
        namespace,
        onWarning,
        record: async ({ body }) => void recorded.add(body.toString()),
      });
      await queue.add(aDelivery('before'));
      await vi.waitFor(() => expect(recorded).toContain('before'), patience);

      expect(await consumer.problems()).toEqual([]);
      await outage.takeAway();
      expect(await consumer.problems()).toEqual([
        expect.stringMatching(/^the queue at 127\.0\.0\.1\S+ does not answer$/),
      ]);
      const refused = await Promise.allSettled([1, 2, 3].map((n) => queue.add(aDelivery(`during ${n}`))));
      expect(refused.map(({ status }) => status)).toEqual(Array(3).fill('rejected'));
      await sleep(1_500); // long enough for both sides to try again and fail
      expect(warnings.length).toBeGreaterThan(0);
      expect(warnings.length).toBeLessThan(25);

      await outage.bringBack();
      await vi.waitFor(() => queue.add(aDelivery('after')), patience);
      await vi.waitFor(() => expect(recorded).toContain('after'), patience);
      await vi.waitFor(async () => expect(await consumer.problems()).toEqual([]), patience);
    });

    test('while the server is silent adding fails in time, and it works again when it answers', async () => {
      const namespace = aNamespace();
      const outage = await place.outage();
      cleanUps.push(() => outage.close());
      const queue = await openQueue({ url: outage.url, namespace, timeoutMs: 500 });
      const recorded = new Set<string>();
      const record = async ({ body }: Envelope) => void recorded.add(body.toString());
      const consumer = await consume({ url: outage.url, namespace, record });
      await outage.silence();
      expect(await consumer.problems()).toEqual([
        expect.stringMatching(/^the queue at 127\.0\.0\.1\S+ does not answer$/),
      ]);
      await expect(queue.add(aDelivery('during'))).rejects.toThrow();
      await expect(queue.waiting()).rejects.toThrow();
      await sleep(1_500); // until connections that are silent for too long are given up
      await outage.endSilence();
      await vi.waitFor(() => queue.add(aDelivery('after')), patience);
      await vi.waitFor(() => expect(recorded).toContain('after'), patience);
    });

    test('closing ends while the server is away', async () => {
      const namespace = aNamespace();
      const outage = await place.outage();
      cleanUps.push(() => outage.close());
      const queue = await openQueue({ url: outage.url, namespace, timeoutMs: 500 });
      const started = Promise.withResolvers<void>();
      const consumer = await consume({
        url: outage.url,
        namespace,
        finishWithinMs: 500,
        record: async () => {
          started.resolve();
          await new Promise(() => {});
        },
      });
      await queue.add(aDelivery('never done'));
      await started.promise;
      await outage.takeAway();
      await Promise.all([queue.close(), consumer.close()]);
    });

    test('a server that is silent from the start makes opening fail in time', async () => {
      const silence = await place.silence();
      cleanUps.push(() => silence.close());
      const opening = openDeliveryQueue({
        url: silence.url,
        allowVolatile: false,
        timeoutMs: 500,
        onWarning: () => {},
      });
      await expect(opening).rejects.toThrow(QueueUnreachableError);
    });

    test('opening fails when nothing listens, and the message keeps the password to itself', async () => {
      const url = `${new URL(place.url()).protocol}//someone:open-sesame@127.0.0.1:1/5`;
      const error = await openDeliveryQueue({ url, allowVolatile: false, onWarning: () => {} }).catch((e: Error) => e);
      expect(error).toBeInstanceOf(QueueUnreachableError);
      expect(String(error)).toContain('127.0.0.1:1');
      expect(String(error)).not.toContain('sesame');
    });

    test('opening the queue from many processes at once works', async () => {
      const namespace = aNamespace();
      const queues = await Promise.all(Array.from({ length: 5 }, () => openQueue({ namespace })));
      await Promise.all(queues.map((queue, n) => queue.add(aDelivery(`from ${n}`))));
      expect(await queues[0]?.waiting()).toBe(5);
    });
  });
}

export function aNamespace(): string {
  return `test-${randomBytes(6).toString('hex')}`;
}

export function aDelivery(body: string): Envelope {
  return {
    ...{ v: 1, kind: 'delivery', body: Buffer.from(body), receivedAt: new Date('2026-06-01T10:00:00.123Z') },
    ...{ key: '0123456789abcdef', trace: '4bf92f3577b34da6a3ce929d0e0e4736' },
  };
}

/** A consumer in a process of its own that takes deliveries and never finishes one. */
function startConsumerProcess(url: string, namespace: string): { process: ChildProcess; taken: string[] } {
  const script = path.join(import.meta.dirname, 'stuck-consumer.fixture.ts');
  const child = spawn(process.execPath, [script, url, namespace], { stdio: ['ignore', 'pipe', 'inherit'] });
  const taken: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => taken.push(...text.split('\n').filter(Boolean)));
  return { process: child, taken };
}
