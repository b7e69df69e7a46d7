// Calls to Procore's API: the token, the company header, the budget before each request, retries, pages. What is worth
// another try is decided in `retry.ts`, limits and time-outs of one request are in `exchange.ts`.
import { setTimeout as delay } from 'node:timers/promises';
import { abortable } from './abortable.ts';
import {
  ProcoreBusyError,
  ProcoreFormatError,
  ProcoreResponseError,
  ProcoreTooLargeError,
  ProcoreUnreachableError,
} from './errors.ts';
import { createExchanger, type Exchange, type ExchangeRequest, isSuccess } from './exchange.ts';
import { type PagesOptions, pagesOf, type ReadPage } from './pages.ts';
import { type RateLimit, readCount, readDate, readPauseMs, readRateLimit, readRetryAfterMs } from './rate-limit.ts';
import { type PageLinks, readLinks, requestPath, type SearchParams } from './request-path.ts';
import {
  decideRetry,
  onlyOneTry,
  type RequestFailure,
  type RetryPolicy,
  twoMoreTriesInAboutTwoSeconds,
} from './retry.ts';
import { createServerClock } from './server-clock.ts';

export type ProcoreAnswer = {
  status: number;
  /** JSON exactly as sent, complete; empty for an answer to `send` that has no body. */
  text: string;
  links: PageLinks;
  /** The headers Total and Per-Page. */
  total: number | null;
  perPage: number | null;
  rateLimit: RateLimit | null;
};

/** What a call is made for; the client does not read it, it hands it on to `beforeCall` and `afterCall`. */
export type CallPurpose = {
  projectId: string | null;
  resource: string;
  /** How urgent it is. */
  lane: 'live' | 'detail' | 'repair' | 'backfill' | 'verify';
};

type CallOptions = { companyId: string; signal?: AbortSignal | undefined; purpose?: CallPurpose | undefined };

/**
 * All calls throw ProcoreUnreachableError, ProcoreBusyError, ProcoreResponseError, ProcoreTooLargeError or ProcoreFormatError, what `token`,
 * `beforeCall` and `afterCall` throw, the signal's reason once it is aborted, and RangeError for a path on another host
 * or a company id that is none.
 */
export type ProcoreClient = {
  /** Reads one resource; passing failures are tried again, a 429 or 503 is not. */
  get: (path: string, o: CallOptions & { searchParams?: SearchParams | undefined }) => Promise<ProcoreAnswer>;
  /** Changes something; sent again only when the first request surely changed nothing. */
  send: (
    method: 'POST' | 'PATCH' | 'PUT' | 'DELETE',
    path: string,
    o: CallOptions & { body?: unknown },
  ) => Promise<ProcoreAnswer>;
  /**
   * Walks a list along its next links, on this host whatever host they name. Without links, Total and Per-Page tell of
   * further pages, and so does a page that is full; an empty one ends the list. `onDoubt` is told when the list ends otherwise:
   * a link leads back or nowhere, a page behind the first is not found, a record is too large, or there are more than `maxPages`.
   * A page that is too large, for Procore (408, 500, 502, 504) or for us, is asked for in smaller ones. What `read` throws
   * ends the walk.
   */
  pages: <P extends ReadPage>(
    path: string,
    o: PagesOptions<P> & { searchParams?: SearchParams | undefined },
  ) => AsyncIterable<P>;
  /** Ends all connections; calls under way fail. */
  close: () => Promise<void>;
};

export type ProcoreClientOptions = {
  apiUrl: URL;
  token: (signal?: AbortSignal) => Promise<string>;
  /** Told once per call of a token that was answered 401. */
  refuseToken: (token: string) => void;
  /** Awaited before each HTTP request, retries included: the place to wait for the rate limit. */
  beforeCall?: (call: {
    companyId: string;
    purpose: CallPurpose | null;
    signal?: AbortSignal | undefined;
  }) => Promise<void>;
  /** Told once for each `beforeCall` that let a request go. `status` is null when no status line came, or no token was to be had. */
  afterCall?: (call: {
    companyId: string;
    purpose: CallPurpose | null;
    status: number | null;
    rateLimit: RateLimit | null;
    retryAfterMs: number | null;
    ms: number;
  }) => void | Promise<void>;
  /** For one HTTP request from start to last byte; default 60,000. */
  timeoutMs?: number;
  retry?: RetryPolicy;
  /** Default 64 MiB. */
  maxAnswerBytes?: number;
  sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
  random?: () => number;
  now?: () => number;
};

type Call = Omit<ExchangeRequest, 'headers'> & {
  companyId: string;
  purpose: CallPurpose | null;
  policy: RetryPolicy;
};
type Failed = { failure: RequestFailure; error: Error };
type Tried = { answer: ProcoreAnswer } | Failed;

const final: RequestFailure = { kind: 'final' };

/** A client for one API host. The token goes to that host only: redirects and links elsewhere are not followed. */
export function createProcoreClient(o: ProcoreClientOptions): ProcoreClient {
  const { retry: policy = twoMoreTriesInAboutTwoSeconds, random = Math.random, now = Date.now } = o;
  const sleep = o.sleep ?? ((ms, signal) => delay(ms, undefined, signal && { signal }));
  const exchanger = createExchanger({
    apiUrl: o.apiUrl,
    timeoutMs: o.timeoutMs ?? 60_000,
    maxAnswerBytes: o.maxAnswerBytes ?? 64 * 1024 * 1024,
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
        o.refuseToken(token);
      } else {
        attempt += 1;
        await abortable(sleep(decision.delayMs, call.signal), call.signal);
      }
    }
  }

  async function tryOnce(call: Call): Promise<{ tried: Tried; token: string }> {
    const { companyId, purpose, signal } = call;
    signal?.throwIfAborted();
    await abortable(Promise.resolve(o.beforeCall?.({ companyId, purpose, signal })), signal);
    const startedAt = performance.now();
    const sentAt = now();
    let token = '';
    let exchange: Exchange | null = null;
    try {
      token = await abortable(o.token(signal), signal);
      exchange = await exchanger.exchange({ ...call, headers: headersFor(call, token) });
    } finally {
      const headers = exchange?.headers ?? {};
      const date = readDate(headers);
      if (date !== null) serverClock.see({ date, sentAt, receivedAt: now() });
      await o.afterCall?.({
        companyId,
        purpose,
        status: exchange?.status ?? null,
        rateLimit: readRateLimit(headers, procoreNow()),
        retryAfterMs: readRetryAfterMs(headers, procoreNow()),
        ms: performance.now() - startedAt,
      });
    }
    return { tried: judge(call, exchange), token };
  }

  function judge(call: Call, exchange: Exchange): Tried {
    const about = `${call.method} ${call.path.split('?')[0]} of company ${call.companyId}`;
    if (exchange.kind === 'unreachable') {
      const error = new ProcoreUnreachableError(`${about}: ${exchange.cause.message}`, { cause: exchange.cause });
      return { failure: closed ? final : exchange, error };
    }
    if (exchange.kind === 'too large')
      return { failure: final, error: new ProcoreTooLargeError(`${about}: the answer is too large`) };
    if (!isSuccess(exchange.status)) return judgeStatus(about, exchange.status, exchange);
    if (!isExpected(call.method, exchange.text)) {
      const error = formatError(about, `the answer is not complete JSON (${describe(exchange)})`);
      return { failure: { kind: 'unreadable' }, error };
    }
    return { answer: toAnswer(call, exchange) };
  }

  function judgeStatus(about: string, status: number, { headers }: Exchange): Failed {
    if (status === 429 || status === 503) {
      const pauseMs = readPauseMs(status, headers, procoreNow());
      const message = `${about} was answered ${status}: come back in ${Math.ceil(pauseMs / 1000)} s`;
      return { failure: final, error: new ProcoreBusyError(message, { status, resumeAt: now() + pauseMs }) };
    }
    const note =
      status < 400 ? ', a redirect, which is not followed: the access token must not leave the API host' : '';
    const error = new ProcoreResponseError(`${about} was answered ${status}${note}`, { status });
    return { failure: { kind: 'status', status }, error };
  }

  function toAnswer(call: Call, { status, text, headers }: Exchange & { kind: 'answered' }): ProcoreAnswer {
    return {
      status,
      text,
      links: readLinks(o.apiUrl, call.path, headers.link),
      total: readCount(headers, 'total'),
      perPage: readCount(headers, 'per-page'),
      rateLimit: readRateLimit(headers, procoreNow()),
    };
  }

  const get: ProcoreClient['get'] = async (path, { companyId, searchParams, signal, purpose = null }) => {
    const target = requestPath(o.apiUrl, path, searchParams);
    return call({ method: 'GET', path: target, companyId, signal, purpose, policy });
  };

  return {
    get,
    send: async (method, path, { companyId, body, signal, purpose = null }) => {
      const json = body === undefined ? undefined : JSON.stringify(body);
      const target = requestPath(o.apiUrl, path);
      return call({ method, path: target, companyId, body: json, signal, purpose, policy });
    },
    pages: (path, { searchParams, ...options }) => {
      const { companyId, signal, purpose = null } = options;
      const getPage = (target: string, { isOnlyTry }: { isOnlyTry: boolean }) =>
        call({ method: 'GET', path: target, companyId, signal, purpose, policy: isOnlyTry ? onlyOneTry : policy });
      return pagesOf(getPage, requestPath(o.apiUrl, path, searchParams), options);
    },
    close: async () => {
      closed = true;
      await exchanger.close();
    },
  };
}

function headersFor(call: Call, token: string): Record<string, string> {
  return {
    accept: 'application/json',
    authorization: `Bearer ${token}`,
    'procore-company-id': call.companyId,
    ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
  };
}

function isExpected(method: string, text: string): boolean {
  if (method !== 'GET' && text === '') return true;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false; // the error quotes the body
  }
}

function describe({ text, headers }: Exchange & { kind: 'answered' }): string {
  const said = [headers['content-type'], headers['content-encoding']].flat().filter((value) => value !== undefined);
  return [`${text.length} characters`, ...said.map((value) => value.slice(0, 80))].join(', ');
}

function formatError(about: string, issue: string): ProcoreFormatError {
  return new ProcoreFormatError(about, { issues: [issue] });
}
