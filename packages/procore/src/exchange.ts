// One HTTP request and its answer, with every limit that keeps a bad server from holding us: time to connect, silence,
// time in all, size, and room for what comes. What came is told as a value; only an abort by the caller throws.
import { Pool } from 'undici';
import { abortable } from './abortable.ts';
import { createAnswerRoom, type Place } from './answer-room.ts';
import { createDeadline, type Deadline } from './deadline.ts';
import { type AnswerHeaders, readCount } from './rate-limit.ts';
import { receiveBody } from './receive-body.ts';
import { meaningOf } from './status-meaning.ts';

export type Exchange =
  /**
   * The whole answer; `bytes` stay empty unless the status is 2xx, for no error may quote a body. They have room and memory
   * until `letGo`.
   */
  | { kind: 'answered'; status: number; headers: AnswerHeaders; bytes: Buffer; letGo: () => void }
  | { kind: 'too large'; status: number; headers: AnswerHeaders }
  /** No complete answer, though its status may have come; `sent` is false when surely no byte of the request left. */
  | {
      kind: 'unreachable';
      status: number | null;
      headers: AnswerHeaders;
      sent: boolean;
      isTimeOut: boolean;
      cause: Error;
    };

export type ExchangeRequest = {
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  path: string;
  headers: Record<string, string>;
  body?: string | undefined;
  /** How large the answer may be as far as anybody knows; there is room for it before the request goes out. */
  expectedBytes: number;
  /** For this exchange, where it is less than for all. */
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
};

/** For a call to an address where another was just waited for in vain: ten seconds of silence. */
export const SLOW_TIMEOUT_MS = 20_000;

type Exchanger = { exchange: (request: ExchangeRequest) => Promise<Exchange>; close: () => Promise<void> };

type Head = { status: number | null; headers: AnswerHeaders };

type Answered = Exchange & { kind: 'answered' };

/** What ends an exchange before it is complete. */
type Limits = { signal: AbortSignal; deadline: Deadline };

export type ExchangerOptions = {
  apiUrl: URL;
  /** For a whole exchange; half of it may pass in silence. What is spent waiting for room does not count. */
  timeoutMs: number;
  maxAnswerBytes: number;
  /** Answers that were not let go may hold so many bytes, all together; one at a time may go beyond. */
  roomBytes: number;
};

/** Talks to one host over kept-alive connections. */
export function createExchanger(options: ExchangerOptions): Exchanger {
  const room = createAnswerRoom(options.roomBytes);
  const pool = new Pool(options.apiUrl.origin, {
    connections: 64,
    allowH2: false, // HTTP/1.1 is what the tests run
    connect: { timeout: Math.min(Math.ceil(options.timeoutMs / 2), 10_000) },
    keepAliveTimeout: 10_000,
  });

  const timeoutFor = ({ timeoutMs = options.timeoutMs }: ExchangeRequest): number =>
    Math.min(timeoutMs, options.timeoutMs);

  async function receive(request: ExchangeRequest, head: Head, place: Place, limits: Limits): Promise<Exchange> {
    const { method, path, body, expectedBytes } = request;
    const { signal, deadline } = limits;
    const take = (bytes: number): Promise<void> => deadline.pausedFor(place.take(bytes, signal));
    await take(expectedBytes);
    // The text must be what Procore sent and its size must be what we count, so no compression. Saying nothing would
    // allow any (RFC 9110, 12.5.3). undici neither follows redirects nor decompresses by itself.
    const sent = { ...request.headers, 'accept-encoding': 'identity' };
    const silence = Math.ceil(timeoutFor(request) / 2);
    const timeouts = { headersTimeout: silence, bodyTimeout: silence }; // of the body, stands still while nobody reads
    const answer = await pool.request({ method, path, headers: sent, body: body ?? null, signal, ...timeouts });
    answer.body.on('error', () => {}); // who reads it is told; while it waits for room nobody does
    const { statusCode: status, headers } = answer;
    Object.assign(head, { status, headers });
    if (meaningOf(status) !== 'success') {
      // What is left of a small body makes room for the next request on this connection; nobody waits for a long one.
      await answer.body.dump({ limit: 65_536, signal: AbortSignal.timeout(2_000) }).catch(() => {});
      return withoutBytes(status, headers);
    }
    const length = readCount(headers, 'content-length');
    const isTooLarge = length !== null && length > options.maxAnswerBytes;
    if (length !== null && !isTooLarge) await take(length);
    const receiving = { maxBytes: length ?? options.maxAnswerBytes, taken: length ?? expectedBytes, take };
    const received = isTooLarge ? null : await receiveBody(answer.body, receiving);
    if (received === null) {
      answer.body.destroy();
      return { kind: 'too large', status, headers };
    }
    const { bytes, free } = received;
    const letGo = (): void => {
      free();
      place.leave();
    };
    return { kind: 'answered', status, headers, bytes, letGo };
  }

  async function exchange(request: ExchangeRequest): Promise<Exchange> {
    const { signal } = request;
    signal?.throwIfAborted();
    const ending = new AbortController();
    const onAbort = (): void => ending.abort(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    const timeoutMs = timeoutFor(request);
    const timeOut = new Error(`no complete answer within ${timeoutMs} ms`);
    const deadline = createDeadline(timeoutMs, () => ending.abort(timeOut));
    const head: Head = { status: null, headers: {} };
    const place = room.enter();
    let answered: Exchange | null = null;
    try {
      // undici notices an abort only once the request has a connection
      const receiving = receive(request, head, place, { signal: ending.signal, deadline });
      answered = await abortable(receiving, ending.signal);
      return answered;
    } catch (error) {
      signal?.throwIfAborted();
      const { status, headers } = head;
      if (status !== null && meaningOf(status) !== 'success') return withoutBytes(status, headers);
      const code = codeOf(error);
      const isTimeOut = error === timeOut || TIME_OUTS.has(code);
      return { kind: 'unreachable', ...head, sent: !NEVER_SENT.has(code), isTimeOut, cause: withoutBody(error) };
    } finally {
      deadline.cancel();
      signal?.removeEventListener('abort', onAbort);
      if (answered?.kind !== 'answered' || answered.bytes.length === 0) place.leave();
    }
  }

  return { exchange, close: () => pool.destroy() };
}

/** Errors of looking up and connecting: they come before anything is written. */
const NEVER_SENT: ReadonlySet<string> = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'UND_ERR_CONNECT_TIMEOUT',
]);

const TIME_OUTS: ReadonlySet<string> = new Set([
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
]);

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** undici's parser errors carry what they could not read, so only code and message go on. */
function withoutBody(error: unknown): Error {
  const message = error instanceof Error ? error.message : String(error);
  return new Error([codeOf(error), message].filter(Boolean).join(': '));
}

function withoutBytes(status: number, headers: AnswerHeaders): Answered {
  return { kind: 'answered', status, headers, bytes: Buffer.alloc(0), letGo: () => {} };
}
