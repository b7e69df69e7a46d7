// A request as the simulator reads it and the answer it gives, without the server in between.
import type { IncomingMessage } from 'node:http';

export type Call = {
  method: string;
  path: string;
  query: URLSearchParams;
  /** Scheme and host that the caller used, for links. */
  origin: string;
  authorization: string;
  companyHeader: string | undefined;
  body: string;
};

export type Answer = { status: number; headers?: Record<string, string>; body: string };

const LONGEST_BODY = 64 * 1024 * 1024;

/** Reads the whole request; throws RangeError when it is longer than 64 MiB. */
export async function readCall(request: IncomingMessage): Promise<Call> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > LONGEST_BODY) throw new RangeError('the body is longer than 64 MiB');
    parts.push(part);
  }
  const origin = `http://${request.headers.host ?? 'localhost'}`;
  const url = new URL(originalUrl(request), origin);
  const companyHeader = request.headers['procore-company-id'];
  return {
    method: request.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    origin,
    authorization: request.headers.authorization ?? '',
    companyHeader: Array.isArray(companyHeader) ? companyHeader[0] : companyHeader,
    body: Buffer.concat(parts).toString('utf8'),
  };
}

/** Express takes the mount path out of `url`. */
function originalUrl(request: IncomingMessage & { originalUrl?: string }): string {
  return request.originalUrl ?? request.url ?? '/';
}

export function jsonAnswer(status: number, value: unknown, headers: Record<string, string> = {}): Answer {
  return { status, headers, body: JSON.stringify(value) };
}

/** An error in the shape of the API version: v2 nests code and message, v1 has `errors`. */
export function errorAnswer(call: Pick<Call, 'path'>, status: number, message: unknown): Answer {
  if (!call.path.startsWith('/rest/v2.')) return jsonAnswer(status, { errors: message });
  const text = typeof message === 'string' ? message : JSON.stringify(message);
  return jsonAnswer(status, { error: { code: codes[status] ?? 'error', message: text, details: [] } });
}

const codes: Readonly<Record<number, string>> = {
  400: 'bad_request',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  422: 'unprocessable_entity',
  429: 'too_many_requests',
};
