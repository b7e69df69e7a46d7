import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createAnswerRoom, type Place } from './answer-room.ts';

const never = new AbortController().signal;

/** Whether it has settled by now, with what may follow from it at once. */
async function isDone(promise: Promise<void>): Promise<boolean> {
  let isSettled = false;
  promise.then(
    () => {
      isSettled = true;
    },
    () => {
      isSettled = true;
    },
  );
  await new Promise((resolve) => setImmediate(resolve));
  return isSettled;
}

test('what fits goes in at once, and what does not waits until another leaves', async () => {
  const room = createAnswerRoom(10);
  const [one, two, three] = [room.enter(), room.enter(), room.enter()];
  await one.take(6, never);
  await two.take(6, never); // one at a time may be beyond
  const third = three.take(6, never);
  expect(await isDone(third)).toBe(false);
  one.leave();
  await third;
});

test('an answer larger than the room is let in, one at a time', async () => {
  const room = createAnswerRoom(10);
  const [one, two] = [room.enter(), room.enter()];
  await one.take(100, never);
  const second = two.take(100, never);
  expect(await isDone(second)).toBe(false);
  one.leave();
  await second;
});

test('answers that grow until the room is full come to an end one after the other', async () => {
  const room = createAnswerRoom(10);
  const places = [room.enter(), room.enter(), room.enter()];
  for (const place of places) await place.take(3, never);
  const growing = places.map((place) => place.take(9, never).then(() => place.leave()));
  await Promise.all(growing);
});

test('those that hold some already go first, so that they can leave', async () => {
  const room = createAnswerRoom(10);
  const [holder, other, beyond] = [room.enter(), room.enter(), room.enter()];
  await holder.take(5, never);
  await beyond.take(50, never);
  const newcomer = other.take(8, never);
  const growth = holder.take(9, never);
  await growth;
  expect(await isDone(newcomer)).toBe(false);
  holder.leave();
  await newcomer;
});

test('what becomes smaller makes room', async () => {
  const room = createAnswerRoom(10);
  const [one, two, beyond] = [room.enter(), room.enter(), room.enter()];
  await beyond.take(50, never);
  await one.take(9, never);
  const second = two.take(5, never);
  expect(await isDone(second)).toBe(false);
  await one.take(2, never);
  await second;
});

test('an abort ends a wait with its reason, and those behind it move up', async () => {
  const room = createAnswerRoom(10);
  const [one, large, small, beyond] = [room.enter(), room.enter(), room.enter(), room.enter()];
  await beyond.take(50, never);
  await one.take(5, never);
  const abort = new AbortController();
  const waiting = large.take(9, abort.signal);
  const behind = small.take(4, never);
  expect(await isDone(behind)).toBe(false);
  abort.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  await behind;
  await expect(large.take(1, abort.signal)).rejects.toThrow('enough');
});

test('who left waits no more', async () => {
  const room = createAnswerRoom(1);
  const [one, two, beyond] = [room.enter(), room.enter(), room.enter()];
  await beyond.take(5, never);
  await one.take(1, never);
  const waiting = two.take(1, never);
  two.leave();
  await expect(waiting).rejects.toThrow('was left');
  await expect(two.take(1, never)).rejects.toThrow('was left');
});

type Step = { place: number; what: 'take' | 'leave' | 'abort'; bytes: number };

const SIZE = 20;
const steps = fc.array(
  fc.record({
    place: fc.nat(5),
    what: fc.constantFrom<Step['what']>('take', 'take', 'take', 'leave', 'abort'),
    bytes: fc.nat(30),
  }),
  { maxLength: 60 },
);

test('in any order of steps the bound holds, everybody gets in once others leave, and nothing leaks', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const room = createAnswerRoom(SIZE);
      const visitors = Array.from({ length: 6 }, () => createVisitor(room.enter));
      for (const { place, what, bytes } of all) {
        visitors[place]?.[what](bytes);
        await Promise.resolve();
        if (bytes % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
        const held = visitors.map((visitor) => visitor.held()).sort((a, b) => a - b);
        expect(held.slice(0, -1).reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(SIZE);
      }
      await untilAllIn(visitors);
      const [first, second, third] = [room.enter(), room.enter(), room.enter()];
      await first.take(SIZE, never);
      await second.take(1, never);
      expect(await isDone(third.take(1, never))).toBe(false);
    }),
    { numRuns: 300 },
  );
});

type Visitor = Record<Step['what'], (bytes: number) => void> & { held: () => number; isWaiting: () => boolean };

/** Takes once at a time, as an exchange does; leaves and comes again. */
function createVisitor(enter: () => Place): Visitor {
  let place = enter();
  let abort = new AbortController();
  let held = 0;
  let waitsFor: object | null = null;
  const leave = (): void => {
    place.leave();
    held = 0;
    waitsFor = null;
    place = enter();
  };
  return {
    held: () => held,
    isWaiting: () => waitsFor !== null,
    leave,
    abort: () => {
      abort.abort(new Error('enough'));
      abort = new AbortController();
    },
    take: (bytes) => {
      if (waitsFor !== null) return;
      const attempt = {};
      waitsFor = attempt;
      place.take(bytes, abort.signal).then(
        () => {
          if (waitsFor !== attempt) return;
          held = bytes;
          waitsFor = null;
        },
        () => {
          if (waitsFor === attempt) waitsFor = null;
        },
      );
    },
  };
}

/** Whoever waits for nothing leaves, until nobody waits. */
async function untilAllIn(visitors: readonly Visitor[]): Promise<void> {
  for (let round = 0; round < 20; round += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    for (const visitor of visitors) if (!visitor.isWaiting()) visitor.leave(0);
  }
  expect(visitors.filter((visitor) => visitor.isWaiting())).toEqual([]);
}
