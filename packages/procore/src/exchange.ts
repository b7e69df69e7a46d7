// One HTTP request and its answer, with every limit that keeps a bad server from holding us: time to connect, silence,
// time in all, size. What came is told as a value; only an abort by the caller throws.
import { Pool } from 'undici';
import { abortable } from './abortable.ts';
import type { AnswerHeaders } from './rate-limit.ts';

export type Exchange =
  /** The whole answer; `text` stays empty unless the status is 2xx, for no error may quote a body. */
  | { kind: 'answered'; status: number; headers: AnswerHeaders; text: string }
  | { kind: 'too large'; status: number; headers: AnswerHeaders }
  /** No complete answer, though its status may have come; `sent` is false when surely no byte of the request left. */
  | { kind: 'unreachable'; status: number | null; headers: AnswerHeaders; sent: boolean; cause: Error };

export type ExchangeRequest = {
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  path: string;
  headers: Record<string, string>;
  body?: string | undefined;
  signal?: AbortSignal | undefined;
};

type Exchanger = { exchange: (request: ExchangeRequest) => Promise<Exchange>; close: () => Promise<void> };

type Head = { status: number | null; headers: AnswerHeaders };

/** Talks to one host over kept-alive connections. `timeoutMs` is for a whole exchange; half of it may pass in silence. */
export function createExchanger(o: { apiUrl: URL; timeoutMs: number; maxAnswerBytes: number }): Exchanger {
  const silenceMs = Math.ceil(o.timeoutMs / 2);
  const pool = new Pool(o.apiUrl.origin, {
    connections: 64,
    allowH2: false, // HTTP/1.1 is what the tests run
    connect: { timeout: Math.min(silenceMs, 10_000) },
    headersTimeout: silenceMs,
    bodyTimeout: silenceMs,
    keepAliveTimeout: 10_000,
  });

  async function receive(request: ExchangeRequest, head: Head, signal: AbortSignal): Promise<Exchange> {
    const { method, path, body } = request;
    // The text must be what Procore sent and its size must be what we count, so no compression. Saying nothing would
    // allow any (RFC 9110, 12.5.3). undici neither follows redirects nor decompresses by itself.
    const headers = { ...request.headers, 'accept-encoding': 'identity' };
    const answer = await pool.request({ method, path, headers, body: body ?? null, signal });
    const status = answer.statusCode;
    Object.assign(head, { status, headers: answer.headers });
    if (!isSuccess(status)) {
      // What is left of a small body makes room for the next request on this connection; nobody waits for a long one.
      await answer.body.dump({ limit: 65_536, signal: AbortSignal.timeout(2_000) }).catch(() => {});
      return { kind: 'answered', status, headers: answer.headers, text: '' };
    }
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of answer.body) {
      bytes += chunk.length;
      if (bytes > o.maxAnswerBytes) return { kind: 'too large', status, headers: answer.headers };
      chunks.push(chunk);
    }
    return { kind: 'answered', status, headers: answer.headers, text: decode(chunks) };
  }

  async function exchange(request: ExchangeRequest): Promise<Exchange> {
    const { signal } = request;
    signal?.throwIfAborted();
    const ending = new AbortController();
    const onAbort = (): void => ending.abort(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    const timeOut = new Error(`no complete answer within ${o.timeoutMs} ms`);
    const timer = setTimeout(() => ending.abort(timeOut), o.timeoutMs);
    const head: Head = { status: null, headers: {} };
    try {
      // undici notices an abort only once the request has a connection
      return await abortable(receive(request, head, ending.signal), ending.signal);
    } catch (error) {
      signal?.throwIfAborted();
      const { status, headers } = head;
      if (status !== null && !isSuccess(status)) return { kind: 'answered', status, headers, text: '' };
      return { kind: 'unreachable', ...head, sent: !neverSent.has(codeOf(error)), cause: withoutBody(error) };
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  return { exchange, close: () => pool.destroy() };
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status <= 299;
}

/** Errors of looking up and connecting: they come before anything is written. */
const neverSent: ReadonlySet<string> = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'UND_ERR_CONNECT_TIMEOUT',
]);

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** undici's parser errors carry what they could not read, so only code and message go on. */
function withoutBody(error: unknown): Error {
  const message = error instanceof Error ? error.message : String(error);
  return new Error([codeOf(error), message].filter(Boolean).join(': '));
}

function decode(chunks: Buffer[]): string {
  const text = Buffer.concat(chunks).toString('utf8');
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}
