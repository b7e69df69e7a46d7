import type { IncomingMessage } from 'node:http';

export type Body = { outcome: 'whole'; bytes: Buffer } | { outcome: 'too large' } | { outcome: 'broken off' };

/**
 * The body as it came, whatever its type, and compressed if it was sent compressed. Stops reading as soon as there is
 * more than `limit` bytes. How long it may take is up to the server's request time-out.
 */
export function readBody(request: IncomingMessage, limit: number): Promise<Body> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    function end(body: Body): void {
      request.off('data', onData).off('end', onEnd).off('close', onClose);
      resolve(body);
    }
    function onData(chunk: Buffer): void {
      size += chunk.length;
      if (size > limit) {
        request.pause();
        end({ outcome: 'too large' });
      } else {
        chunks.push(chunk);
      }
    }
    const onEnd = () => end({ outcome: 'whole', bytes: chunks.length === 1 ? first(chunks) : Buffer.concat(chunks) });
    const onClose = () => end({ outcome: 'broken off' });
    request.on('error', () => {}); // 'close' follows
    request.on('data', onData).on('end', onEnd).on('close', onClose);
  });
}

function first([chunk = Buffer.alloc(0)]: readonly Buffer[]): Buffer {
  return chunk;
}
