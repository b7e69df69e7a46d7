// A Procore whose lists and records are as large as the bench says. It signs everybody in.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type LargeAnswers = {
  pages: number;
  /** On each page. */
  records: number;
  recordBytes: number;
  /** Without Content-Length. */
  isChunked: boolean;
};

const TOKEN = { access_token: 'a-token-of-the-bench', token_type: 'Bearer', expires_in: 5400 };
const CHUNK = 64 * 1024;
/** As people type: most of it is Latin, and one character in some hundred is not. */
const PARAGRAPH = `Anchor bolts at grid line C/4 don’t match the approved shop drawing – see détail 7, level 2. Please advise.\\n`;

/** Starts the server, which gives `records` to a page whatever it is asked for; lists of Tasks have `project_id` in the query, the path of a show ends with the id. */
export async function startLargeAnswers(large: LargeAnswers): Promise<{ url: string; close: () => Promise<void> }> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://procore');
    request.resume();
    if (url.pathname === '/oauth/token') {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(TOKEN));
      return;
    }
    const id = /\/tasks\/(\d+)$/.exec(url.pathname)?.[1];
    const page = Number(url.searchParams.get('page') ?? 1);
    const body =
      id === undefined
        ? listOf(large, Number(url.searchParams.get('project_id')), page)
        : Buffer.from(recordOf(Number(id), large.recordBytes));
    url.searchParams.set('page', String(page + 1));
    response.writeHead(200, {
      'content-type': 'application/json',
      ...plenty(),
      ...(id === undefined ? { total: String(large.pages * large.records), 'per-page': String(large.records) } : {}),
      ...(id === undefined && page < large.pages ? { link: `<${url.pathname}${url.search}>; rel="next"` } : {}),
      ...(large.isChunked ? {} : { 'content-length': String(body.length) }),
    });
    for (let at = 0; at < body.length; at += CHUNK) response.write(body.subarray(at, at + CHUNK));
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // listening on TCP, so this is its address
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function listOf({ pages, records, recordBytes }: LargeAnswers, projectId: number, page: number): Buffer {
  const first = projectId * 1_000_000 + (page - 1) * records;
  const length = page <= pages ? records : 0;
  return Buffer.from(`[${Array.from({ length }, (_, n) => recordOf(first + n, recordBytes)).join(',')}]`);
}

function recordOf(id: number, bytes: number): string {
  const text = PARAGRAPH.repeat(Math.ceil(bytes / Buffer.byteLength(PARAGRAPH)));
  return `{"id":${id},"title":"Task ${id}","status":"initiated","updated_at":"2026-06-30T12:00:00Z","description":"${text}"}`;
}

function plenty(): Record<string, string> {
  return {
    'x-rate-limit-limit': '1000000',
    'x-rate-limit-remaining': '999999',
    'x-rate-limit-reset': String(Math.ceil(Date.now() / 1000) + 3600),
  };
}
