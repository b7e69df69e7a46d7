import { type DeliveryQueue, QueueUnreachableError, VolatileQueueError } from '@procore-mirror/queue';
import { expect, test, vi } from 'vitest';
import { linkQueue } from './link-queue.ts';

const delivery = { body: Buffer.from('one'), receivedAt: new Date() };
const unreachable = () => new QueueUnreachableError('127.0.0.1:1', new Error('refused'));

function aQueue(): DeliveryQueue & { added: number; isClosed: boolean } {
  return {
    added: 0,
    isClosed: false,
    async add() {
      this.added += 1;
    },
    waiting: async () => 7,
    async close() {
      this.isClosed = true;
    },
  };
}

test('a queue that can be reached is used', async () => {
  const queue = aQueue();
  const link = await linkQueue({ open: async () => queue, onProblem: () => {} });
  await link.add(delivery);
  expect(queue.added).toBe(1);
  expect(await link.waiting()).toBe(7);
  await link.close();
  expect(queue.isClosed).toBe(true);
});

test('a queue that cannot be reached yet refuses deliveries until it can', async () => {
  const queue = aQueue();
  const problems: unknown[] = [];
  let attempts = 0;
  const link = await linkQueue({
    retryMs: 1,
    onProblem: (error) => problems.push(error),
    async open() {
      attempts += 1;
      if (attempts === 1) throw unreachable();
      // Found out late, when nobody waits for the start any more: told, and tried again.
      if (attempts === 2) throw new VolatileQueueError('127.0.0.1:1', ['its append-only file is off']);
      return queue;
    },
  });
  await expect(link.add(delivery)).rejects.toThrow('not been reached');
  await expect(link.waiting()).rejects.toThrow('not been reached');
  await vi.waitFor(() => link.add(delivery), { timeout: 10_000, interval: 5 });
  expect(problems).toEqual([expect.any(QueueUnreachableError), expect.any(VolatileQueueError)]);
  await link.close();
});

test('what only a person can change stops the start', async () => {
  const open = async () => {
    throw new VolatileQueueError('127.0.0.1:1', ['its append-only file is off']);
  };
  await expect(linkQueue({ open, onProblem: () => {} })).rejects.toThrow(VolatileQueueError);
});

test('closing ends the attempts, and closes a queue that was just being opened', async () => {
  const queue = aQueue();
  const opened = Promise.withResolvers<DeliveryQueue>();
  const open = vi
    .fn<() => Promise<DeliveryQueue>>()
    .mockRejectedValueOnce(unreachable())
    .mockReturnValue(opened.promise);
  const link = await linkQueue({ open, onProblem: () => {}, retryMs: 1 });
  await vi.waitFor(() => expect(open).toHaveBeenCalledTimes(2));
  await link.close();
  opened.resolve(queue);
  await vi.waitFor(() => expect(queue.isClosed).toBe(true));
  expect(open).toHaveBeenCalledTimes(2);
});

test('a queue that neither answers nor refuses holds up nobody: it is waited for in the background', async () => {
  const queue = aQueue();
  const problems: unknown[] = [];
  const opening = Promise.withResolvers<DeliveryQueue>();
  const link = await linkQueue({
    open: () => opening.promise,
    onProblem: (error) => problems.push(error),
    firstWithinMs: 1,
  });
  await expect(link.add(delivery)).rejects.toThrow('not been reached');
  expect(problems).toEqual([expect.objectContaining({ message: expect.stringContaining('not answered within') })]);
  opening.resolve(queue);
  await vi.waitFor(() => link.add(delivery), { timeout: 10_000, interval: 5 });
  await link.close();
  expect(queue.isClosed).toBe(true);
});
