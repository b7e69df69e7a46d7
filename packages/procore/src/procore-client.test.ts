import type { ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  ProcoreBusyError,
  ProcoreFormatError,
  ProcoreResponseError,
  ProcoreTooLargeError,
  ProcoreUnreachableError,
} from './errors.ts';
import { type Answer, answer, type LocalServer, startLocalServer } from './local-server.ts';
import type { ProcoreAnswer } from './procore-answer.ts';
import { createProcoreClient, type ProcoreClient, type ProcoreClientOptions } from './procore-client.ts';

const token = 'a-token-that-must-never-be-seen';
const bodySecret = 'what-the-body-said';
const now = Date.UTC(2026, 5, 30, 12, 0, 0);

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

type World = { server: LocalServer; client: ProcoreClient; pauses: number[]; refused: string[] };

async function aWorld(answers: Answer[], options: Partial<ProcoreClientOptions> = {}): Promise<World> {
  const server = await startLocalServer(...answers);
  closing.push(server.close);
  return { server, ...aClient({ apiUrl: server.url, ...options }) };
}

function aClient(
  options: Partial<ProcoreClientOptions> & { apiUrl: URL },
): Pick<World, 'client' | 'pauses' | 'refused'> {
  const pauses: number[] = [];
  const refused: string[] = [];
  const client = createProcoreClient({
    token: async () => (refused.length === 0 ? token : 'a-fresh-token-after-the-refusal'),
    refuseToken: (value) => refused.push(value),
    timeoutMs: 600_000, // longer than any test may take, so that only the tests of time-outs see one
    sleep: async (ms) => void pauses.push(ms),
    random: () => 0.5,
    now: () => now,
    ...options,
  });
  closing.push(client.close);
  return { client, pauses, refused };
}

async function failure(work: Promise<unknown>): Promise<Error> {
  const outcome = await work.then(
    () => null,
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(Error);
  const shown = inspect(outcome, { depth: 10, showHidden: true }) + JSON.stringify(outcome);
  expect(shown).not.toContain('token-'); // neither the token nor the fresh one
  expect(shown).not.toContain('Bearer');
  expect(shown).not.toContain(bodySecret);
  return outcome as Error;
}

const company = { companyId: '42' };
const reset: Answer = (response) => response.socket?.resetAndDestroy();
const silence: Answer = () => {};
const resetWithinBody: Answer = (response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
  response.write('{"id":1,', () => response.socket?.resetAndDestroy());
};
const stallWithinBody: Answer = (response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
  response.write('{"id":1,');
};

describe('an answer', () => {
  test('comes as the text that was sent, with every digit', async () => {
    const text =
      '{"b": 9007199254740993, "a":123456789012345678901234567890.123456789012345678901234567890,\n "c":1.10, "d":"\\u0000é😀"}';
    const { client } = await aWorld([answer(200, text)]);
    expect(String((await client.get('/rest/v1.0/me', company)).text.bytes)).toBe(text);
  });

  test('loses a byte order mark only', async () => {
    const { client } = await aWorld([answer(200, '\uFEFF[1]')]);
    expect(String((await client.get('/x', company)).text.bytes)).toBe('[1]');
  });

  test('brings what its headers say', async () => {
    const { client } = await aWorld([
      answer(200, '[]', {
        total: '250',
        'per-page': '100',
        date: 'Tue, 30 Jun 2026 11:00:00 GMT',
        'x-rate-limit-limit': '600',
        'x-rate-limit-remaining': '599',
        'x-rate-limit-reset': String(Date.UTC(2026, 5, 30, 11, 0, 7) / 1000),
      }),
    ]);
    expect(await client.get('/x', company)).toEqual({
      status: 200,
      text: { bytes: Buffer.from('[]'), fields: [] },
      [Symbol.dispose]: expect.any(Function),
      links: { lastPage: null, isGiven: false, isBroken: false },
      total: 250,
      perPage: 100,
      rateLimit: { limit: 600, remaining: 599, resetInMs: 7000 },
    });
  });

  test('without such headers has nulls', async () => {
    const { client } = await aWorld([answer(200, '{}')]);
    expect(await client.get('/x', company)).toMatchObject({ links: {}, total: null, perPage: null, rateLimit: null });
  });

  test('that is larger than allowed is refused, and not asked for again', async () => {
    const { client, server } = await aWorld([answer(200, JSON.stringify('x'.repeat(2000)))], { maxAnswerBytes: 1000 });
    const error = await failure(client.get('/x', company));
    expect(error).toBeInstanceOf(ProcoreTooLargeError);
    expect(error.message).toContain('too large');
    expect(server.seen).toHaveLength(1);
  });
});

describe('a request', () => {
  test('carries token and company, asks for no compression, and encodes its parameters', async () => {
    const { client, server } = await aWorld([answer(200, '[]')]);
    const searchParams = [
      ['filters[id][]', '1'],
      ['filters[id][]', '2'],
      ['filters[updated_at]', 'A...B&c=d'],
    ] as const;
    await client.get('/rest/v1.1/projects?company_id=42', { ...company, searchParams });
    const { url, headers, method } = server.seen[0]!;
    expect(method).toBe('GET');
    expect([...new URL(url, server.url).searchParams]).toEqual([['company_id', '42'], ...searchParams]);
    expect(headers).toMatchObject({
      authorization: `Bearer ${token}`,
      'procore-company-id': '42',
      'accept-encoding': 'identity',
      accept: 'application/json',
    });
  });

  test('uses the connections of those before, also after errors', async () => {
    const { client, server } = await aWorld([answer(404, 'x'.repeat(5000)), answer(409), answer(200, '{}')]);
    for (let call = 0; call < 20; call += 1) await client.get('/x', company).catch(() => {});
    expect(server.seen).toHaveLength(20);
    // The second is opened because the first is still being cleared when the second request comes.
    expect(server.connections()).toBeLessThanOrEqual(2);
  });

  test.each(['https://example.com/x', '//example.com/x', 'x', '', '/\\example.com/x', 'http:/x'])(
    'for the path "%s" is never made',
    async (path) => {
      const { client, server } = await aWorld([answer(200, '{}')]);
      expect(await failure(client.get(path, company))).toBeInstanceOf(RangeError);
      expect(server.seen).toHaveLength(0);
    },
  );

  test.each(['', 'x', '1\r\nx: y', '-1', '12345678901234567890'])('for the company "%s" is never made', async (id) => {
    const { client, server } = await aWorld([answer(200, '{}')]);
    expect(await failure(client.get('/x', { companyId: id }))).toBeInstanceOf(RangeError);
    expect(server.seen).toHaveLength(0);
  });

  test('to change something carries its body as JSON', async () => {
    const { client, server } = await aWorld([answer(201, '{"id":1}')]);
    const { status, text } = await client.send('POST', '/x', { ...company, body: { a: ['ä'] } });
    expect({ status, text: String(text.bytes) }).toEqual({ status: 201, text: '{"id":1}' });
    expect(server.seen[0]).toMatchObject({ method: 'POST', body: '{"a":["ä"]}' });
    expect(server.seen[0]?.headers).toMatchObject({ 'content-type': 'application/json', 'procore-company-id': '42' });
  });

  test('to change something may be answered without a body', async () => {
    const { client, server } = await aWorld([answer(204)]);
    expect(await client.send('DELETE', '/x/1', company)).toMatchObject({ status: 204, text: { bytes: { length: 0 } } });
    expect(server.seen[0]?.headers).not.toHaveProperty('content-type');
  });
});

describe('a passing failure', () => {
  test.each([
    ['a reset before the answer', reset],
    ['a reset within the body', resetWithinBody],
    [
      'an answer that ends too early',
      (response) => response.socket?.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{'),
    ],
    ['JSON that stops short within whole framing', answer(200, '[{"id":1},{"i')],
    ['an empty answer', answer(200, '')],
    ['500', answer(500, bodySecret)],
    ['502', answer(502, bodySecret)],
    ['504', answer(504, bodySecret)],
  ] as [string, Answer][])('is got over by a second try: %s', async (_, first) => {
    const { client, server, pauses } = await aWorld([first, answer(200, '[1]')]);
    expect(String((await client.get('/x', company)).text.bytes)).toBe('[1]');
    expect(server.seen).toHaveLength(2);
    expect(pauses).toEqual([375]); // 500 ms, of which half is left to chance
  });

  test.each([
    ['resets', reset, ProcoreUnreachableError],
    ['JSON that stops short', answer(200, `["${bodySecret}`), ProcoreFormatError],
    ['500', answer(500, bodySecret), ProcoreResponseError],
  ] as const)('that stays ends after three tries: %s', async (_, always, expected) => {
    const { client, server, pauses } = await aWorld([always]);
    expect(await failure(client.get('/x', company))).toBeInstanceOf(expected);
    expect(server.seen).toHaveLength(3);
    expect(pauses).toEqual([375, 750]);
  });

  test.each([
    ['headers that never come', silence],
    ['a body that stalls', stallWithinBody],
  ])('may be a time-out, which is long enough: %s', async (_, always) => {
    const { client, server } = await aWorld([always], { timeoutMs: 200 });
    const error = await failure(client.get('/x', company));
    expect(error).toBeInstanceOf(ProcoreUnreachableError);
    expect(error).toMatchObject({ isTimeOut: true });
    expect(error.message).toMatch(/GET \/x of company 42: .*(200 ms|Timeout)/);
    expect(server.seen).toHaveLength(1);
  });

  test('is a body that drips for ever, too', async () => {
    const drips: Answer = (response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write(' '), 5);
      response.on('close', () => clearInterval(timer));
    };
    const { client, server } = await aWorld([drips], { timeoutMs: 200 });
    expect((await failure(client.get('/x', company))).message).toContain('no complete answer within 200 ms');
    expect(server.seen).toHaveLength(1);
  });

  test('names a host that refuses connections', async () => {
    const gone = await startLocalServer();
    await gone.close();
    const { client, pauses } = aClient({ apiUrl: gone.url });
    const error = await failure(client.get('/x?secret=1', company));
    expect(error).toBeInstanceOf(ProcoreUnreachableError);
    expect(error.message).toContain('ECONNREFUSED');
    expect(error.cause).toBeInstanceOf(Error);
    expect(pauses).toHaveLength(2);
  });

  test('of a request that may have changed something is not tried again', async () => {
    for (const first of [reset, answer(500), answer(200, '{"i')]) {
      const { client, server } = await aWorld([first, answer(200, '{}')]);
      await failure(client.send('POST', '/x', company));
      expect(server.seen).toHaveLength(1);
    }
  });

  test('of a request that never left is tried again, whatever it would have changed', async () => {
    const gone = await startLocalServer();
    await gone.close();
    const { client, pauses } = aClient({ apiUrl: gone.url });
    expect(await failure(client.send('POST', '/x', company))).toBeInstanceOf(ProcoreUnreachableError);
    expect(pauses).toHaveLength(2);
  });

  test('that is no HTTP at all says so without quoting it', async () => {
    const { client } = await aWorld([(response) => response.socket?.end(`${bodySecret}\r\n\r\n`)]);
    expect(await failure(client.get('/x', company))).toBeInstanceOf(ProcoreUnreachableError);
  });
});

describe('401', () => {
  test('costs one new token and one more request', async () => {
    const { client, server, pauses, refused } = await aWorld([answer(401, bodySecret), answer(200, '{}')]);
    await client.get('/x', company);
    expect(refused).toEqual([token]);
    expect(server.seen.map(({ headers }) => headers.authorization)).toEqual([
      `Bearer ${token}`,
      'Bearer a-fresh-token-after-the-refusal',
    ]);
    expect(pauses).toEqual([]);
  });

  test('twice is an error after two requests, and blames one token only', async () => {
    const { client, server, refused } = await aWorld([answer(401, bodySecret)]);
    expect(await failure(client.get('/x', company))).toMatchObject({ name: 'ProcoreResponseError', status: 401 });
    expect(server.seen).toHaveLength(2);
    expect(refused).toEqual([token]);
  });

  test('lets a change be sent again, for it was not carried out', async () => {
    const { client, server } = await aWorld([answer(401), answer(201, '{}')]);
    expect((await client.send('POST', '/x', { ...company, body: { a: 1 } })).status).toBe(201);
    expect(server.seen.map(({ body }) => body)).toEqual(['{"a":1}', '{"a":1}']);
  });

  test('does not use up the other tries', async () => {
    const { client, server } = await aWorld([answer(500), answer(401), answer(500), answer(200, '[]')]);
    await client.get('/x', company);
    expect(server.seen).toHaveLength(4);
  });

  test.each([
    ['rejected', true],
    ['unreachable', false],
  ])('is never asked for without a token: %s', async (reason, isRejected) => {
    const own = Object.assign(new Error('the login server said something'), { reason });
    const { client, server } = await aWorld([answer(200, '{}')], { token: () => Promise.reject(own) });
    const error = await failure(client.get('/x', company));
    expect(error).toMatchObject({ name: 'ProcoreTokenError', message: own.message, isRejected, cause: own });
    expect(server.seen).toHaveLength(0);
  });
});

test.each([
  ['text/html; charset=utf-8', 'We are down for maintenance'],
  ['application/xhtml+xml', '<p>'],
  ['application/json', '  <!DOCTYPE html><title>Sign in</title>'],
  ['application/json', '\ufeff<html>'],
  [undefined, '<html>'],
])('a page for people is no answer of Procore, and is not quoted: %s, %s', async (type, start) => {
  const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type };
  const { client, server } = await aWorld([answer(200, `${start}${bodySecret}`, headers)]);
  const error = await failure(client.get('/x', company));
  expect(error).toBeInstanceOf(ProcoreUnreachableError);
  expect(error).toMatchObject({ isTimeOut: false });
  expect(server.seen).toHaveLength(3);
});

describe('a refusal', () => {
  test.each([400, 403, 404, 408, 409, 422])('%i is an error at once, without the body', async (status) => {
    const { client, server } = await aWorld([answer(status, JSON.stringify({ errors: bodySecret }))]);
    const error = await failure(client.get('/rest/v1.0/projects/7?a=b', company));
    expect(error).toMatchObject({ name: 'ProcoreResponseError', status });
    expect(error.message).toBe(`GET /rest/v1.0/projects/7 of company 42 was answered ${status}`);
    expect(server.seen).toHaveLength(1);
  });

  test('whose body never ends is still that refusal', async () => {
    const stalls: Answer = (response) => {
      response.writeHead(403, { 'content-length': '1000' });
      response.write(bodySecret);
    };
    const { client } = await aWorld([stalls], { timeoutMs: 300 });
    expect(await failure(client.get('/x', company))).toMatchObject({ status: 403 });
  });

  test.each([301, 302, 303, 307, 308])('%i is not followed, so the token stays where it is', async (status) => {
    const elsewhere = await startLocalServer(answer(200, '{}'));
    closing.push(elsewhere.close);
    const { client, server } = await aWorld([answer(status, '', { location: `${elsewhere.url}?${bodySecret}` })]);
    const error = await failure(client.get('/x', company));
    expect(error).toMatchObject({ name: 'ProcoreResponseError', status });
    expect(error.message).toContain('redirect');
    expect(server.seen).toHaveLength(1);
    expect(elsewhere.seen).toHaveLength(0);
  });
});

describe('a busy Procore', () => {
  const seconds = (at: number) => String(at / 1000);

  test.each([
    ['Retry-After', 429, { 'retry-after': '17' }, 17_000],
    [
      'Retry-After rather than the reset',
      429,
      { 'retry-after': '17', 'x-rate-limit-reset': seconds(now + 5000) },
      17_000,
    ],
    ['the reset', 429, { 'x-rate-limit-reset': seconds(now + 5000) }, 5000],
    [
      'the reset, by the clock that set it,',
      429,
      { date: new Date(now - 3_000_000).toUTCString(), 'x-rate-limit-reset': seconds(now - 3_000_000 + 4000) },
      4000,
    ],
    ['ten seconds', 429, {}, 10_000],
    ['Retry-After', 503, { 'retry-after': '120' }, 120_000],
    ['ten seconds', 503, {}, 10_000],
  ] as [string, number, Record<string, string>, number][])(
    'says when to come back: %s of a %i',
    async (_, status, headers, pauseMs) => {
      const busy: Answer = (response, ...rest) => {
        response.sendDate = false;
        answer(status, bodySecret, headers)(response, ...rest);
      };
      const { client, server, pauses } = await aWorld([busy, answer(200, '{}')]);
      const error = await failure(client.get('/x', company));
      expect(error).toBeInstanceOf(ProcoreBusyError);
      expect(error).toMatchObject({ status, resumeAt: now + pauseMs });
      expect(server.seen).toHaveLength(1);
      expect(pauses).toEqual([]);
    },
  );
});

describe('the budget', () => {
  test('is asked before each request, retries included, and told of each answer', async () => {
    const story: unknown[] = [];
    const rateHeaders = {
      'x-rate-limit-limit': '25',
      'x-rate-limit-remaining': '0',
      'x-rate-limit-reset': '1782820800',
    };
    const { client, server } = await aWorld(
      [reset, answer(401), resetWithinBody, answer(429, '', { 'retry-after': '3', ...rateHeaders })],
      {
        beforeCall: async ({ companyId }) => {
          await new Promise(setImmediate);
          story.push(['before', companyId, server.seen.length]);
        },
        afterCall: ({ companyId, status, rateLimit, pause, ms }) => {
          expect(ms).toBeGreaterThanOrEqual(0);
          story.push(['after', companyId, status, rateLimit?.remaining ?? null, pause]);
        },
      },
    );
    await failure(client.get('/x', company));
    expect(story).toEqual([
      ['before', '42', 0],
      ['after', '42', null, null, null],
      ['before', '42', 1],
      ['after', '42', 401, null, null],
      ['before', '42', 2],
      ['after', '42', 200, null, null],
      ['before', '42', 3],
      ['after', '42', 429, 0, { ms: expect.any(Number), isTold: true }],
    ]);
  });

  test.each<[body: string, status: number, told: { bytes: number | null; records: number | null }]>([
    ['[{"id":1},{"id":2}]', 200, { bytes: 19, records: 2 }],
    ['[]', 200, { bytes: 2, records: 0 }],
    ['{"id":1,"items":[1,2]}', 200, { bytes: 22, records: 1 }],
    ['{"data":[{"id":"1"}]}', 200, { bytes: 21, records: 1 }],
    ['{"data":{"id":"1"}}', 200, { bytes: 19, records: 1 }],
    ['null', 200, { bytes: 4, records: null }],
    ['[{"id":1}', 200, { bytes: 9, records: null }],
    ['[{"id":1}]', 404, { bytes: null, records: null }],
  ])('is told how much came: %s, %i', async (body, status, expected) => {
    const told: unknown[] = [];
    const { client } = await aWorld([answer(status, body)], {
      afterCall: ({ bytes, records }) => void told.push({ bytes, records }),
      retry: { extraTries: 0, firstDelayMs: 0, longestDelayMs: 0 },
    });
    await client.get('/x', company).catch(() => {});
    expect(told).toEqual([expected]);
  });

  test('learns what each request is for, also of the pages of a list', async () => {
    const purpose = { projectId: '7', resource: 'RFIs', lane: 'live' } as const;
    const told: unknown[] = [];
    const { client } = await aWorld(
      [
        answer(200, '[1]', { link: '</x?page=2>; rel="next"' }),
        answer(200, '[]'),
        answer(200, '{}'),
        answer(200, '{}'),
      ],
      {
        beforeCall: async (call) => void told.push(call.purpose),
        afterCall: (call) => void told.push(call.purpose),
      },
    );
    await Array.fromAsync(
      client.pages('/x', {
        ...company,
        perPage: 1,
        purpose,
        read: ({ text }) => {
          const { length } = text.fields as unknown[];
          return { ids: [], records: length, groups: length };
        },
      }),
    );
    await client.send('POST', '/x', { ...company, purpose });
    await client.get('/x', company);
    expect(told).toEqual([purpose, purpose, purpose, purpose, purpose, purpose, null, null]);
  });

  test.each<[string, Partial<ProcoreClientOptions>, Answer[], unknown[]]>([
    ['no token was to be had', { token: () => Promise.reject(new Error('no')) }, [answer(200, '{}')], [[false, null]]],
    [
      'no answer came',
      {},
      [reset, answer(200, '{}')],
      [
        [true, null],
        [true, 200],
      ],
    ],
  ])('is told whether a request was sent: %s', async (_, options, answers, expected) => {
    const told: unknown[] = [];
    const { client } = await aWorld(answers, {
      ...options,
      afterCall: ({ isSent, status }) => void told.push([isSent, status]),
    });
    await client.get('/x', company).catch(() => {});
    expect(told).toEqual(expected);
  });

  test('is told that a request was sent whose caller gave it up', async () => {
    const told: unknown[] = [];
    const { client, server } = await aWorld([silence], { afterCall: ({ isSent }) => void told.push(isSent) });
    const stop = new AbortController();
    const ended = failure(client.get('/x', { ...company, signal: stop.signal }));
    await vi.waitFor(() => expect(server.seen).toHaveLength(1), { timeout: 10_000 });
    stop.abort(new Error('no more'));
    await ended;
    expect(told).toEqual([true]);
  });

  test('that refuses leave keeps the request from being made', async () => {
    const own = new Error('no leave');
    const { client, server } = await aWorld([answer(200, '{}')], { beforeCall: () => Promise.reject(own) });
    expect(await failure(client.get('/x', company))).toBe(own);
    expect(server.seen).toHaveLength(0);
  });
});

describe('an abort', () => {
  const reason = new Error('we are stopping');
  const forever = () => new Promise<never>(() => {});

  test.each([
    ['waiting for leave', [answer(200, '{}')], { beforeCall: forever }, 0],
    ['waiting for the token', [answer(200, '{}')], { token: forever }, 0],
    ['waiting for headers', [silence], {}, 1],
    ['waiting for the body', [stallWithinBody], {}, 1],
    ['waiting to try again', [answer(500)], { sleep: forever }, 1],
  ] as [string, Answer[], Partial<ProcoreClientOptions>, number][])(
    'ends a call while %s',
    async (_, answers, options, requests) => {
      const { client, server } = await aWorld(answers, options);
      const stop = new AbortController();
      const ended = failure(client.get('/x', { ...company, signal: stop.signal }));
      await vi.waitFor(() => expect(server.seen).toHaveLength(requests), { timeout: 10_000 });
      await new Promise(setImmediate);
      stop.abort(reason);
      expect(await ended).toBe(reason);
      expect(server.seen).toHaveLength(requests);
    },
  );

  test('that came before keeps the call from starting', async () => {
    const { client, server } = await aWorld([answer(200, '{}')]);
    expect(await failure(client.get('/x', { ...company, signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(server.seen).toHaveLength(0);
  });

  test('ends a call that still waits for a connection', async () => {
    const { client, server } = await aWorld([silence]);
    const others = Array.from({ length: 64 }, () => failure(client.get('/x', company)));
    await vi.waitFor(() => expect(server.seen).toHaveLength(64), { timeout: 10_000 });
    const stop = new AbortController();
    const ended = failure(client.get('/x', { ...company, signal: stop.signal }));
    await new Promise(setImmediate);
    stop.abort(reason);
    expect(await ended).toBe(reason);
    await client.close();
    await Promise.all(others);
    expect(server.seen).toHaveLength(64);
  });

  test('is told to the budget, for the request may have counted', async () => {
    const after: unknown[] = [];
    const stop = new AbortController();
    const { client, server } = await aWorld([silence], { afterCall: ({ status }) => void after.push(status) });
    const ended = failure(client.get('/x', { ...company, signal: stop.signal }));
    await vi.waitFor(() => expect(server.seen).toHaveLength(1), { timeout: 10_000 });
    stop.abort(reason);
    expect(await ended).toBe(reason);
    expect(after).toEqual([null]);
  });

  test('leaves no listener behind', async () => {
    const { client } = await aWorld([answer(200, '{}')]);
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, 'addEventListener');
    const removed = vi.spyOn(signal, 'removeEventListener');
    await client.get('/x', { ...company, signal });
    expect(added.mock.calls.length).toBeGreaterThan(0);
    expect(removed.mock.calls.length).toBe(added.mock.calls.length);
  });

  test('interrupts the real pause before a second try', async () => {
    const server = await startLocalServer(answer(500));
    const client = createProcoreClient({
      apiUrl: server.url,
      token: async () => token,
      refuseToken: () => {},
      retry: { extraTries: 1, firstDelayMs: 3_600_000, longestDelayMs: 3_600_000 },
    });
    closing.push(server.close, client.close);
    const stop = new AbortController();
    const ended = failure(client.get('/x', { ...company, signal: stop.signal }));
    await vi.waitFor(() => expect(server.seen).toHaveLength(1), { timeout: 10_000 });
    stop.abort(reason);
    expect(await ended).toBe(reason);
  });
});

test('closing ends the calls under way, and none starts after', async () => {
  const { client, server, pauses } = await aWorld([silence]);
  const ended = failure(client.get('/x', company));
  await vi.waitFor(() => expect(server.seen).toHaveLength(1), { timeout: 10_000 });
  await client.close();
  expect(await ended).toBeInstanceOf(ProcoreUnreachableError);
  expect(await failure(client.get('/x', company))).toBeInstanceOf(ProcoreUnreachableError);
  expect(server.seen).toHaveLength(1);
  expect(pauses).toEqual([]);
});

describe('room for answers', () => {
  const large = JSON.stringify([{ id: 1, title: 'x'.repeat(1_200_000) }]);
  const withLength = answer(200, large, { 'content-length': String(large.length) });
  const chunked: Answer = (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write(large.slice(0, 600_000));
    response.end(large.slice(600_000));
  };
  const both = [
    // For one, and another beyond; nobody knows how large the other ones become, so each takes some more at first.
    ['with Content-Length', withLength, large.length],
    ['without', chunked, 2.2 * large.length],
  ] as const;

  test.each(both)('an answer %s waits until another is let go, without a time-out', async (_, sends, roomBytes) => {
    const { client } = await aWorld([sends], { roomBytes, timeoutMs: 300 });
    const [first, second] = [await client.get('/x', company), await client.get('/x', company)];
    let isThere = false;
    const third = client.get('/x', company).finally(() => {
      isThere = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 1_000)); // three times the time-out
    expect(isThere).toBe(false);
    first[Symbol.dispose]();
    expect(String((await third).text.bytes)).toBe(large);
    expect(String(second.text.bytes)).toBe(large);
  });

  test.each(both)('an answer %s that waits ends with an abort, and takes no room then', async (_, sends, roomBytes) => {
    const { client } = await aWorld([sends], { roomBytes });
    const [first, second] = [await client.get('/x', company), await client.get('/x', company)];
    const abort = new AbortController();
    const third = client.get('/x', { ...company, signal: abort.signal });
    setTimeout(() => abort.abort(new Error('enough')), 100);
    await expect(third).rejects.toThrow('enough');
    first[Symbol.dispose]();
    second[Symbol.dispose]();
    using _fourth = await client.get('/x', company);
    using _fifth = await client.get('/x', company);
  });

  test('what was read of an answer is there when it was let go; its bytes are not', async () => {
    const { client } = await aWorld([withLength]);
    const { text, [Symbol.dispose]: letGo } = await client.get('/x', { ...company, fields: new Set(['id']) });
    letGo();
    letGo();
    expect(text).toMatchObject({ fields: [{ id: '1' }], bytes: { length: 0 } });
  });

  const failing: readonly (readonly [string, Answer[], Partial<ProcoreClientOptions>])[] = [
    ['that is no JSON', [answer(200, `[${'1'.repeat(500_000)}`)], {}],
    ['that ends within its body', [resetWithinBody], {}],
    ['that stalls', [stallWithinBody], { timeoutMs: 200 }],
    ['that is refused', [answer(422, large)], {}],
    ['that is too large', [withLength], { maxAnswerBytes: 1000 }],
    ['that is too large and does not say so', [chunked], { maxAnswerBytes: 1000 }],
    ['of which nobody can be told', [withLength], { afterCall: () => Promise.reject(new Error('no')) }],
  ];
  test.each(failing)('an answer %s leaves none taken', async (_, sends, options) => {
    const { client } = await aWorld(sends, { roomBytes: 1000, ...options });
    for (let time = 0; time < 3; time += 1) await expect(client.get('/x', company)).rejects.toThrow();
  });

  test('a page is let go when the next is asked for, and when nobody reads on', async () => {
    const paged: Answer = (response) => {
      response.writeHead(200, { 'content-type': 'application/json', link: `</p?${Math.random()}>; rel="next"` });
      response.end(large);
    };
    const { client } = await aWorld([paged], { roomBytes: 1000 });
    for (let time = 0; time < 3; time += 1) {
      let pages = 0;
      const read = ({ text }: ProcoreAnswer) => ({ text, ids: [], records: 1, groups: 1 });
      for await (const { text } of client.pages('/p', { ...company, perPage: 1, read })) {
        expect(text.bytes).toHaveLength(large.length);
        pages += 1;
        if (pages === 3) break;
      }
    }
  });

  test('of many who read at once each gives it back, whatever comes and whenever they stop', async () => {
    const page = JSON.stringify([{ id: 1, text: 'x'.repeat(2000) }]);
    const kinds: ((response: ServerResponse, headers: Record<string, string>) => unknown)[] = [
      (response, headers) => response.writeHead(200, headers).end(page),
      (response, headers) => response.writeHead(200, { ...headers, 'content-length': page.length }).end(page),
      (response, headers) => response.writeHead(200, { ...headers, 'content-length': page.length + 500 }).end(page),
      (response, headers) => response.writeHead(200, headers).end(page.slice(0, -3)),
      (response, headers) => response.writeHead(200, headers).end(`${page}${' '.repeat(6000)}`),
      (response, headers) => response.writeHead(500, headers).end(page),
      (response) => response.destroy(),
      (response) => response.writeHead(200).write(page.slice(0, 50)),
    ];
    const anything: Answer = (response, _, index) =>
      kinds[(index * 7) % kinds.length]?.(response, { link: `</p?${index}>; rel="next"` });
    const { client } = await aWorld([anything], { timeoutMs: 200, roomBytes: 3000, maxAnswerBytes: 8000 });
    const readSome = async (reader: number) => {
      const signal = reader % 3 === 0 ? AbortSignal.timeout(1 + reader * 3) : undefined;
      const read = ({ text }: ProcoreAnswer) => {
        if (reader % 5 === 0) throw new Error('the reader');
        return { text, ids: [], records: 1, groups: 1 };
      };
      let pages = 0;
      for await (const _ of client.pages('/p', { ...company, signal, perPage: 10, maxPages: 6, read })) {
        pages += 1;
        if (pages > reader % 4) break;
      }
    };
    await Promise.allSettled(Array.from({ length: 24 }, (_, reader) => readSome(reader)));
    const one = async () => {
      using _ = await client.get('/x', company).catch(() => null);
    };
    await Promise.all(Array.from({ length: 10 }, one));
  });

  test('characters that are none come as U+FFFD', async () => {
    const { client } = await aWorld([(response) => response.writeHead(200).end(Buffer.from('["\xe9"]', 'latin1'))]);
    expect(String((await client.get('/x', company)).text.bytes)).toBe('["\ufffd"]');
  });
});
