// Calls to Procore's API: the token, the company header, the budget before each request, retries, pages. What is worth
// another try is decided in `retry.ts`, limits and time-outs of one request are in `exchange.ts`.
import { setTimeout as delay } from 'node:timers/promises';
import { abortable } from './abortable.ts';
import {
  ProcoreBusyError,
  ProcoreFormatError,
  ProcoreResponseError,
  ProcoreTokenError,
  ProcoreTooLargeError,
  ProcoreUnreachableError,
} from './errors.ts';
import { createExchanger, type Exchange, type ExchangeRequest } from './exchange.ts';
import type { ReadPage } from './page-ends.ts';
import { type GetPage, type PagesOptions, pagesOf } from './pages.ts';
import type { CallPurpose, ProcoreAnswer } from './procore-answer.ts';
import { type Pause, type RateLimit, readCount, readDate, readPause, readRateLimit } from './rate-limit.ts';
import { readJson } from './read-json.ts';
import { readLinks, requestPath, routeOf, type SearchParams } from './request-path.ts';
import {
  decideRetry,
  onlyOneTry,
  type RequestFailure,
  type RetryPolicy,
  twoMoreTriesInAboutTwoSeconds,
} from './retry.ts';
import { createServerClock } from './server-clock.ts';
import { isRedirect, meaningOf } from './status-meaning.ts';

type CallOptions = {
  companyId: string;
  signal?: AbortSignal | undefined;
  purpose?: CallPurpose | undefined;
  /** For one request, if it is less than for all; half of it may pass in silence. */
  timeoutMs?: number | undefined;
};

type ReadOptions = CallOptions & {
  searchParams?: SearchParams | undefined;
  /** The names of the fields to read, at whatever place; `id` and `data` when left out. */
  fields?: ReadonlySet<string> | undefined;
};

/**
 * All calls throw ProcoreTokenError, ProcoreUnreachableError, ProcoreBusyError, ProcoreResponseError, ProcoreTooLargeError or
 * ProcoreFormatError, what `beforeCall` and `afterCall` throw, the signal's reason once it is aborted, and RangeError for a
 * path on another host or a company id that is none.
 */
export type ProcoreClient = {
  /**
   * Reads one resource; passing failures are tried again, a 429 or 503 is not. When its answer begins it waits for room.
   * Whoever holds an answer must not wait for another.
   */
  get: (path: string, options: ReadOptions) => Promise<ProcoreAnswer>;
  /** Changes something; sent again only when the first request surely changed nothing. */
  send: (
    method: 'POST' | 'PATCH' | 'PUT' | 'DELETE',
    path: string,
    options: CallOptions & { body?: unknown },
  ) => Promise<ProcoreAnswer>;
  /**
   * Walks a list along its next links, on this host whatever host they name. Without links, Total and Per-Page tell of
   * further pages, and so does a page that may be full; an empty one ends the list, and so does one that is the last again. `onDoubt`
   * is told when the list ends otherwise: a link leads back or nowhere, a page that was told of is not found, records cannot be read,
   * or there are more than `maxPages`. A page that is too large, for Procore (408, 500, 502, 504, no answer in time) or for us, is
   * asked for in smaller ones. What `read` throws ends the walk. A page is let go when the next one is asked for.
   */
  pages: <P extends ReadPage>(
    path: string,
    options: PagesOptions<P> & { searchParams?: SearchParams | undefined },
  ) => AsyncIterable<P>;
  /** How far Procore's clock is ahead of ours, ms, as its answers tell; null before the first. */
  clockAheadMs: () => number | null;
  /** Ends all connections; calls under way fail. */
  close: () => Promise<void>;
};

export type ProcoreClientOptions = {
  apiUrl: URL;
  /** Rejects with the `reason` `rejected` when the login server refuses the credentials. */
  token: (signal?: AbortSignal) => Promise<string>;
  /** Told once per call of a token that was answered 401. */
  refuseToken: (token: string) => void;
  /** Awaited before each HTTP request, retries included: the place to wait for the rate limit. */
  beforeCall?: (call: {
    companyId: string;
    purpose: CallPurpose | null;
    signal?: AbortSignal | undefined;
  }) => Promise<void>;
  /** Told once for each `beforeCall` that let a request go. */
  afterCall?: (call: {
    companyId: string;
    purpose: CallPurpose | null;
    /** Method and path with placeholders. */
    route: string;
    /** False when there was no request after all, because no token was to be had or the caller gave up before there was one. */
    isSent: boolean;
    /** Null when no status line came. */
    status: number | null;
    rateLimit: RateLimit | null;
    /** How long the company's calls are to wait: after a 429. */
    pause: Pause | null;
    ms: number;
    /** Of the body; null where it was not read. */
    bytes: number | null;
    /** Items of the list that came, 1 for one record; null where nothing was understood. */
    records: number | null;
  }) => void | Promise<void>;
  /** For one HTTP request from start to last byte, waiting for room not counted; default 60,000. */
  timeoutMs?: number;
  retry?: RetryPolicy;
  /** Default 64 MiB. */
  maxAnswerBytes?: number;
  /** Answers that nobody let go yet hold so many bytes at most, all together, and one more beyond; default 16 MiB. */
  roomBytes?: number;
  sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
  random?: () => number;
  now?: () => number;
};

type Call = Omit<ExchangeRequest, 'headers'> & {
  companyId: string;
  purpose: CallPurpose | null;
  policy: RetryPolicy;
  fields: ReadonlySet<string>;
};
type Failed = { failure: RequestFailure; error: Error };
type Tried = { answer: ProcoreAnswer } | Failed;
/** What is known of a request once it ended; see `afterCall`. */
type Told = { isSent: boolean; ms: number; bytes: number | null; records: number | null };

const final: RequestFailure = { kind: 'final' };
const USUAL_FIELDS: ReadonlySet<string> = new Set(['id', 'data']);
const MEBIBYTE = 1024 * 1024;

/**
 * A client for one API host. The token goes to that host only: redirects and links elsewhere are not followed
 * (docs/procore.md: Redirects).
 */
export function createProcoreClient(given: ProcoreClientOptions): ProcoreClient {
  const { retry: policy = twoMoreTriesInAboutTwoSeconds, random = Math.random, now = Date.now } = given;
  const sleep = given.sleep ?? ((ms, signal) => delay(ms, undefined, signal && { signal }));
  const exchanger = createExchanger({
    apiUrl: given.apiUrl,
    timeoutMs: given.timeoutMs ?? 60_000,
    maxAnswerBytes: given.maxAnswerBytes ?? 64 * MEBIBYTE,
    roomBytes: given.roomBytes ?? 16 * MEBIBYTE,
  });
  const serverClock = createServerClock();
  const procoreNow = () => serverClock.earliest(now());
  let closed = false;

  async function call(call: Call): Promise<ProcoreAnswer> {
    if (!/^\d{1,19}$/.test(call.companyId)) throw new RangeError('a company id is 1 to 19 digits');
    let attempt = 0;
    let tokenRefused = false;
    for (;;) {
      const { tried, token } = await tryOnce(call);
      if ('answer' in tried) return tried.answer;
      const { failure, error } = tried;
      const decision = decideRetry({
        method: call.method,
        failure,
        attempt,
        tokenRefused,
        policy: call.policy,
        random: random(),
      });
      if (decision.retry === 'no') throw error;
      if (decision.retry === 'with a new token') {
        tokenRefused = true;
        given.refuseToken(token);
      } else {
        attempt += 1;
        await abortable(sleep(decision.delayMs, call.signal), call.signal);
      }
    }
  }

  async function tryOnce(call: Call): Promise<{ tried: Tried; token: string }> {
    const { companyId, purpose, signal } = call;
    signal?.throwIfAborted();
    await abortable(Promise.resolve(given.beforeCall?.({ companyId, purpose, signal })), signal);
    const startedAt = performance.now();
    const sentAt = now();
    let token = '';
    let exchange: Exchange | null = null;
    let tried: Tried | null = null;
    const told: Told = { isSent: false, ms: 0, bytes: null, records: null };
    try {
      token = await abortable(given.token(signal), signal).catch((error: unknown) => {
        throw signal?.aborted ? error : tokenError(error);
      });
      told.isSent = true;
      exchange = await exchanger.exchange({ ...call, headers: headersFor(call, token) });
      told.ms = performance.now() - startedAt;
      told.bytes = exchange.kind === 'answered' && isSuccess(exchange) ? exchange.bytes.length : null;
      const date = readDate(exchange.headers);
      if (date !== null) serverClock.see({ date, sentAt, receivedAt: now() });
      tried = judge(call, exchange);
      told.records = 'answer' in tried ? countRecords(tried.answer.text.fields) : null;
    } finally {
      if (exchange === null) told.ms = performance.now() - startedAt;
      await tellOf(call, exchange, told).catch((error: unknown) => {
        if (tried !== null && 'answer' in tried) tried.answer[Symbol.dispose]();
        throw error;
      });
    }
    return { tried, token };
  }

  async function tellOf(call: Call, exchange: Exchange | null, told: Told): Promise<void> {
    const { companyId, purpose } = call;
    const { status, headers } = exchange ?? { status: null, headers: {} };
    const rateLimit = readRateLimit(headers, procoreNow());
    const isLimited = status !== null && meaningOf(status) === 'limited';
    const pause = isLimited ? readPause('limited', headers, procoreNow()) : null;
    const route = routeOf(call.method, call.path);
    await given.afterCall?.({ companyId, purpose, route, status, rateLimit, pause, ...told });
  }

  function judge(call: Call, exchange: Exchange): Tried {
    const about = `${call.method} ${call.path.split('?')[0]} of company ${call.companyId}`;
    if (exchange.kind === 'unreachable') {
      const { cause, isTimeOut } = exchange;
      const error = new ProcoreUnreachableError(`${about}: ${cause.message}`, { cause, isTimeOut });
      return { failure: closed ? final : exchange, error };
    }
    if (exchange.kind === 'too large')
      return { failure: final, error: new ProcoreTooLargeError(`${about}: the answer is too large`) };
    if (!isSuccess(exchange)) return judgeStatus(about, exchange.status, exchange);
    return readAnswer(about, call, exchange);
  }

  function readAnswer(about: string, call: Call, exchange: Exchange & { kind: 'answered' }): Tried {
    const { bytes, letGo } = exchange;
    try {
      const fields = call.method !== 'GET' && bytes.length === 0 ? undefined : readJson(bytes, call.fields);
      return { answer: toAnswer(call, exchange, fields) };
    } catch (error) {
      const description = describe(exchange);
      const isPage = isForPeople(exchange);
      letGo();
      if (!(error instanceof SyntaxError)) throw error;
      if (isPage) {
        const message = `${about} was answered by a page for people: something on the way answers instead of Procore`;
        return { failure: { kind: 'unreadable' }, error: new ProcoreUnreachableError(message) };
      }
      const issue = `the answer is not complete JSON (${description})`;
      return { failure: { kind: 'unreadable' }, error: formatError(about, issue) };
    }
  }

  function judgeStatus(about: string, status: number, { headers }: Exchange): Failed {
    const meaning = meaningOf(status);
    if (meaning === 'limited' || meaning === 'busy') {
      const { ms: pauseMs } = readPause(meaning, headers, procoreNow());
      const message = `${about} was answered ${status}: come back in ${Math.ceil(pauseMs / 1000)} s`;
      return { failure: final, error: new ProcoreBusyError(message, { status, resumeAt: now() + pauseMs }) };
    }
    const note = isRedirect(status)
      ? ', a redirect, which is not followed: the access token must not leave the API host'
      : '';
    const error = new ProcoreResponseError(`${about} was answered ${status}${note}`, { status });
    return { failure: { kind: 'status', status }, error };
  }

  function toAnswer(call: Call, exchange: Exchange & { kind: 'answered' }, fields: unknown): ProcoreAnswer {
    const { status, bytes, headers, letGo } = exchange;
    return {
      status,
      text: { bytes, fields },
      [Symbol.dispose]: letGo,
      links: readLinks(given.apiUrl, call.path, headers.link),
      total: readCount(headers, 'total'),
      perPage: readCount(headers, 'per-page'),
      rateLimit: readRateLimit(headers, procoreNow()),
    };
  }

  const get: ProcoreClient['get'] = async (path, { searchParams, ...options }) => {
    const { companyId, signal, purpose = null, fields = USUAL_FIELDS, timeoutMs } = options;
    const target = requestPath(given.apiUrl, path, searchParams);
    const own = { method: 'GET', companyId, signal, purpose, fields, timeoutMs } as const;
    return call({ ...own, path: target, policy, expectedBytes: 0 });
  };

  return {
    get,
    send: async (method, path, { companyId, body, signal, purpose = null }) => {
      const json = body === undefined ? undefined : JSON.stringify(body);
      const target = requestPath(given.apiUrl, path);
      const sent = { method, path: target, companyId, body: json, signal, purpose, policy };
      return call({ ...sent, fields: USUAL_FIELDS, expectedBytes: 0 });
    },
    pages: (path, { searchParams, ...options }) => {
      const { companyId, signal, purpose = null, fields = USUAL_FIELDS } = options;
      const own = { method: 'GET', companyId, signal, purpose, fields } as const;
      const getPage: GetPage = (target, { isOnlyTry, expectedBytes, timeoutMs }) =>
        call({ ...own, path: target, policy: isOnlyTry ? onlyOneTry : policy, expectedBytes, timeoutMs });
      return pagesOf(getPage, requestPath(given.apiUrl, path, searchParams), options);
    },
    clockAheadMs: serverClock.aheadMs,
    close: async () => {
      closed = true;
      await exchanger.close();
    },
  };
}

function isSuccess({ status }: { status: number }): boolean {
  return meaningOf(status) === 'success';
}

function countRecords(fields: unknown): number | null {
  if (typeof fields !== 'object' || fields === null) return null;
  const shown = 'data' in fields ? fields.data : fields;
  return Array.isArray(shown) ? shown.length : 1;
}

function headersFor(call: Call, token: string): Record<string, string> {
  return {
    accept: 'application/json',
    authorization: `Bearer ${token}`,
    'procore-company-id': call.companyId, // in all calls (docs/procore.md: Company header)
    ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
  };
}

/** Does the answer hold HTML, whatever its header says? */
function isForPeople({ bytes, headers }: Exchange & { kind: 'answered' }): boolean {
  const [type = ''] = [headers['content-type'] ?? ''].flat();
  return /\bx?html\b/i.test(type) || /^\ufeff?\s*</.test(bytes.subarray(0, 1024).toString());
}

function tokenError(cause: unknown): ProcoreTokenError {
  const isRejected = cause instanceof Error && 'reason' in cause && cause.reason === 'rejected';
  return new ProcoreTokenError(cause instanceof Error ? cause.message : 'no token was to be had', {
    cause,
    isRejected,
  });
}

function describe({ bytes, headers }: Exchange & { kind: 'answered' }): string {
  const said = [headers['content-type'], headers['content-encoding']].flat().filter((value) => value !== undefined);
  return [`${bytes.length} bytes`, ...said.map((value) => value.slice(0, 80))].join(', ');
}

function formatError(about: string, issue: string): ProcoreFormatError {
  return new ProcoreFormatError(about, { issues: [issue] });
}
