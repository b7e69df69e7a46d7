// Addresses of Postgres as people paste them: `postgres://user:password@host:port/database?sslmode=…`, with sockets
// (`?host=/var/run/postgresql`, `%2Fvar%2Frun…`), and with passwords that nobody encoded. Read as libpq reads them
// (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING), which is what psql takes, and checked whole.
import { readFileSync } from 'node:fs';
import { decoded } from './decoded.ts';
import { defined } from './defined.ts';
import { AddressError } from './errors.ts';

/** Where a Postgres is and how to sign in, in the names of pg's options. What the address does not say pg knows a default for. */
export type PostgresAddress = {
  /** A name, an IP address without brackets, or the directory of a socket. */
  host?: string;
  port?: number;
  user?: string;
  password?: string;
  database?: string;
  /** Without it nothing is encrypted, unless PGSSLMODE says so. */
  ssl?: false | TlsOptions;
  sslnegotiation?: 'direct';
  /** Of the server, for the session, as on its command line. */
  options?: string;
  application_name?: string;
};

type TlsOptions = {
  rejectUnauthorized?: false;
  ca?: string;
  cert?: string;
  key?: string;
  passphrase?: string;
  checkServerIdentity?: () => undefined;
};

const MUST_LOOK_LIKE = 'must look like postgres://user:password@host:5432/database';
const sslModes = ['disable', 'require', 'verify-ca', 'verify-full'];

/** What these ask for is so anyway, does not matter to us, or is another program's. */
const OF_NO_CONSEQUENCE = new Set([
  ...[
    'connect_timeout',
    'keepalives',
    'keepalives_idle',
    'keepalives_interval',
    'keepalives_count',
    'tcp_user_timeout',
  ],
  ...['fallback_application_name', 'target_session_attrs', 'load_balance_hosts', 'gssencmode', 'channel_binding'],
  ...[
    'statement_timeout',
    'lock_timeout',
    'idle_in_transaction_session_timeout',
    'currentSchema',
    'socket_timeout',
    'workaround',
  ],
  ...['sslcompression', 'sslsni', 'uselibpqcompat'],
  ...['pgbouncer', 'schema', 'connection_limit', 'pool_timeout', 'prepare_threshold', 'statement_cache_size', 'supa'],
]);

const sslParameters = ['ssl', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'sslpassword', 'sslnegotiation'];
const PARAMETERS = new Set([
  ...['host', 'hostaddr', 'port', 'user', 'password', 'dbname', 'options', 'application_name', 'client_encoding'],
  ...sslParameters,
]);

type Parts = { user: string; password: string; hosts: string; path: string; query: string };
type Reading = { address: PostgresAddress } | { problems: readonly string[] };

/** Throws an AddressError that lists every problem. Files that it names (CA, certificate, key) are read. */
export function readPostgresAddress(url: string): PostgresAddress {
  const rest = /^postgres(?:ql)?:\/\/(.+)$/is.exec(url)?.[1];
  if (rest === undefined) throw new AddressError([MUST_LOOK_LIKE]);
  const reading = read(cut(rest, signInEnd(rest)));
  if ('address' in reading) return reading.address;
  throw new AddressError(reading.problems);
}

/** Where the @ behind user and password stands in an address without its scheme; -1: there is none. */
export function signInEnd(rest: string): number {
  const standard = (/^[^/?]*/.exec(rest)?.[0] ?? '').lastIndexOf('@');
  // A user or password that nobody encoded may hold what ends it: then the host stands behind the last @ before the parameters.
  const last = rest.slice(0, parametersBegin(rest)).lastIndexOf('@');
  return last > standard && !('address' in read(cut(rest, standard))) ? last : standard;
}

function parametersBegin(rest: string): number | undefined {
  return [...rest.matchAll(/[?&](\w+)=/g)].find(([, name = '']) => isKnown(name))?.index;
}

function isKnown(name: string): boolean {
  return PARAMETERS.has(name) || OF_NO_CONSEQUENCE.has(name);
}

function cut(rest: string, at: number): Parts {
  const [user = '', ...password] = rest.slice(0, Math.max(at, 0)).split(':');
  const [, hosts = '', path = '', query = ''] = /^([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/s.exec(rest.slice(at + 1)) ?? [];
  return { user: decoded(user), password: decoded(password.join(':')), hosts, path, query };
}

function read({ user, password, hosts, path, query: text }: Parts): Reading {
  const query = parametersOf(text);
  const place = placeOf(hosts, query);
  const tls = tlsOf(query);
  const { database, problems: problemsOfDatabase } = databaseOf(path, query);
  const texts = [user, password, place.host, database, ...query.values()];
  const problems = [...place.problems, ...problemsOfDatabase, ...tls.problems, ...problemsOfParameters(query)];
  if (texts.some((one) => one.includes('\0'))) problems.push('holds a NUL');
  if (problems.length > 0) return { problems };
  const isSocket = place.host.startsWith('/');
  const address: PostgresAddress = {
    ...defined('host', place.host),
    ...(place.port !== undefined && { port: place.port }),
    ...defined('user', query.get('user') || user),
    ...defined('password', query.get('password') || password),
    ...defined('database', database),
    ...defined('options', query.get('options')),
    ...defined('application_name', query.get('application_name')),
    ...(query.get('sslnegotiation') === 'direct' && !isSocket && { sslnegotiation: 'direct' }),
    // Nothing is encrypted on a socket.
    ...(isSocket ? { ssl: false } : tls.ssl !== undefined && { ssl: tls.ssl }),
  };
  return { address };
}

function databaseOf(path: string, query: Map<string, string>): { database: string; problems: string[] } {
  const database = query.get('dbname');
  if (database !== undefined) return { database, problems: [] };
  const isOdd = /[/@#]/.test(path);
  const problem = 'its database has an unusual name: percent-encode what is odd in it, and in user and password';
  return { database: decoded(path), problems: isOdd ? [problem] : [] };
}

function problemsOfParameters(query: Map<string, string>): string[] {
  const problems = [...query.keys()]
    .filter((name) => !isKnown(name))
    .map((name) => `has an unknown parameter: ${shortened(name)}`);
  const { client_encoding: encoding = '', sslnegotiation: negotiation = '' } = Object.fromEntries(query);
  if (!/^(utf-?8|unicode|auto)?$/i.test(encoding)) problems.push('its client_encoding must be utf8');
  if (!/^(postgres|direct)?$/.test(negotiation)) problems.push('its sslnegotiation must be postgres or direct');
  return problems;
}

type Place = { host: string; port: number | undefined; problems: string[] };

function placeOf(hosts: string, query: Map<string, string>): Place {
  const [, bracketed, plain = '', writtenPort = ''] = /^(?:\[([0-9a-f:.]*)\]|([^:]*))(?::(.*))?$/is.exec(hosts) ?? [];
  const host = query.get('hostaddr') ?? query.get('host') ?? decoded(bracketed ?? plain);
  const port = query.get('port') ?? writtenPort;
  const problems: string[] = [];
  if (`${hosts}${host}`.includes(',')) problems.push('names several hosts: name one');
  else if (!host.startsWith('/') && !/^[^\s/?#@[\]]*$/.test(host)) {
    problems.push('its host cannot be read: percent-encode what is odd in user and password');
  }
  if (port !== '' && !(/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535)) {
    problems.push('its port must be a number from 1 to 65535');
  }
  return { host, port: port === '' ? undefined : Number(port), problems };
}

type Tls = PostgresAddress['ssl'] | undefined;

/** As libpq understands sslmode: `require` encrypts and verifies only by a CA that is named. */
function tlsOf(query: Map<string, string>): { ssl: Tls; problems: string[] } {
  const problems: string[] = [];
  const file = (name: string): string | undefined => {
    const path = query.get(name) ?? '';
    if (path === '' || (name === 'sslrootcert' && path === 'system')) return undefined;
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      problems.push(`its ${name} names ${path}, which cannot be read (${codeOf(error)})`);
      return undefined;
    }
  };
  const files = {
    ...defined('ca', file('sslrootcert')),
    ...defined('cert', file('sslcert')),
    ...defined('key', file('sslkey')),
    ...defined('passphrase', query.get('sslpassword')),
  };
  const short = query.get('ssl');
  const ofSsl = short === undefined ? undefined : (MODE_OF_SSL.get(short) ?? short);
  const asked = query.get('sslmode') ?? ofSsl;
  // As libpq does: the CAs of the system say whose name it is, or nothing.
  const mode = asked ?? (query.get('sslrootcert') === 'system' ? 'verify-full' : undefined);
  if (query.get('sslrootcert') === 'system' && mode !== 'verify-full')
    problems.push('its sslrootcert=system needs sslmode=verify-full');
  if (ofSsl !== undefined && asked !== ofSsl)
    problems.push('its ssl and its sslmode contradict each other: leave out ssl');
  if (query.get('sslnegotiation') === 'direct' && (mode === undefined || mode === 'disable')) {
    problems.push('its sslnegotiation=direct needs sslmode=require or more');
  }
  const ssl = (): Tls => {
    switch (mode) {
      case undefined:
        return Object.keys(files).length > 0 ? files : undefined;
      case 'disable':
        return false;
      case 'no-verify':
        return { ...files, rejectUnauthorized: false };
      case 'require':
        return 'ca' in files ? { ...files, checkServerIdentity: anyName } : { ...files, rejectUnauthorized: false };
      case 'verify-ca':
        if (!query.get('sslrootcert')) problems.push('its sslmode=verify-ca needs sslrootcert, the file of a CA');
        return { ...files, checkServerIdentity: anyName };
      case 'verify-full':
        return files;
      case 'prefer':
      case 'allow':
        problems.push(`its sslmode=${mode} protects nothing: say require (encrypted) or disable`);
        return undefined;
      default:
        problems.push(`its ${query.has('sslmode') ? 'sslmode' : 'ssl'} must be one of ${sslModes.join(', ')}`);
        return undefined;
    }
  };
  return { ssl: ssl(), problems };
}

/** pg's own short forms. */
const MODE_OF_SSL = new Map([
  ...['true', '1'].map((value): [string, string] => [value, 'verify-full']),
  ...['false', '0'].map((value): [string, string] => [value, 'disable']),
  ['no-verify', 'no-verify'],
]);

const anyName = () => undefined;

/** As libpq reads them: a plus sign is one; but in options, where programs write it for a blank and no server takes it. */
function parametersOf(query: string): Map<string, string> {
  const pairs = query.split('&').filter((pair) => pair !== '');
  return new Map(
    pairs.map((pair) => {
      const [name = '', ...value] = pair.split('=');
      const text = value.join('=');
      return [decoded(name), decoded(name === 'options' ? text.replaceAll('+', ' ') : text)];
    }),
  );
}

/** It may be part of a password with an & in it. */
function shortened(name: string): string {
  return /^[a-z_]{1,30}$/i.test(name) ? name : 'one with an odd name';
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
