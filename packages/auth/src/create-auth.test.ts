import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { inspect } from 'node:util';
import { afterEach, expect, test, vi } from 'vitest';
import { type Auth, createAuth } from './create-auth.ts';
import { AuthError } from './errors.ts';

const clientSecret = 'the-client-secret-0123456789';
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

type Reply = { status?: number; headers?: Record<string, string>; body?: unknown };
type Question = { number: number; form: URLSearchParams; request: IncomingMessage };

const aToken = (number: number, expiresIn: unknown = 900): Reply => ({
  body: { access_token: `token-${number}`, token_type: 'bearer', expires_in: expiresIn, created_at: 1_700_000_000 },
});

/** A login server that answers each question as told; a reply of null leaves the question unanswered. */
async function aLoginServer(reply: (question: Question) => Reply | null | Promise<Reply | null>) {
  const questions: Question[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const question = { number: questions.length + 1, form: new URLSearchParams(await text(request)), request };
    questions.push(question);
    const said = await reply(question);
    if (said === null) return;
    response.writeHead(said.status ?? 200, { 'content-type': 'application/json', ...said.headers });
    response.end(typeof said.body === 'string' ? said.body : JSON.stringify(said.body ?? null));
  };
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { loginUrl: new URL(`http://127.0.0.1:${port}`), questions };
}

const credentials = () => ({ clientId: 'the-client', clientSecret });

function anAuth(loginUrl: URL, options: Partial<Parameters<typeof createAuth>[0]> = {}): Auth {
  const auth = createAuth({ loginUrl, credentials, random: () => 0.5, ...options });
  closers.push(auth.close);
  return auth;
}

async function failureOf(promise: Promise<unknown>): Promise<AuthError> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof AuthError)) throw new Error('no AuthError', { cause: error });
  return error;
}

/** A promise that the test opens when it wants a server to go on. */
const aGate = () => Promise.withResolvers<void>();

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('asks by the client credentials grant, with the credentials in the form', async () => {
  const { loginUrl, questions } = await aLoginServer(({ number }) => aToken(number));
  expect(await anAuth(loginUrl).token()).toBe('token-1');
  const { form, request } = questions[0]!;
  expect([request.method, request.url]).toEqual(['POST', '/oauth/token']);
  expect(request.headers['content-type']).toMatch(/^application\/x-www-form-urlencoded/);
  expect(request.headers.authorization).toBeUndefined();
  expect(Object.fromEntries(form)).toEqual({
    grant_type: 'client_credentials',
    client_id: 'the-client',
    client_secret: clientSecret,
  });
});

test('keeps a path of the login address', async () => {
  const { loginUrl, questions } = await aLoginServer(({ number }) => aToken(number));
  await anAuth(new URL('/login', loginUrl)).token();
  expect(questions[0]?.request.url).toBe('/login/oauth/token');
});

test('asks once for any number of callers', async () => {
  const gate = aGate();
  const { loginUrl, questions } = await aLoginServer(async ({ number }) => {
    await gate.promise;
    return aToken(number);
  });
  const auth = anAuth(loginUrl);
  const tokens = Array.from({ length: 50 }, () => auth.token());
  await vi.waitFor(() => expect(questions).toHaveLength(1));
  gate.resolve();
  expect(new Set(await Promise.all(tokens))).toEqual(new Set(['token-1']));
  expect(await auth.token()).toBe('token-1');
  expect(questions).toHaveLength(1);
});

test('a caller that gives up leaves the others waiting, and keeps its reason', async () => {
  const gate = aGate();
  const { loginUrl, questions } = await aLoginServer(async ({ number }) => {
    await gate.promise;
    return aToken(number);
  });
  const auth = anAuth(loginUrl);
  const impatient = new AbortController();
  const first = auth.token(impatient.signal);
  const second = auth.token(new AbortController().signal);
  await vi.waitFor(() => expect(questions).toHaveLength(1));
  impatient.abort(new Error('no time'));
  await expect(first).rejects.toThrow('no time');
  await expect(auth.token(impatient.signal)).rejects.toThrow('no time');
  gate.resolve();
  expect(await second).toBe('token-1');
  expect(questions).toHaveLength(1);
});

test('a question whose only caller gave up harms nobody, even if it fails', async () => {
  const gate = aGate();
  const { loginUrl, questions } = await aLoginServer(async ({ number }) => {
    if (number > 1) return aToken(number);
    await gate.promise;
    return { status: 429 };
  });
  let clock = 0;
  const auth = anAuth(loginUrl, { now: () => clock });
  const impatient = new AbortController();
  const waiting = auth.token(impatient.signal);
  await vi.waitFor(() => expect(questions).toHaveLength(1));
  impatient.abort();
  await expect(waiting).rejects.toThrow();
  gate.resolve();
  await vi.waitFor(async () => {
    clock += 2_000;
    expect(await auth.token()).toBe('token-2');
  });
});

test('renews ahead of the end while callers keep getting the token that is still valid', async () => {
  const gates = [aGate(), aGate()];
  const { loginUrl, questions } = await aLoginServer(async ({ number }) => {
    await gates[number - 1]?.promise;
    return aToken(number, 3);
  });
  let clock = 1_000_000;
  const auth = anAuth(loginUrl, { now: () => clock });
  gates[0]?.resolve();
  expect(await auth.token()).toBe('token-1');
  clock += 2_399;
  expect(await auth.token()).toBe('token-1');
  await settled();
  expect(questions).toHaveLength(1);
  clock += 1;
  for (let call = 0; call < 20; call++) expect(await auth.token()).toBe('token-1');
  await vi.waitFor(() => expect(questions).toHaveLength(2));
  gates[1]?.resolve();
  await vi.waitFor(async () => expect(await auth.token()).toBe('token-2'));
  expect(questions).toHaveLength(2);
});

test('a token that is over is not given out: callers wait for the new one', async () => {
  const { loginUrl, questions } = await aLoginServer(({ number }) => aToken(number, 3));
  let clock = 0;
  const auth = anAuth(loginUrl, { now: () => clock });
  expect(await auth.token()).toBe('token-1');
  clock = 3_000;
  expect(await Promise.all([auth.token(), auth.token()])).toEqual(['token-2', 'token-2']);
  expect(questions).toHaveLength(2);
});

test('real tokens of three seconds never run out under a busy caller, at about one question for each', async () => {
  const endsAt = new Map<string, number>();
  const { loginUrl, questions } = await aLoginServer(({ number }) => {
    endsAt.set(`token-${number}`, Date.now() + 3_000);
    return aToken(number, 3);
  });
  const auth = anAuth(loginUrl, { random: Math.random });
  let calls = 0;
  while (endsAt.size < 3 && calls < 10_000) {
    const askedAt = Date.now();
    const token = await auth.token();
    calls++;
    expect(askedAt).toBeLessThan(endsAt.get(token) ?? 0);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(endsAt.size).toBe(3);
  expect(questions).toHaveLength(3);
});

test('a server that hands out one and the same token until it ends is not asked in a loop', async () => {
  let clock = 0;
  const { loginUrl, questions } = await aLoginServer(() => aToken(1, Math.ceil((300_000 - clock) / 1_000)));
  const auth = anAuth(loginUrl, { now: () => clock });
  while (clock < 299_000) {
    expect(await auth.token()).toBe('token-1');
    await settled();
    clock += 50;
  }
  expect(questions.length).toBeLessThan(30);
});

test('after refuse(), the next call gets a new token', async () => {
  const { loginUrl } = await aLoginServer(({ number }) => aToken(number));
  const auth = anAuth(loginUrl);
  expect(await auth.token()).toBe('token-1');
  auth.refuse('token-1');
  expect(await auth.token()).toBe('token-2');
});

test('many refusals of one token cost one question, and late ones do not drop the new token', async () => {
  const { loginUrl, questions } = await aLoginServer(({ number }) => aToken(number));
  const auth = anAuth(loginUrl);
  const token = await auth.token();
  const again = Array.from({ length: 20 }, () => {
    auth.refuse(token);
    return auth.token();
  });
  expect(new Set(await Promise.all(again))).toEqual(new Set(['token-2']));
  auth.refuse(token);
  auth.refuse('unknown');
  expect(await auth.token()).toBe('token-2');
  expect(questions).toHaveLength(2);
});

test.each([
  { name: 'invalid_client', reply: { status: 401, body: { error: 'invalid_client' } } },
  {
    name: 'invalid_client with a challenge, as Doorkeeper answers',
    reply: {
      status: 401,
      headers: { 'www-authenticate': 'Bearer realm="Doorkeeper", error="invalid_client"' },
      body: { error: 'invalid_client', error_description: 'Client authentication failed' },
    },
  },
  { name: 'unauthorized_client', reply: { status: 400, body: { error: 'unauthorized_client' } } },
  { name: 'unsupported_grant_type', reply: { status: 400, body: { error: 'unsupported_grant_type' } } },
])(
  'after $name calls fail at once with the same error, until a probe is due that succeeds',
  async ({ name, reply }) => {
    const { loginUrl, questions } = await aLoginServer(({ number }) => (number < 3 ? reply : aToken(number)));
    let clock = 0;
    const auth = anAuth(loginUrl, { now: () => clock });
    const [error, same] = await Promise.all([failureOf(auth.token()), failureOf(auth.token())]);
    expect(error.reason).toBe('rejected');
    expect(error.message).toContain(`(${name.split(' ')[0]})`);
    expect(error.message).toContain('PROCORE_CLIENT_SECRET');
    expect(same).toBe(error);
    clock += 19_999;
    auth.refuse('token-1');
    for (let call = 0; call < 20; call++) expect(await failureOf(auth.token())).toBe(error);
    expect(questions).toHaveLength(1);
    clock += 1;
    const probed = await Promise.all(Array.from({ length: 20 }, () => failureOf(auth.token())));
    expect(new Set(probed.map(({ reason }) => reason))).toEqual(new Set(['rejected']));
    expect(questions).toHaveLength(2);
    clock += 20_000;
    expect(await auth.token()).toBe('token-3');
  },
);

test('the longer a rejection lasts, the rarer the probes: about 27 on its first day', async () => {
  const { loginUrl, questions } = await aLoginServer(() => ({ status: 401, body: { error: 'invalid_client' } }));
  let clock = 0;
  const auth = anAuth(loginUrl, { now: () => clock });
  for (; clock < 86_400_000; clock += 10_000) await failureOf(auth.token());
  expect(questions.length).toBeGreaterThan(20);
  expect(questions.length).toBeLessThan(30);
});

test('another secret is tried at once, however long the old one was rejected, and its own pauses begin anew', async () => {
  const { loginUrl, questions } = await aLoginServer(({ number, form }) =>
    form.get('client_secret') === 'the-right-secret'
      ? aToken(number)
      : { status: 401, body: { error: 'invalid_client' } },
  );
  let clock = 0;
  let secret = 'the-old-secret';
  const troubles: (string | undefined)[] = [];
  const auth = anAuth(loginUrl, {
    now: () => clock,
    credentials: () => ({ clientId: 'the-client', clientSecret: secret }),
    onTrouble: (trouble) => troubles.push(trouble?.reason),
  });
  for (; clock < 40_000_000; clock += 1_000_000) await failureOf(auth.token());
  const before = questions.length;
  secret = 'another-wrong-secret';
  await failureOf(auth.token());
  await failureOf(auth.token());
  expect(questions).toHaveLength(before + 1);
  clock += 20_000;
  await failureOf(auth.token());
  expect(questions).toHaveLength(before + 2);
  secret = 'the-right-secret';
  expect(await auth.token()).toBe(`token-${before + 3}`);
  expect(troubles).toEqual(['rejected', 'rejected', undefined]);
});

test('trouble is told when it begins, when its kind changes and when it ends, not with every call', async () => {
  const replies: Record<number, Reply> = { 1: { status: 403 }, 2: { status: 403 }, 4: { status: 403 } };
  const { loginUrl } = await aLoginServer(({ number }) =>
    number > 4 ? aToken(number) : (replies[number] ?? { status: 400, body: { error: 'invalid_client' } }),
  );
  let clock = 0;
  const told: (string | undefined)[] = [];
  const auth = anAuth(loginUrl, { now: () => clock, onTrouble: (trouble) => told.push(trouble?.reason) });
  expect(auth.trouble()).toBeNull();
  for (const trouble of ['answered 403', 'answered 403', 'rejects the service account', 'answered 403']) {
    for (let call = 0; call < 5; call++) await failureOf(auth.token());
    expect(auth.trouble()).toContain(trouble);
    clock += 60_000;
  }
  expect(await auth.token()).toBe('token-5');
  expect(auth.trouble()).toBeNull();
  expect(told).toEqual(['unreachable', 'rejected', 'unreachable', undefined]);
});

test('a clock that is set back does not prolong a pause', async () => {
  const { loginUrl } = await aLoginServer(({ number }) => (number === 1 ? { status: 403 } : aToken(number)));
  let clock = 86_400_000;
  const auth = anAuth(loginUrl, { now: () => clock });
  await failureOf(auth.token());
  clock = 0;
  expect(await auth.token()).toBe('token-2');
});

test('a rejection while renewing ahead ends the use of the token that is still valid', async () => {
  const { loginUrl, questions } = await aLoginServer(({ number }) =>
    number === 1 ? aToken(1, 100) : { status: 401, body: { error: 'invalid_client' } },
  );
  let clock = 0;
  const auth = anAuth(loginUrl, { now: () => clock });
  await auth.token();
  clock = 90_000;
  expect(await auth.token()).toBe('token-1');
  await vi.waitFor(async () => expect((await failureOf(auth.token())).reason).toBe('rejected'));
  expect(questions).toHaveLength(2);
});

test.each([500, 502, 503, 408])('a %i is asked again, and the token that follows is used', async (status) => {
  const { loginUrl, questions } = await aLoginServer(({ number }) => (number === 1 ? { status } : aToken(number)));
  expect(await anAuth(loginUrl).token()).toBe('token-2');
  expect(questions).toHaveLength(2);
});

test('a server in trouble is asked three times, then left alone for a moment', async () => {
  let healthy = false;
  const { loginUrl, questions } = await aLoginServer(({ number }) => (healthy ? aToken(number) : { status: 500 }));
  let clock = 0;
  const auth = anAuth(loginUrl, { now: () => clock });
  const error = await failureOf(auth.token());
  expect([error.reason, error.message]).toEqual(['unreachable', `the login server ${loginUrl.origin} answered 500`]);
  expect(questions).toHaveLength(3);
  healthy = true;
  for (let call = 0; call < 20; call++) expect(await failureOf(auth.token())).toBe(error);
  expect(questions).toHaveLength(3);
  clock += 1_000;
  expect(await auth.token()).toBe('token-4');
});

test('the longer a server is in trouble, the longer it is left alone, up to a minute, one question at a time', async () => {
  let healthy = false;
  const { loginUrl, questions } = await aLoginServer(({ number }) => (healthy ? aToken(number) : { status: 500 }));
  let clock = 0;
  const auth = anAuth(loginUrl, { now: () => clock });
  const askedAt: number[] = [];
  for (; clock < 600_000; clock += 1_000) {
    const before = questions.length;
    await failureOf(auth.token());
    if (questions.length > before) askedAt.push(clock / 1_000);
  }
  expect(askedAt.slice(0, 8)).toEqual([0, 1, 2, 3, 5, 8, 12, 18]);
  expect(questions).toHaveLength(askedAt.length + 2); // the first question was asked three times
  expect(askedAt.at(-1)! - askedAt.at(-2)!).toBe(60);
  healthy = true;
  clock += 60_000;
  await auth.token();
});

test.each([429, 503])('a %i with Retry-After is left alone for that long', async (status) => {
  const { loginUrl, questions } = await aLoginServer(({ number }) =>
    number === 1 ? { status, headers: { 'retry-after': '30' } } : aToken(number),
  );
  let clock = 0;
  const auth = anAuth(loginUrl, { now: () => clock });
  expect((await failureOf(auth.token())).reason).toBe('unreachable');
  clock = 29_999;
  expect((await failureOf(auth.token())).reason).toBe('unreachable');
  expect(questions).toHaveLength(1);
  clock = 30_000;
  expect(await auth.token()).toBe('token-2');
});

test('trouble while renewing ahead does not touch the token that is still valid, nor lead to a loop', async () => {
  const { loginUrl, questions } = await aLoginServer(({ number }) =>
    number === 1 ? aToken(1, 100) : { status: 429, headers: { 'retry-after': '5' } },
  );
  let clock = 0;
  const auth = anAuth(loginUrl, { now: () => clock });
  await auth.token();
  clock = 90_000;
  for (let call = 0; call < 500; call++) {
    expect(await auth.token()).toBe('token-1');
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  expect(questions).toHaveLength(2);
  clock = 96_000;
  expect(await auth.token()).toBe('token-1');
  await vi.waitFor(() => expect(questions).toHaveLength(3));
  clock = 100_000;
  expect((await failureOf(auth.token())).reason).toBe('unreachable');
});

test.each([
  ['no JSON', '<html>maintenance</html>'],
  ['an array', []],
  ['null', null],
  ['no token', { token_type: 'bearer', expires_in: 900 }],
  ['a token that fits no header', { access_token: 'to\nken', token_type: 'bearer', expires_in: 900 }],
  ['another kind of token', { access_token: 'token-1', token_type: 'mac', expires_in: 900 }],
  ['more than a token can be', `{"access_token":"${'x'.repeat(100_000)}","token_type":"bearer","expires_in":900}`],
])('%s where a token was expected is unreachable, and said so', async (_, body) => {
  const { loginUrl } = await aLoginServer(() => ({ body }));
  const error = await failureOf(anAuth(loginUrl).token());
  expect(error.reason).toBe('unreachable');
  expect(error.message).toContain('answered 200, but not with a bearer token');
  expect(inspect(error, { depth: 10 })).not.toContain('token-1');
});

test.each([
  [{ status: 302, headers: { location: 'http://127.0.0.1:9/elsewhere' } }],
  [{ status: 404, body: { error: 'not_found' } }],
  [{ status: 400, body: { error: 'invalid_request' } }],
  [{ status: 403, body: 'blocked' }],
  [{ status: 401, body: '<html>who are you?</html>' }],
  [{ status: 401, body: { error: 'login_required' } }],
  [{ status: 401, body: { errors: ['invalid_client'] } }],
  [{ status: 401, body: '"invalid_client"' }],
  [{ status: 302, headers: { location: 'http://127.0.0.1:9/' }, body: { error: 'invalid_client' } }],
  [{ status: 203, body: { error: 'invalid_client' } }],
])('%j is unreachable, points at the address, and is followed nowhere', async (reply) => {
  const { loginUrl, questions } = await aLoginServer(() => reply);
  const error = await failureOf(anAuth(loginUrl).token());
  expect(error.reason).toBe('unreachable');
  expect(error.message).toContain(`answered ${reply.status} where a token was expected: is PROCORE_LOGIN_URL right?`);
  expect(questions).toHaveLength(1);
});

test.each([
  ['optional members that are null', { scope: null, refresh_token: null, created_at: null, id_token: null }],
  ['optional members that are empty', { scope: '', refresh_token: '', created_at: '', id_token: '', error: '' }],
  ['optional members of other kinds', { scope: [], refresh_token: {}, created_at: 'today', id_token: 'no JWT' }],
  ['a kind of token in capitals', { token_type: 'BEARER' }],
  ['a lifetime as text', { expires_in: '900' }],
])('a token with %s is a good token', async (_, members) => {
  const { loginUrl } = await aLoginServer(({ number }) => ({ body: { ...Object(aToken(number).body), ...members } }));
  expect(await anAuth(loginUrl).token()).toBe('token-1');
});

test.each([
  ['no lifetime', undefined],
  ['a lifetime of null', null],
  ['an empty lifetime', ''],
  ['a lifetime of zero', 0],
  ['a part of a second', 0.5],
  ['a negative lifetime', -5],
  ['a negative lifetime as text', '-5'],
  ['a lifetime in words', 'soon'],
  ['a lifetime that is no number', 'NaN'],
  ['a lifetime of another kind', [900]],
])('a token with %s is a good token for a few minutes', async (_, expires_in) => {
  let clock = 0;
  const { loginUrl, questions } = await aLoginServer(({ number }) => ({
    body: { ...Object(aToken(number).body), expires_in },
  }));
  const auth = anAuth(loginUrl, { now: () => clock });
  expect(await auth.token()).toBe('token-1');
  clock = 200_000;
  expect(await auth.token()).toBe('token-1');
  expect(questions).toHaveLength(1);
  clock = 300_000;
  expect(await auth.token()).toBe('token-2');
});

test('a token whose lifetime is beyond all numbers is a good token for a few minutes', async () => {
  let clock = 0;
  const { loginUrl } = await aLoginServer(({ number }) => ({
    body: `{"access_token":"token-${number}","token_type":"bearer","expires_in":1e999}`,
  }));
  const auth = anAuth(loginUrl, { now: () => clock });
  expect(await auth.token()).toBe('token-1');
  clock = 300_000;
  expect(await auth.token()).toBe('token-2');
});

test('a token after a byte order mark is a good token', async () => {
  const { loginUrl } = await aLoginServer(({ number }) => ({ body: `\uFEFF${JSON.stringify(aToken(number).body)}` }));
  expect(await anAuth(loginUrl).token()).toBe('token-1');
});

test('a proxy that wants credentials of its own is trouble on the way', async () => {
  const headers = { 'proxy-authenticate': 'Basic' };
  const { loginUrl } = await aLoginServer(() => ({ status: 407, headers, body: { error: 'invalid_client' } }));
  expect((await failureOf(anAuth(loginUrl).token())).reason).toBe('unreachable');
});

test('a server that does not answer is given up after the time-out, and asked again later', async () => {
  let awake = false;
  const { loginUrl } = await aLoginServer(() => (awake ? aToken(2) : null));
  let clock = 0;
  const auth = anAuth(loginUrl, { timeoutMs: 500, now: () => clock });
  const error = await failureOf(auth.token());
  expect(error.reason).toBe('unreachable');
  expect(error.message).toBe(`the login server ${loginUrl.origin} gave no answer in 500 ms`);
  awake = true;
  await vi.waitFor(
    async () => {
      clock += 2_000;
      expect(await auth.token()).toBe('token-2');
    },
    { timeout: 30_000 },
  );
});

test('an answer that never ends is given up after the time-out', async () => {
  const server = createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{"access_token":"');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(async () => server.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const error = await failureOf(anAuth(new URL(`http://127.0.0.1:${port}`), { timeoutMs: 100 }).token());
  expect(error.message).toContain('gave no answer in 100 ms');
});

test('a server that is not there is unreachable, and the error says why', async () => {
  const { loginUrl } = await aLoginServer(() => null);
  await closers.pop()?.();
  const error = await failureOf(anAuth(loginUrl).token());
  expect(error.reason).toBe('unreachable');
  expect(error.message).toMatch(/cannot be reached \(.*ECONNREFUSED/);
});

test('several credentials live side by side', async () => {
  const { loginUrl, questions } = await aLoginServer(({ form }) =>
    form.get('client_id') === 'bad'
      ? { status: 401, body: { error: 'invalid_client' } }
      : { body: { access_token: `token-of-${form.get('client_id')}`, token_type: 'Bearer', expires_in: 900 } },
  );
  const [one, two, bad] = ['one', 'two', 'bad'].map((clientId) =>
    anAuth(loginUrl, { credentials: () => ({ clientId, clientSecret }) }),
  );
  expect(await Promise.all([one?.token(), two?.token()])).toEqual(['token-of-one', 'token-of-two']);
  expect((await failureOf(bad!.token())).reason).toBe('rejected');
  one?.refuse('token-of-one');
  expect(await Promise.all([one?.token(), two?.token()])).toEqual(['token-of-one', 'token-of-two']);
  expect(questions.map(({ form }) => form.get('client_id')).toSorted()).toEqual(['bad', 'one', 'one', 'two']);
});

test('onSecret learns of each token before any caller has it', async () => {
  const known: string[] = [];
  const { loginUrl } = await aLoginServer(({ number }) => aToken(number));
  const auth = anAuth(loginUrl, { onSecret: (token) => known.push(token) });
  const token = await auth.token();
  expect(known).toEqual([token]);
  auth.refuse(token);
  expect(known).not.toContain('token-2');
  expect(known).toContain(await auth.token());
});

test.each([
  { status: 401, body: { error: 'invalid_client', error_description: `${clientSecret} secret-token` } },
  { status: 400, body: { error: `${clientSecret}`, access_token: 'secret-token' } },
  { status: 200, body: { access_token: 'secret-token', token_type: 'odd', expires_in: 900 } },
  { status: 200, body: `{"access_token":"secret-token","client_secret":"${clientSecret}"` },
  { status: 500, body: clientSecret, headers: { 'x-token': 'secret-token' } },
  { status: 302, headers: { location: `http://127.0.0.1:9/?client_secret=${clientSecret}&token=secret-token` } },
])('no error holds the secret or a token, however deep one looks (%j)', async (reply) => {
  const { loginUrl } = await aLoginServer(() => reply);
  const error = await failureOf(anAuth(loginUrl).token());
  const everything = inspect(error, { depth: 10, showHidden: true }) + JSON.stringify(error) + error.stack;
  expect(everything).not.toContain(clientSecret);
  expect(everything).not.toContain('secret-token');
});

test('an answer that is no HTTP is unreachable, and does not end up in the error', async () => {
  const server = createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => socket.end('secret-token is not HTTP\r\n\r\n'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(async () => server.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const error = await failureOf(anAuth(new URL(`http://127.0.0.1:${port}`)).token());
  expect(error.reason).toBe('unreachable');
  expect(error.cause).toBeInstanceOf(Error);
  expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('secret-token');
});

test('close ends what is under way, and calls fail from then on', async () => {
  const { loginUrl, questions } = await aLoginServer(() => null);
  const auth = anAuth(loginUrl);
  const waiting = auth.token();
  waiting.catch(() => {});
  await vi.waitFor(() => expect(questions).toHaveLength(1));
  await auth.close();
  await expect(waiting).rejects.toThrow('no more tokens');
  await expect(auth.token()).rejects.toThrow('no more tokens');
  await auth.close();
});

test.each(['http://login.example.com', 'http://127.0.0.1.example.com', 'ftp://127.0.0.1'])(
  'credentials do not travel to %s',
  (url) => {
    expect(() => createAuth({ loginUrl: new URL(url), credentials })).toThrow(/over https/);
  },
);
