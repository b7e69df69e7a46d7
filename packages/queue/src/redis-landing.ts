// On Redis a BullMQ job costs its adder a script of nine commands. The receiver has better things to do, so it appends its
// envelopes to a stream, all that wait in one write, and the consumers make the jobs:
//
//   receiver ──put──▶ stream ──take──▶ consumer ──add──▶ BullMQ ──▶ record
//                        ▲── remove once the job is added ──┘
//
// Each envelope is taken by one consumer. If that one dies in between, another takes it over, and the job may be made a
// second time: it folds while the first is in the queue, and after that it is recorded again, which does no harm.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster, Redis } from 'ioredis';
import type { Landing } from './backend.ts';
import { readLabel, type SealedEnvelope, writeLabel } from './envelope.ts';
import { isFull } from './full-redis.ts';

const GROUP = 'movers';
const CONSUMER = 'any'; // who it was that died does not matter, and a name per process would pile up
const TAKEN_AT_ONCE = 32; // a body may be 1 MiB
const DEAD_AFTER_MS = 3_000;
const LOOK_FOR_THE_DEAD_EVERY_MS = 1_000;

// No MULTI, which a Redis that is full refuses.
const REMOVE_ALL = `for i = 2, #ARGV do redis.call('XACK', KEYS[1], ARGV[1], ARGV[i]); redis.call('XDEL', KEYS[1], ARGV[i]) end`;
const PUT_ALL = `for i = 1, #ARGV, 3 do redis.call('XADD', KEYS[1], '*', 'at', ARGV[i], 'body', ARGV[i + 1], 'label', ARGV[i + 2]) end`;

type Landed = { id: Buffer; envelope: SealedEnvelope };

/** `duplicate` makes the connection on which a consumer waits. */
export function createRedisLanding(options: {
  client: Redis | Cluster;
  duplicate: () => Redis | Cluster;
  key: string;
}): Landing {
  const { client, duplicate, key } = options;

  async function put(envelopes: readonly SealedEnvelope[]): Promise<void> {
    const fields = envelopes.flatMap((one) => [String(one.receivedAt.getTime()), one.body, writeLabel(one)]);
    await client.eval(PUT_ALL, 1, key, ...fields);
  }

  async function remove(ids: readonly Buffer[]): Promise<void> {
    if (ids.length === 0) return;
    await client.eval(REMOVE_ALL, 1, key, GROUP, ...ids);
  }

  /** False where there is none, and no memory to make it. */
  async function createGroup(): Promise<boolean> {
    try {
      await client.xgroup('CREATE', key, GROUP, '0', 'MKSTREAM');
    } catch (error) {
      if (isFull(error))
        return await client.xpending(key, GROUP).then(
          () => true,
          () => false,
        );
      if (!(error instanceof Error && error.message.startsWith('BUSYGROUP'))) throw error; // it exists
    }
    return true;
  }

  async function takeOverFromTheDead(): Promise<Landed[]> {
    const from = [key, GROUP, CONSUMER, DEAD_AFTER_MS, '0', 'COUNT', TAKEN_AT_ONCE];
    const answer = await client.callBuffer('XAUTOCLAIM', ...from);
    return landed((answer as [next: Buffer, Entries])[1]); // ioredis has no types for this one with bytes
  }

  function startMoving({ add, onError }: Parameters<Landing['startMoving']>[0]): ReturnType<Landing['startMoving']> {
    const closing = new AbortController();
    const waiting = duplicate();
    waiting.on('error', onError);
    let isWaiting = false;
    let hasGroup = false;
    let lookedAt = Number.NEGATIVE_INFINITY;
    /** New ones and those of the dead take turns, however many of these there are. */
    let isTurnOfNew = false;
    /** Where the last look without a group ended: what could not be moved stands before it. */
    let passed = '-';

    /** Waits until there is something, but not for long: there may be something to take over. */
    async function takeNew(blockMs: number): Promise<Landed[]> {
      isWaiting = true;
      try {
        const reader = ['GROUP', GROUP, CONSUMER] as const;
        const wait = ['COUNT', TAKEN_AT_ONCE, 'BLOCK', blockMs] as const;
        const streams = await waiting.xreadgroupBuffer(...reader, ...wait, 'STREAMS', key, '>');
        return landed(streams?.[0]?.[1] ?? []);
      } finally {
        isWaiting = false;
      }
    }

    /** Without a group others may take the same, which does no harm. */
    async function takeWithoutGroup(): Promise<Landed[]> {
      const taken = landed(await client.xrangeBuffer(key, passed, '+', 'COUNT', TAKEN_AT_ONCE));
      const last = taken.at(-1);
      passed = last === undefined ? '-' : `(${last.id}`;
      if (last === undefined) await sleep(LOOK_FOR_THE_DEAD_EVERY_MS, undefined, { signal: closing.signal });
      return taken;
    }

    async function take(): Promise<Landed[]> {
      hasGroup ||= await createGroup();
      if (!hasGroup) return await takeWithoutGroup();
      if (!isTurnOfNew && performance.now() - lookedAt >= LOOK_FOR_THE_DEAD_EVERY_MS) {
        const left = await takeOverFromTheDead();
        isTurnOfNew = left.length > 0;
        if (isTurnOfNew) return left;
        lookedAt = performance.now();
      }
      closing.signal.throwIfAborted();
      const blockMs = isTurnOfNew ? 1 : LOOK_FOR_THE_DEAD_EVERY_MS;
      isTurnOfNew = false;
      return await takeNew(blockMs);
    }

    /** What could not be added stays, and is taken again as if its taker had died; it does not hold up the others. */
    async function move(envelopes: readonly Landed[]): Promise<void> {
      const added: Buffer[] = [];
      const adding = envelopes.map(async ({ id, envelope }) => {
        await add(envelope);
        added.push(id);
      });
      const failed = (await Promise.allSettled(adding)).find(({ status }) => status === 'rejected');
      await remove(added);
      if (failed?.status === 'rejected') throw failed.reason;
    }

    async function moveUntilClosed(): Promise<void> {
      while (!closing.signal.aborted) {
        try {
          await move(await take());
        } catch (error) {
          if (closing.signal.aborted) return;
          onError(error);
          hasGroup = false; // it goes with the stream when somebody empties the server
          await sleep(300, undefined, { signal: closing.signal }).catch(() => {}); // closing ends the loop
        }
      }
    }

    const moving = moveUntilClosed();
    return {
      async close() {
        closing.abort(new Error('the consumer is closing'));
        if (isWaiting) waiting.disconnect();
        await moving;
        waiting.disconnect();
      },
    };
  }

  return { put, count: () => client.xlen(key), startMoving };
}

type Entries = readonly (readonly [id: Buffer, fields: readonly Buffer[] | null] | null)[];

/** Without those that have been removed meanwhile: they come without fields, or as null. */
function landed(entries: Entries): Landed[] {
  return entries.flatMap((entry) => {
    const [id, fields = null] = entry ?? [];
    if (id === undefined || fields === null) return [];
    const [, at, , body = Buffer.alloc(0), , label] = fields;
    const others = label === undefined ? {} : readLabel(label.toString());
    // The server's own time stands in the id; ours is missing in what another program wrote.
    const [landedAt = ''] = id.toString().split('-');
    const written = Number(at);
    return [
      {
        id,
        envelope: { ...others, body, receivedAt: new Date(Number.isInteger(written) ? written : Number(landedAt)) },
      },
    ];
  });
}
