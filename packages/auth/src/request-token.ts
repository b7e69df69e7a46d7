// One question to the login server: the client credentials grant of OAuth 2.0 (docs/procore.md: Signing in).
// Of what the server says, only the status and well-known error codes go into an error: the rest may hold tokens.
import * as oauth from 'oauth4webapi';
import { type Dispatcher, fetch } from 'undici';
import { z } from 'zod';
import { AuthError } from './errors.ts';
import { isLoopback } from './is-loopback.ts';

export type Credentials = { clientId: string; clientSecret: string };

export type TokenRequest = Credentials & { loginUrl: URL; dispatcher: Dispatcher };

/** What became of one question; `again` says when another one makes sense. */
export type TokenAnswer =
  | { kind: 'token'; value: string; lifetimeMs: number }
  | { kind: 'refused'; error: AuthError; again: 'soon' | 'later'; retryAfterMs: number | null };

const LONGEST_ANSWER = 65_536;
const LONGEST_RETRY_AFTER_MS = 60_000;

/**
 * Of a token that came without a lifetime of use: the server need not say it (RFC 6749, section 5.1). Should it live longer, this
 * costs a question every few minutes; should it live less, the API refuses it and the next call asks for another.
 */
const UNSAID_LIFETIME_MS = 300_000;

// https://www.rfc-editor.org/rfc/rfc6749#section-5.2, but for invalid_request, which something in between may cause.
const refusals = ['invalid_client', 'unauthorized_client', 'invalid_grant', 'unsupported_grant_type', 'invalid_scope'];

const oauthError = z.object({ error: z.string() });

// Only what we use: oauth4webapi refuses a good token for other members that are null, empty or of another kind.
const usedMembers = z.object({
  access_token: z.unknown(),
  token_type: z.unknown(),
  expires_in: z.unknown().optional(),
});

/** Asks once. Rejects only when `signal` aborts, with its reason. */
export async function requestToken(request: TokenRequest, signal: AbortSignal): Promise<TokenAnswer> {
  const server = `the login server ${request.loginUrl.origin}`;
  const as = { issuer: request.loginUrl.origin, token_endpoint: tokenEndpoint(request.loginUrl) };
  const client = { client_id: request.clientId };
  let response: Response;
  let text: string | null;
  try {
    response = await oauth.clientCredentialsGrantRequest(as, client, oauth.ClientSecretPost(request.clientSecret), [], {
      signal,
      [oauth.allowInsecureRequests]: isLoopback(request.loginUrl),
      [oauth.customFetch]: async (url, { body, headers, method, redirect }) =>
        // The two Response types describe one thing: Node's own comes from an older undici.
        (await fetch(url, { body, headers, method, redirect, signal, dispatcher: request.dispatcher })) as Response,
    });
    text = await readText(response);
  } catch (error) {
    signal.throwIfAborted();
    const cause = withoutAnswer(error);
    return refused('unreachable', 'soon', `${server} cannot be reached (${cause.message})`, { cause });
  }
  if (response.status !== 200) return judgeRefusal(server, response, text ?? '');
  const token = text === null ? null : await readToken(as, client, text);
  if (token !== null) return token;
  return refused('unreachable', 'later', `${server} answered 200, but not with a bearer token`);
}

function tokenEndpoint(loginUrl: URL): string {
  return new URL('oauth/token', loginUrl.href.endsWith('/') ? loginUrl : `${loginUrl.href}/`).href;
}

async function readText(response: Response): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.byteLength;
    if (length > LONGEST_ANSWER) return null;
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks)); // passes over a byte order mark
}

async function readToken(
  as: oauth.AuthorizationServer,
  client: oauth.Client,
  text: string,
): Promise<TokenAnswer | null> {
  try {
    const { expires_in, ...members } = usedMembers.parse(JSON.parse(text));
    const response = Response.json(members);
    const { access_token: value, token_type } = await oauth.processClientCredentialsResponse(as, client, response);
    if (token_type !== 'bearer' || !/^[\x21-\x7e]+$/.test(value)) return null;
    return { kind: 'token', value, lifetimeMs: readLifetime(expires_in) };
  } catch {
    return null; // the error is full of the answer
  }
}

/**
 * Procore changes the lifetime without notice, so what it says counts, in whole seconds. What makes no sense is taken as unsaid, 0,
 * too: it may mean "for ever" to whoever sends it, and a token that really is dead is refused by the API, which tells.
 */
function readLifetime(expiresIn: unknown): number {
  const seconds = typeof expiresIn === 'string' ? Number(expiresIn) : expiresIn;
  if (typeof seconds !== 'number' || !Number.isFinite(seconds) || seconds < 1) return UNSAID_LIFETIME_MS;
  return seconds * 1_000;
}

function judgeRefusal(server: string, response: Response, text: string): TokenAnswer {
  const { status } = response;
  const retryAfterMs = readRetryAfter(response.headers);
  const said = `${server} answered ${status}`;
  if (status === 429) return refused('unreachable', 'later', `${said}: too many requests`, { retryAfterMs });
  if (status >= 500 || status === 408) {
    return refused('unreachable', retryAfterMs === null ? 'soon' : 'later', said, { retryAfterMs });
  }
  // Without such a code somebody else may have answered, a proxy or a page of maintenance, whatever the status.
  const code = refusals.find((known) => known === errorCodeOf(text));
  if (code !== undefined && status >= 400) {
    const advice = 'check PROCORE_CLIENT_ID, PROCORE_CLIENT_SECRET and PROCORE_ENVIRONMENT';
    return refused('rejected', 'later', `${server} rejects the service account (${code}): ${advice}`);
  }
  const advice = 'is PROCORE_LOGIN_URL right? Does a proxy answer in its place?';
  return refused('unreachable', 'later', `${said} where a token was expected: ${advice}`, { retryAfterMs });
}

function errorCodeOf(text: string): string | null {
  try {
    return oauthError.parse(JSON.parse(text)).error;
  } catch {
    return null;
  }
}

function readRetryAfter(headers: Headers): number | null {
  const text = headers.get('retry-after') ?? '';
  return /^\d{1,9}$/.test(text) ? Math.min(Number(text) * 1_000, LONGEST_RETRY_AFTER_MS) : null;
}

function refused(
  reason: AuthError['reason'],
  again: 'soon' | 'later',
  message: string,
  { retryAfterMs = null, ...options }: { retryAfterMs?: number | null; cause?: Error } = {},
): TokenAnswer {
  return { kind: 'refused', error: new AuthError(reason, message, options), again, retryAfterMs };
}

// A copy of the innermost error: undici's own may carry parts of the answer.
function withoutAnswer(error: unknown): Error {
  if (!(error instanceof Error)) return new Error('unknown error');
  if (error.cause instanceof Error) return withoutAnswer(error.cause);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return new Error(error.message.includes(code) ? error.message : `${code}: ${error.message}`);
}
