import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export type Receiver = {
  port: number;
  /** Takes no more connections, lets requests under way end (at most `closeWithinMs`), cuts off the rest. */
  close(): Promise<void>;
};

export type ReceiverOptions = {
  app: RequestListener;
  host: string;
  /** 0 takes any free port. */
  port: number;
  /** A request that has not come in whole by then is cut off. Default 4 s: Procore itself gives up after 5. */
  requestWithinMs?: number;
  /** Default 5 s. */
  closeWithinMs?: number;
};

/** Serves the app over HTTP with time limits for slow senders. Rejects when the address cannot be listened on. */
export async function startReceiver(options: ReceiverOptions): Promise<Receiver> {
  const { app, host, port, requestWithinMs = 4_000, closeWithinMs = 5_000 } = options;
  let isClosing = false;
  const server = createServer({
    headersTimeout: requestWithinMs,
    requestTimeout: requestWithinMs,
    connectionsCheckingInterval: Math.min(500, requestWithinMs / 4),
    // Longer than a load balancer keeps idle connections (60 s), so that it never sends into one that is just closing.
    keepAliveTimeout: 65_000,
  });
  /** Each connection, and how many requests on it are not answered yet. */
  const underWay = new Map<Socket, number>();
  server.on('connection', (socket) => {
    underWay.set(socket, 0);
    socket.once('close', () => underWay.delete(socket));
  });
  const listener: RequestListener = (request, response) => {
    const { socket } = request;
    underWay.set(socket, (underWay.get(socket) ?? 0) + 1);
    response.once('close', () => {
      if (underWay.has(socket)) underWay.set(socket, (underWay.get(socket) ?? 1) - 1);
    });
    if (isClosing) response.setHeader('connection', 'close');
    app(request, response);
  };
  server.on('request', listener);
  // The app says itself when a sender that asks may go on, and no expectation is a reason to refuse a delivery.
  server.on('checkContinue', listener).on('checkExpectation', listener);
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new Error(`cannot listen on ${host}:${port}; see INGEST_HOST and INGEST_PORT`, { cause });
  }
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    async close() {
      isClosing = true;
      const closed = once(server, 'close');
      server.close();
      const deadline = performance.now() + closeWithinMs;
      while (performance.now() < deadline) {
        // Node's closeIdleConnections leaves alone those on which no request has come yet.
        for (const [socket, requests] of underWay) if (requests === 0) socket.destroy();
        if (await Promise.race([closed.then(() => true), sleep(20, false)])) return;
      }
      server.closeAllConnections();
      await closed;
    },
  };
}
