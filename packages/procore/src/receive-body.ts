import { isUtf8 } from 'node:buffer';

/** `bytes` are valid UTF-8 without a byte order mark; `free` gives their memory back at once, whoever still knows them. */
export type ReceivedBody = { bytes: Buffer; free: () => void };

export type ReceiveOptions = {
  maxBytes: number;
  /** For so many bytes there is room already. */
  taken: number;
  /** Awaited before more than that are kept, and at the end with what there is. */
  take: (bytes: number) => Promise<void>;
};

/** How much room is taken at once when nothing tells how much will come. */
const STEP_BYTES = 1024 * 1024;
const BYTE_ORDER_MARK = Buffer.from('\uFEFF');

/** Collects a body in one piece of memory; null when it is larger than it may be. */
export async function receiveBody(
  chunks: AsyncIterable<Buffer>,
  options: ReceiveOptions,
): Promise<ReceivedBody | null> {
  // Only addresses are set aside for the largest body. Memory follows as it grows, and nothing is copied then.
  const memory = new ArrayBuffer(0, { maxByteLength: options.maxBytes });
  const free = (): void => {
    if (!memory.detached) memory.transfer(0);
  };
  try {
    const isWhole = await collect(chunks, memory, options);
    await options.take(memory.byteLength);
    if (isWhole) return { bytes: asText(Buffer.from(memory)), free };
    free();
    return null;
  } catch (error) {
    free();
    throw error;
  }
}

async function collect(
  chunks: AsyncIterable<Buffer>,
  memory: ArrayBuffer,
  { maxBytes, taken, take }: ReceiveOptions,
): Promise<boolean> {
  let room = taken;
  for await (const chunk of chunks) {
    const start = memory.byteLength;
    const end = start + chunk.length;
    if (end > maxBytes) return false;
    if (end > room) {
      room = Math.max(end, room + STEP_BYTES);
      await take(room);
    }
    memory.resize(end);
    new Uint8Array(memory, start).set(chunk);
  }
  return true;
}

function asText(bytes: Buffer): Buffer {
  if (!isUtf8(bytes)) return Buffer.from(new TextDecoder().decode(bytes)); // rare, and a copy
  return bytes.subarray(0, 3).equals(BYTE_ORDER_MARK) ? bytes.subarray(3) : bytes;
}
