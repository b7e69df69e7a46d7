// One delivery attempt: an HTTP POST to the hook's destination.
import http from 'node:http';
import https from 'node:https';

export type Attempt = {
  success: boolean;
  responseStatus: number | null;
  responseBody: string;
  responseHeaders: Record<string, unknown>;
  /** Why there was no answer; null when there was one. */
  error: string | null;
};

export type PostEvent = (options: {
  url: string;
  headers: Readonly<Record<string, string>>;
  body: string;
  timeoutMs: number;
  signal: AbortSignal;
}) => Promise<Attempt>;

const LONGEST_BODY = 2000;

/** Makes the poster; `close` ends its connections. It never rejects: what went wrong is part of the attempt. */
export function createPoster(): { post: PostEvent; close: () => void } {
  const agents = {
    'http:': new http.Agent({ keepAlive: true, maxSockets: 512 }),
    'https:': new https.Agent({ keepAlive: true, maxSockets: 512 }),
  };
  const post: PostEvent = ({ url, headers, body, timeoutMs, signal }) =>
    new Promise((resolve) => {
      const protocol = url.startsWith('https:') ? 'https:' : 'http:';
      const request = (protocol === 'https:' ? https : http).request(url, {
        method: 'POST',
        agent: agents[protocol],
        headers: { ...headers, 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) },
        signal,
      });
      const timer = setTimeout(() => request.destroy(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
      const settle = (attempt: Attempt): void => {
        clearTimeout(timer);
        resolve(attempt);
      };
      const fail = ({ message }: Error): void =>
        settle({ success: false, responseStatus: null, responseBody: '', responseHeaders: {}, error: message });
      request.on('error', fail);
      request.on('response', (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => {
          if (text.length < LONGEST_BODY) text += part;
        });
        response.on('error', fail);
        response.on('end', () => settle(attemptOf(response, text)));
      });
      request.end(body);
    });
  return {
    post,
    close: () => {
      agents['http:'].destroy();
      agents['https:'].destroy();
    },
  };
}

function attemptOf({ statusCode = 0, headers }: http.IncomingMessage, text: string): Attempt {
  return {
    success: statusCode >= 200 && statusCode < 300,
    responseStatus: statusCode,
    responseBody: text.slice(0, LONGEST_BODY),
    responseHeaders: headers,
    error: null,
  };
}
