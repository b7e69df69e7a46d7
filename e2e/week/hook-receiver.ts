// Takes the simulator's deliveries in, so that the week can let them arrive in its own time.
import { once } from 'node:events';
import http from 'node:http';

export type HookReceiver = {
  url: string;
  /** The next so many bodies, once they are all here. */
  take: (count: number) => Promise<Buffer[]>;
  /** Those that are here. */
  takeAll: () => Buffer[];
  close: () => void;
};

export async function startHookReceiver(): Promise<HookReceiver> {
  let bodies: Buffer[] = [];
  let wanted: { count: number; go: (bodies: Buffer[]) => void } | null = null;
  const serve = (): void => {
    if (wanted === null || bodies.length < wanted.count) return;
    const { count, go } = wanted;
    wanted = null;
    go(bodies.splice(0, count));
  };
  const server = http.createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      bodies.push(Buffer.concat(parts));
      response.writeHead(204).end();
      serve();
    });
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/webhooks/procore`,
    take: (count) =>
      new Promise((go) => {
        wanted = { count, go };
        serve();
      }),
    takeAll: () => bodies.splice(0),
    close: () => {
      bodies = [];
      server.closeAllConnections();
      server.close();
    },
  };
}
