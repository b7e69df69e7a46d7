// Writes an answer to the wire, whole or broken the way a fault asks for.
import type { ServerResponse } from 'node:http';
import type { Effect } from './faults.ts';
import type { Answer } from './http-exchange.ts';

/** Resolves when the answer is handed to the network or its connection is gone. */
export async function sendAnswer(
  response: ServerResponse,
  answer: Answer,
  effect: Pick<Effect, 'truncate'>,
  now: number,
): Promise<void> {
  const body = Buffer.from(answer.body, 'utf8');
  const half = body.subarray(0, Math.max(1, Math.floor(body.length / 2)));
  // Our own clock may run ahead of the real one, and clients measure time by this header.
  response.sendDate = false;
  response.writeHead(answer.status, {
    Date: new Date(now).toUTCString(),
    ...(answer.status !== 204 && { 'Content-Type': 'application/json; charset=utf-8' }),
    ...answer.headers,
    ...(answer.status !== 204 && { 'Content-Length': effect.truncate === 'json' ? half.length : body.length }),
  });
  if (effect.truncate === 'connection') {
    await new Promise<void>((resolve) => response.write(half, () => resolve()));
    response.destroy();
    return;
  }
  await new Promise<void>((resolve) => {
    response.once('close', resolve);
    response.end(effect.truncate === 'json' ? half : body, () => resolve());
  });
}
