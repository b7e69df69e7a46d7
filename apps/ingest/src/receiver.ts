import { once } from 'node:events';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export type Receiver = {
  port: number;
  /**
   * Takes no more connections. Requests under way, and those that come within `idleMs` on connections that are open, are answered and
   * end their connection; what is idle then, or not answered within `closeWithinMs`, is cut off.
   */
  close: () => Promise<void>;
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
  /** Default 1 s: a sender that sends just now would be reset, which Procore takes for a failed delivery. */
  idleMs?: number;
};

/** Serves the app over HTTP with time limits for slow senders. Rejects when the address cannot be listened on. */
export async function startReceiver(options: ReceiverOptions): Promise<Receiver> {
  const { app, host, port, requestWithinMs = 4_000, closeWithinMs = 5_000, idleMs = 1_000 } = options;
  const connections = createConnections();
  const server = createServer({
    headersTimeout: requestWithinMs,
    requestTimeout: requestWithinMs,
    connectionsCheckingInterval: Math.min(500, requestWithinMs / 4),
    // Longer than a load balancer keeps idle connections (60 s), so that it never sends into one that is just closing.
    keepAliveTimeout: 65_000,
  });
  server.on('connection', connections.opened);
  const listener: RequestListener = (request, response) => {
    connections.asked(request.socket, response);
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
      const closed = once(server, 'close');
      Server.prototype.close.call(server); // that of HTTP servers cuts off idle connections at once
      connections.endAfterAnswers();
      const startedAt = performance.now();
      for (let passedMs = 0; passedMs < closeWithinMs; passedMs = performance.now() - startedAt) {
        if (passedMs >= idleMs) connections.endIdle();
        if (await Promise.race([closed.then(() => true), sleep(20, false)])) return;
      }
      server.closeAllConnections();
      await closed;
    },
  };
}

/** The open connections, and what is not answered yet on each. */
function createConnections() {
  const unanswered = new Map<Socket, Set<ServerResponse>>();
  let isEnding = false;
  /** Tells the sender to send nothing more on this connection. */
  function end(response: ServerResponse): void {
    if (!response.headersSent) response.setHeader('connection', 'close');
  }
  return {
    opened: (socket: Socket): void => {
      unanswered.set(socket, new Set());
      socket.once('close', () => unanswered.delete(socket));
    },
    asked: (socket: Socket, response: ServerResponse): void => {
      const responses = unanswered.get(socket);
      responses?.add(response);
      response.once('close', () => responses?.delete(response));
      if (isEnding) end(response);
    },
    /** From now on each answer ends its connection. */
    endAfterAnswers: (): void => {
      isEnding = true;
      for (const responses of unanswered.values()) for (const response of responses) end(response);
    },
    /** Node's closeIdleConnections leaves alone those on which no request has come yet. */
    endIdle: (): void => {
      for (const [socket, { size }] of unanswered) if (size === 0) socket.destroy();
    },
  };
}
