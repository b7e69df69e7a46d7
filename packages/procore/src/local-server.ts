// A Procore of thirty lines for the tests of this package: each test says what comes back.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Seen = { method: string; url: string; headers: IncomingMessage['headers']; body: string };
export type Answer = (response: ServerResponse, request: Seen, index: number) => void;

export type LocalServer = {
  url: URL;
  /** Every request so far, in order. */
  seen: Seen[];
  /** How many connections were opened. */
  connections: () => number;
  close: () => Promise<void>;
};

/** Answers the first request with the first answer, and so on; the last one serves all that follow. */
export async function startLocalServer(...answers: Answer[]): Promise<LocalServer> {
  const seen: Seen[] = [];
  let connections = 0;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method = '', url = '', headers } = request;
    const index = seen.push({ method, url, headers, body: Buffer.concat(chunks).toString() }) - 1;
    answers[Math.min(index, answers.length - 1)]?.(response, seen[index] as Seen, index);
  });
  server.on('connection', () => {
    connections += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    seen,
    connections: () => connections,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** An answer of this status, body and headers. */
export function answer(status: number, body = '', headers: Record<string, string | string[]> = {}): Answer {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(body);
  };
}
