// Signing in: the client credentials grant of a Developer Managed Service Account (docs/procore.md: Signing in).
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../clock.ts';
import type { Settings } from '../settings.ts';
import { type Answer, type Call, jsonAnswer } from './http-exchange.ts';

export type Client = {
  id: string;
  secret: string;
  /** The companies that installed the app. */
  companies: Set<string>;
};

type Token = { clientId: string; expiresAt: number; createdAt: number };

export type Login = {
  clients: Map<string, Client>;
  /** `POST /oauth/token`. */
  token: (call: Call) => Answer;
  /** `GET /oauth/token/info`. */
  info: (call: Call) => Answer;
  /** Whose token the call carries; null when it is unknown, expired or revoked. */
  clientOf: (call: Call) => Client | null;
  /** Gives the client a new secret; tokens issued before are void. */
  regenerateSecret: (client: Client) => string;
  /** Every token issued so far, expired ones included. */
  issued: () => readonly string[];
  /** Voids every token, or those of one client. */
  revoke: (clientId?: string) => void;
};

const tokenRequest = z.object({
  grant_type: z.string().optional(),
  client_id: z.string().optional(),
  client_secret: z.string().optional(),
});

const invalidClient = {
  error: 'invalid_client',
  error_description:
    'Client authentication failed due to unknown client, no client authentication included, or unsupported authentication method.',
};

export function createLogin({ clock, settings }: { clock: Clock; settings: () => Settings }): Login {
  const clients = new Map<string, Client>();
  const tokens = new Map<string, Token>();
  const everIssued: string[] = [];

  return { clients, token, info, clientOf, issued: () => everIssued, regenerateSecret, revoke };

  function token(call: Call): Answer {
    const asked = readTokenRequest(call);
    if (asked.grant_type === undefined) {
      const error_description = 'Missing required parameter: grant_type.';
      return jsonAnswer(400, { error: 'invalid_request', error_description });
    }
    if (asked.grant_type !== 'client_credentials') {
      const error_description = 'The authorization grant type is not supported by the authorization server.';
      return jsonAnswer(400, { error: 'unsupported_grant_type', error_description });
    }
    const client = clients.get(asked.client_id ?? '');
    if (client === undefined || client.secret !== asked.client_secret) return jsonAnswer(401, invalidClient);
    return jsonAnswer(200, issue(client), { 'Cache-Control': 'no-store' });
  }

  function issue(client: Client): Record<string, unknown> {
    const createdAt = clock.now();
    for (const [value, { expiresAt }] of tokens) if (expiresAt <= createdAt) tokens.delete(value);
    const value = randomBytes(48).toString('base64url');
    const { tokenSeconds } = settings();
    everIssued.push(value);
    tokens.set(value, { clientId: client.id, createdAt, expiresAt: createdAt + tokenSeconds * 1000 });
    return {
      access_token: value,
      token_type: 'bearer',
      expires_in: tokenSeconds,
      created_at: Math.floor(createdAt / 1000),
    };
  }

  function info(call: Call): Answer {
    const found = tokenOf(call);
    if (found === null) return jsonAnswer(401, { errors: 'The access token is invalid' });
    return jsonAnswer(200, {
      resource_owner_id: null,
      scopes: [],
      expires_in_seconds: Math.floor((found.expiresAt - clock.now()) / 1000),
      application: { uid: found.clientId },
      created_at: Math.floor(found.createdAt / 1000),
    });
  }

  function tokenOf(call: Call): Token | null {
    const [scheme = '', value = ''] = call.authorization.split(' ');
    const found = scheme.toLowerCase() === 'bearer' ? tokens.get(value) : undefined;
    return found === undefined || found.expiresAt <= clock.now() ? null : found;
  }

  function clientOf(call: Call): Client | null {
    return clients.get(tokenOf(call)?.clientId ?? '') ?? null;
  }

  function regenerateSecret(client: Client): string {
    client.secret = randomBytes(24).toString('hex');
    revoke(client.id);
    return client.secret;
  }

  function revoke(clientId?: string): void {
    for (const [value, issued] of tokens) {
      if (clientId === undefined || issued.clientId === clientId) tokens.delete(value);
    }
  }
}

/** From a form or JSON body; client id and secret may come as Basic authentication instead. */
function readTokenRequest({ body, authorization }: Call): z.infer<typeof tokenRequest> {
  const asked = tokenRequest.safeParse(readBody(body)).data ?? {};
  const [scheme = '', credentials = ''] = authorization.split(' ');
  if (scheme.toLowerCase() !== 'basic') return asked;
  const [id = '', ...secret] = Buffer.from(credentials, 'base64').toString('utf8').split(':');
  // Both halves are form-encoded before they are joined (RFC 6749, section 2.3.1).
  return { ...asked, client_id: decode(id), client_secret: decode(secret.join(':')) };
}

function readBody(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return Object.fromEntries(new URLSearchParams(body));
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
