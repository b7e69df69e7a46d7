import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';

/**
 * Answers without a body and closes the connection, with nothing (more) read of what the sender has to say. To destroy a
 * connection with bytes unread is to reset it, and then many a sender sees the reset instead of the answer; so our side is
 * closed first, and the rest when the sender closes its own, or after `lingerMs`.
 */
export function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  { lingerMs, headers = {} }: { lingerMs: number; headers?: OutgoingHttpHeaders },
): void {
  response.writeHead(status, { ...headers, connection: 'close', 'content-length': 0 });
  response.flushHeaders();
  // A small request is parsed to its end within this turn of the event loop: then nothing is unread.
  setImmediate(() => {
    const { socket } = response;
    // Without a socket, an earlier request of the same connection is not answered yet.
    if (request.complete || socket === null) {
      response.end();
      return;
    }
    const timer = setTimeout(() => socket.destroy(), lingerMs);
    socket.once('close', () => clearTimeout(timer));
    socket.end();
  });
}
