// How many bytes of answers this process holds at once. Those that find no room wait, and the network with them.
//
//   enter ─▶ take(size): fits ─────────────▶ in the room ─▶ leave ─▶ the first that waits
//                    └── does not fit: waits ─▶ beyond the room, if nobody else is there ─▶ leave
//
// One answer at a time may be beyond the room: one larger than all of it, or, when answers that grow have filled it, the
// first of them. So nothing waits for ever, as long as whoever holds an answer leaves without taking another.

export type AnswerRoom = { enter: () => Place };

/** The place of one answer. */
export type Place = {
  /**
   * Makes it `bytes` large in all; waits until there is room, those in turn that hold some already before others. Rejects
   * with the signal's reason, and when the place was left.
   */
  take: (bytes: number, signal: AbortSignal) => Promise<void>;
  /** Gives all of it back; a second time does nothing. */
  leave: () => void;
};

type Held = { bytes: number; isGone: boolean };
type Waiting = { held: Held; bytes: number; resolve: () => void; reject: (reason: unknown) => void };

/** Makes a room for so many bytes. */
export function createAnswerRoom(size: number): AnswerRoom {
  const waiting: Waiting[] = [];
  let used = 0;
  let beyond: Held | null = null;

  function grant(held: Held, bytes: number): void {
    if (held !== beyond) used += bytes - held.bytes;
    held.bytes = bytes;
  }

  /** What is beyond the room is not in it. */
  function goBeyond(held: Held): void {
    used -= held.bytes;
    beyond = held;
  }

  function letIn(): void {
    for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
      const isTooMuch = used - first.held.bytes + first.bytes > size;
      if (isTooMuch && beyond !== null) return;
      if (isTooMuch) goBeyond(first.held);
      waiting.shift();
      grant(first.held, first.bytes);
      first.resolve();
    }
  }

  function queue(one: Waiting): void {
    const isHolder = one.held.bytes > 0;
    const place = isHolder ? waiting.findIndex(({ held }) => held.bytes === 0) : -1;
    waiting.splice(place === -1 ? waiting.length : place, 0, one);
  }

  async function take(held: Held, bytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (held.isGone) throw new Error('the place of the answer was left');
    if (held === beyond || bytes <= held.bytes) {
      grant(held, bytes);
      letIn();
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const one = { held, bytes, resolve, reject };
    queue(one);
    const onAbort = (): void => {
      remove(waiting, one);
      reject(signal.reason);
      letIn();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    letIn();
    await promise.finally(() => signal.removeEventListener('abort', onAbort));
  }

  function leave(held: Held): void {
    if (held.isGone) return;
    held.isGone = true;
    if (held === beyond) beyond = null;
    else used -= held.bytes;
    for (const one of waiting.filter((each) => each.held === held)) {
      remove(waiting, one);
      one.reject(new Error('the place of the answer was left'));
    }
    letIn();
  }

  return {
    enter: () => {
      const held: Held = { bytes: 0, isGone: false };
      return { take: (bytes, signal) => take(held, bytes, signal), leave: () => leave(held) };
    },
  };
}

function remove<T>(list: T[], one: T): void {
  const at = list.indexOf(one);
  if (at !== -1) list.splice(at, 1);
}
