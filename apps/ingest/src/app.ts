// The order of work for each request: is it for us → is the sender proved → is it small enough → only now the body is read
// → it is stored durably → 204. Procore pauses every delivery on any other answer (docs/procore.md: Deliveries), so whatever
// a proved sender posts gets 204, be it sense or nonsense, unless it is too large (413) or could not be stored anywhere (503).
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Envelope } from '@procore-mirror/queue';
import { WEBHOOK_PATH } from '@procore-mirror/runtime';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import type { IngestMetrics } from './metrics.ts';
import { readBody } from './read-body.ts';
import { refuse } from './refuse.ts';
import { traceOf } from './trace.ts';

/** With a slash at its end, too: some proxies and people add one. */
const webhookPaths = [WEBHOOK_PATH, `${WEBHOOK_PATH}/`];
const MAX_BODY_BYTES = 1024 * 1024;

export type AppOptions = {
  /** The key of the accepted secret that this value of the Authorization header is; null: it does not prove the sender. */
  keyOf: (authorization: string | undefined) => string | null;
  /** Resolves once the envelope is durable, well within Procore's 5 s; rejects when it could not be stored anywhere. */
  store: (envelope: Envelope) => Promise<'queue' | 'spool'>;
  metrics: IngestMetrics;
  /** Told what went wrong, and to whom, for the log; never what was posted. */
  onRefused: (status: 401 | 413 | 503, from: string | undefined, error?: unknown) => void;
  now?: () => Date;
  /** How long a refused sender may take to read the answer. */
  lingerMs?: number;
};

/** The receiver: `POST /webhooks/procore`, nothing else. */
export function createApp(options: AppOptions): Express {
  const { metrics, onRefused, now = () => new Date(), lingerMs = 1_000 } = options;

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const startedAt = performance.now();
    const { authorization, traceparent } = request.headers;
    const key = options.keyOf(authorization);
    if (key === null) return answerNo(request, response, 401);
    if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) return answerNo(request, response, 413);
    if (request.headers.expect?.toLowerCase() === '100-continue') response.writeContinue();
    const body = await readBody(request, MAX_BODY_BYTES);
    if (body.outcome === 'broken off') return metrics.answered('none');
    if (body.outcome === 'too large') return answerNo(request, response, 413);
    try {
      const where = await options.store({
        ...{ v: 1, kind: 'delivery', body: body.bytes, receivedAt: now() },
        ...{ key, trace: traceOf(typeof traceparent === 'string' ? traceparent : undefined) },
      });
      metrics.stored(where, (performance.now() - startedAt) / 1_000);
    } catch (error) {
      return answerNo(request, response, 503, error);
    }
    metrics.answered(204);
    response.writeHead(204);
    response.end();
  }

  function answerNo(
    request: IncomingMessage,
    response: ServerResponse,
    status: 401 | 413 | 503,
    error?: unknown,
  ): void {
    metrics.answered(status);
    onRefused(status, request.socket.remoteAddress, error);
    refuse(request, response, status, { lingerMs });
  }

  const app = express();
  app.disable('x-powered-by').disable('etag').disable('query parser');
  app.enable('strict routing').enable('case sensitive routing');
  app.post(webhookPaths, receive);
  app.all(webhookPaths, (request, response) => {
    refuse(request, response, 405, { lingerMs, headers: { allow: 'POST' } });
  });
  app.use((request: Request, response: Response) => refuse(request, response, 404, { lingerMs }));
  // Express's own would print the error to stderr and into the answer. Four parameters make it an error handler.
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
    answerNo(request, response, 503, error);
  });
  return app;
}
