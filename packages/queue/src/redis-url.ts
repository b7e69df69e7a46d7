/** Where a Redis is and how to sign in, in the three shapes that Redis comes in. */
export type RedisPlace =
  | { kind: 'single'; url: string; server: string }
  | { kind: 'cluster'; nodes: readonly Node[]; signIn: SignIn; server: string }
  | {
      kind: 'sentinel';
      sentinels: readonly Node[];
      name: string;
      db: number;
      signIn: SignIn;
      sentinelSignIn: { sentinelUsername?: string; sentinelPassword?: string };
      server: string;
    };
type Node = { host: string; port: number };
type SignIn = { username?: string; password?: string; tls?: Record<string, never> };

const shape =
  /^(rediss?)(?:\+(cluster|sentinel))?:\/\/(?:(?<credentials>[^/?#]*)@)?(?<hosts>[^/?#]+)(?:\/(?<path>[^?#]*))?(?:\?(?<query>[^#]*))?$/i;

/** Reads `redis[s]://…`, `redis[s]+cluster://…` and `redis[s]+sentinel://…`; throws a TypeError, without the URL in it, for anything else. */
export function parseRedisUrl(url: string): RedisPlace {
  const match = shape.exec(url);
  const hosts = match?.groups?.hosts;
  if (!match || hosts === undefined) throw badUrl();
  const [, scheme = '', kind] = match;
  if (kind === undefined) return { kind: 'single', url, server: hosts };
  const signIn = { ...parseCredentials(match.groups?.credentials), ...(scheme === 'rediss' ? { tls: {} } : {}) };
  if (kind === 'cluster') return { kind, nodes: parseNodes(hosts, 6379), signIn, server: hosts };
  const [name = '', pathDb] = (match.groups?.path ?? '').split('/');
  const query = new URLSearchParams(match.groups?.query ?? '');
  const db = Number(query.get('db') ?? pathDb ?? 0);
  if (name === '' || !Number.isInteger(db)) throw badUrl();
  const sentinelSignIn = {
    ...optional('sentinelUsername', query.get('sentinelUsername')),
    ...optional('sentinelPassword', query.get('sentinelPassword')),
  };
  return {
    kind: 'sentinel',
    sentinels: parseNodes(hosts, 26379),
    name: decodeURIComponent(name),
    db,
    signIn,
    sentinelSignIn,
    server: hosts,
  };
}

function parseCredentials(text: string | undefined): { username?: string; password?: string } {
  if (text === undefined) return {};
  const [username = '', ...password] = text.split(':');
  return {
    ...optional('username', decodeURIComponent(username) || null),
    ...optional('password', decodeURIComponent(password.join(':')) || null),
  };
}

function parseNodes(hosts: string, defaultPort: number): readonly Node[] {
  return hosts.split(',').map((text) => {
    const match = /^(?<host>\[[0-9a-f:.]+\]|[^:[\]]+)(?::(?<port>\d{1,5}))?$/i.exec(text);
    if (match?.groups?.host === undefined) throw badUrl();
    return { host: match.groups.host.replace(/^\[|\]$/g, ''), port: Number(match.groups.port ?? defaultPort) };
  });
}

function optional<K extends string>(key: K, value: string | null): { [key in K]?: string } {
  return value === null ? {} : ({ [key]: value } as { [key in K]: string }); // a computed key widens to string
}

function badUrl(): TypeError {
  return new TypeError(
    'the queue URL must look like postgres://…, redis[s]://host:port, redis[s]+cluster://host:port,host:port ' +
      'or redis[s]+sentinel://host:port,host:port/master-name',
  );
}
