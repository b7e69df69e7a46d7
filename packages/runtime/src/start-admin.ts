import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';
import type { Log } from './create-log.ts';

const READY_TIMEOUT_MS = 5_000;

type Answer = { status: number; type: string; text: string };

/**
 * Serves /healthz (200 while the process lives), /readyz (200, or 503 with the problems that `ready` returns; a
 * `ready` that fails or takes more than 5 s is a problem, too) and /metrics. Port 0 takes any free port.
 * Rejects when the address cannot be listened on.
 */
export async function startAdmin(options: {
  host: string;
  port: number;
  registry: Pick<Registry, 'contentType' | 'metrics'>;
  ready: () => Promise<readonly string[]>;
  log: Log;
  readyTimeoutMs?: number;
}): Promise<{ port: number; close: () => Promise<void> }> {
  const problems = askOnceAtATime(options.ready, options.readyTimeoutMs ?? READY_TIMEOUT_MS, options.log);
  const pages: Record<string, () => Promise<Answer>> = {
    '/healthz': async () => json(200, { healthy: true }),
    '/readyz': async () => readiness(await problems()),
    '/metrics': async () => ({
      status: 200,
      type: options.registry.contentType,
      text: await options.registry.metrics(),
    }),
  };
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, (request, response) => {
    answer(pages, request).then(
      (page) => send(request, response, page),
      (error: unknown) => {
        options.log.error({ error, path: request.url }, 'an admin page failed');
        send(request, response, text(500, 'failed; see the log'));
      },
    );
  });
  server.listen(options.port, options.host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new Error(`cannot listen on ${options.host}:${options.port}; see ADMIN_HOST and ADMIN_PORT`, { cause });
  }
  server.on('error', (error) => options.log.error({ error }, 'the admin server failed'));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(pages: Record<string, () => Promise<Answer>>, request: IncomingMessage): Promise<Answer> {
  const path = (request.url ?? '').split('?')[0] ?? '';
  const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
  if (page === undefined) return text(404, 'not found');
  if (request.method !== 'GET' && request.method !== 'HEAD') return text(405, 'GET only');
  return await page();
}

function send(request: IncomingMessage, response: ServerResponse, { status, type, text }: Answer): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}

function readiness(problems: readonly string[]): Answer {
  return problems.length === 0 ? json(200, { ready: true }) : json(503, { ready: false, problems });
}

function json(status: number, content: unknown): Answer {
  return { status, type: 'application/json', text: `${JSON.stringify(content)}\n` };
}

function text(status: number, content: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', text: `${content}\n` };
}

// Probes come again and again; one that hangs must not pile up questions to a server that is in trouble already.
function askOnceAtATime(ready: () => Promise<readonly string[]>, timeoutMs: number, log: Log) {
  let underWay: Promise<readonly string[]> | null = null;
  const ask = async (): Promise<readonly string[]> => {
    try {
      return await ready();
    } catch (error) {
      log.error({ error }, 'the readiness check failed');
      return ['the readiness check failed; see the log'];
    }
  };
  return async (): Promise<readonly string[]> => {
    underWay ??= ask().finally(() => {
      underWay = null;
    });
    return await within(underWay, timeoutMs);
  };
}

async function within(question: Promise<readonly string[]>, timeoutMs: number): Promise<readonly string[]> {
  let timer: NodeJS.Timeout | undefined;
  const tooSlow = new Promise<readonly string[]>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, [`the readiness check took more than ${timeoutMs} ms`]);
  });
  try {
    return await Promise.race([question, tooSlow]);
  } finally {
    clearTimeout(timer);
  }
}
