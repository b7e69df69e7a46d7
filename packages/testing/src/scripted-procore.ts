// A Procore that the test scripts, in the simulator's place: it signs everybody in, and answers what the test says, at once,
// late, or something else for a while.
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Asked = {
  /** The company named in the header. */
  companyId: string;
  path: string;
  query: URLSearchParams;
  /** When it came, in milliseconds of a clock that nobody sets. */
  at: number;
};

/** `text`: instead of a body, as it stands. */
export type Answer = { status?: number; body?: unknown; text?: string; headers?: Record<string, string> };

/** Which requests are meant. */
type Which = (asked: Asked) => boolean;

export type Hold = {
  /** Resolves when the request is there; rejects when none came for two minutes. */
  reached: Promise<Asked>;
  /** Lets it be answered with what Procore had to say when it came. */
  release: () => void;
};

export type ScriptedProcore = {
  url: string;
  /** Every request so far but those to sign in, in order. */
  asked: Asked[];
  /** What it answers, decided at the moment of the request; 404 until the test says something. */
  answer: (asked: Asked) => Answer;
  /** From now on such requests get what `change` makes of the answer; `end` puts that to an end. Later changes see what earlier ones made. */
  intercept: (which: Which, change: (answer: Answer, asked: Asked) => Answer | Promise<Answer>) => { end: () => void };
  /** Holds the next such request back until it is released. Others like it pass. */
  hold: (which: Which) => Hold;
  close: () => Promise<void>;
};

type Interception = { which: Which; change: (answer: Answer, asked: Asked) => Answer | Promise<Answer> };

const REACHED_WITHIN_MS = 120_000;

/** Starts the server. Its rate-limit headers leave calls in plenty, unless an answer has its own. */
export async function startScriptedProcore(): Promise<ScriptedProcore> {
  const interceptions = new Set<Interception>();
  const releases = new Set<() => void>();

  async function answerTo(request: IncomingMessage): Promise<Answer> {
    const { pathname: path, searchParams: query } = new URL(request.url ?? '/', 'http://procore');
    if (path === '/oauth/token') return { body: TOKEN };
    const asked = { companyId: String(request.headers['procore-company-id']), path, query, at: performance.now() };
    procore.asked.push(asked);
    let answer = procore.answer(asked);
    for (const { change } of [...interceptions].filter(({ which }) => which(asked)))
      answer = await change(answer, asked);
    return answer;
  }

  const server = createServer((request, response) => {
    answerTo(request.resume()).then(
      ({ status = 200, body = {}, text = JSON.stringify(body), headers = {} }) => {
        response.writeHead(status, { 'content-type': 'application/json', ...plenty(), ...headers });
        response.end(text);
      },
      (error: unknown) => response.destroy(error instanceof Error ? error : new Error(String(error))),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // listening on TCP, so this is its address

  const intercept: ScriptedProcore['intercept'] = (which, change) => {
    const interception = { which, change };
    interceptions.add(interception);
    return { end: () => void interceptions.delete(interception) };
  };
  const procore: ScriptedProcore = {
    url: `http://127.0.0.1:${port}`,
    asked: [],
    answer: () => ({ status: 404 }),
    intercept,
    hold: (which) => {
      const reached = Promise.withResolvers<Asked>();
      const released = Promise.withResolvers<void>();
      const never = new Error(`no such request came within ${REACHED_WITHIN_MS / 1000} s`);
      const timer = setTimeout(() => reached.reject(never), REACHED_WITHIN_MS).unref();
      reached.promise.catch(() => null); // a test need not wait for it
      releases.add(released.resolve);
      const holding = intercept(which, async (answer, asked) => {
        holding.end();
        clearTimeout(timer);
        reached.resolve(asked);
        await released.promise;
        return answer;
      });
      return { reached: reached.promise, release: released.resolve };
    },
    close: async () => {
      for (const release of releases) release();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return procore;
}

const TOKEN = { access_token: 'a-token-of-the-scripted-procore', token_type: 'Bearer', expires_in: 5400 };

function plenty(): Record<string, string> {
  return {
    'x-rate-limit-limit': '1000000',
    'x-rate-limit-remaining': '999999',
    'x-rate-limit-reset': String(Math.ceil(Date.now() / 1000) + 3600),
  };
}
