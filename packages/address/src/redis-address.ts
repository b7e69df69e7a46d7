// Addresses of Redis in its three shapes: `redis[s]://…` as ioredis reads it, `redis[s]+cluster://host:port,host:port` and
// `redis[s]+sentinel://host:port,host:port/name-of-the-master`. Checked whole.
import { decoded } from './decoded.ts';
import { defined } from './defined.ts';
import { AddressError } from './errors.ts';

/** Where a Redis is and how to sign in. */
export type RedisAddress = { nodes: readonly RedisNode[]; signIn: SignIn } & Kind;
type Kind =
  | { kind: 'single'; db: number; family: number | undefined }
  | { kind: 'cluster' }
  | {
      kind: 'sentinel';
      name: string;
      db: number;
      sentinelSignIn: { sentinelUsername?: string; sentinelPassword?: string };
    };
type RedisNode = { host: string; port: number };
type SignIn = { username?: string; password?: string; tls?: { rejectUnauthorized?: false } };

const SHAPE =
  /^(?<scheme>(?:redis|valkey)s?)(?:\+(?<kind>cluster|sentinel))?:\/\/(?:(?<credentials>.*)@)?(?<hosts>[^/?#@]+)(?:\/(?<path>[^?#@]*))?(?:\?(?<query>[^#@]*))?$/is;

const MUST_LOOK_LIKE =
  'must look like redis[s]://user:password@host:6379/0, redis[s]+cluster://host:port,host:port or ' +
  'redis[s]+sentinel://host:port,host:port/name-of-the-master';

const parameters = {
  single: ['db', 'family', 'ssl_cert_reqs'],
  cluster: ['ssl_cert_reqs'],
  sentinel: ['db', 'ssl_cert_reqs', 'sentinelUsername', 'sentinelPassword'],
} as const satisfies Record<string, readonly string[]>;

/** Throws an AddressError that lists every problem. */
export function readRedisAddress(url: string): RedisAddress {
  const parts = SHAPE.exec(url)?.groups;
  if (parts?.hosts === undefined) throw new AddressError([MUST_LOOK_LIKE]);
  const problems: string[] = [];
  const kind = kindOf(parts.kind);
  const query = new URLSearchParams(parts.query ?? '');
  const known: readonly string[] = parameters[kind];
  const unknown = [...query.keys()].filter((name) => !known.includes(name));
  if (unknown.length > 0) problems.push(`has a parameter that is unknown; there are ${known.join(', ') || 'none'}`);
  if (/\?(db|family|ssl_cert_reqs|sentinelUsername|sentinelPassword)=/.test(parts.credentials ?? '')) {
    problems.push('has an @ behind its question mark: write it as %40');
  }
  const nodes = parts.hosts.split(',').map((text) => readNode(text, kind === 'sentinel' ? 26_379 : 6379, problems));
  const signIn = {
    ...readCredentials(parts.credentials),
    ...(/^(rediss|valkeys)$/i.test(parts.scheme ?? '') && { tls: tlsOf(query, problems) }),
  };
  const address = { ...readers[kind](parts.path ?? '', query, problems), nodes, signIn };
  if (kind === 'single' && nodes.length > 1) {
    problems.push('names several hosts: name one, or write redis+cluster:// or redis+sentinel://');
  }
  if (problems.length > 0) throw new AddressError(problems);
  return address;
}

/** `ssl_cert_reqs=none`, as Python's clients write it: encrypted, but nobody is asked for a certificate that others know. */
function tlsOf(query: URLSearchParams, problems: string[]): { rejectUnauthorized?: false } {
  const wanted = query.get('ssl_cert_reqs') ?? 'required';
  if (!['none', 'required'].includes(wanted)) problems.push('its ssl_cert_reqs must be required or none');
  return wanted === 'none' ? { rejectUnauthorized: false } : {};
}

function kindOf(text: string | undefined): RedisAddress['kind'] {
  const kind = text?.toLowerCase();
  return kind === 'cluster' || kind === 'sentinel' ? kind : 'single';
}

type Read = (path: string, query: URLSearchParams, problems: string[]) => Kind;

/** What stands behind the hosts. */
const readers: Record<RedisAddress['kind'], Read> = {
  single: (path, query, problems) => {
    const family = query.get('family');
    if (family !== null && !['0', '4', '6'].includes(family)) problems.push('its family must be 0, 4 or 6');
    const db = readDb(query.get('db') || path, problems);
    return { kind: 'single', db, family: family === null ? undefined : Number(family) };
  },
  cluster: (path, _query, problems) => {
    if (path !== '' && path !== '0') problems.push('its database must be 0: a cluster has no other');
    return { kind: 'cluster' };
  },
  sentinel: (path, query, problems) => {
    const [name = '', pathDb = '', ...more] = path.split('/');
    if (more.length > 0) problems.push('has too many parts behind its hosts: …:26379/name-of-the-master/0');
    if (name === '') problems.push('lacks the name of the master behind the hosts: …:26379/name-of-the-master');
    const sentinelSignIn = {
      ...defined('sentinelUsername', query.get('sentinelUsername')),
      ...defined('sentinelPassword', query.get('sentinelPassword')),
    };
    return { kind: 'sentinel', name: decoded(name), db: readDb(query.get('db') || pathDb, problems), sentinelSignIn };
  },
};

function readCredentials(text: string | undefined): { username?: string; password?: string } {
  if (text === undefined) return {};
  const [username = '', ...password] = text.split(':');
  return {
    ...defined('username', decoded(username)),
    ...defined('password', decoded(password.join(':'))),
  };
}

function readNode(text: string, defaultPort: number, problems: string[]): RedisNode {
  const { host, port } = /^(?<host>\[[0-9a-f:.]+\]|[^:[\]\s]+)(?::(?<port>\d{1,5}))?$/i.exec(text)?.groups ?? {};
  if (host === undefined) problems.push('names a host that cannot be read: host:port is wanted, [::1]:port for IPv6');
  if (Number(port ?? 1) < 1 || Number(port ?? 1) > 65_535) problems.push('its port must be a number from 1 to 65535');
  return { host: (host ?? '').replace(/^\[|\]$/g, ''), port: Number(port ?? defaultPort) };
}

function readDb(text: string, problems: string[]): number {
  if (!/^\d{0,5}$/.test(text)) problems.push('its database must be a number, as in redis://host:6379/0');
  return Number(text);
}
