// Addresses with passwords in them (`postgres://user:password@host/db?sslpassword=…`), shown without. Passwords are found by where
// they stand, so short ones are, too. Not `new URL`: addresses of a cluster name several hosts, which it cannot parse, and a password
// with a `/` that nobody encoded would be taken for a port and a path, and shown.
import { decoded } from './decoded.ts';
import { signInEnd } from './postgres-address.ts';

type Address = { scheme: string; user: string; password: string; server: string; query: readonly Parameter[] };
type Parameter = { text: string; name: string; password: string };

const IS_PASSWORD_NAME = /(pass(word|wd|phrase)?|secret|token)$/i;

function parse(text: string): Address | null {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text)?.[0];
  if (scheme === undefined) return null;
  const rest = text.slice(scheme.length);
  const at = endOfSignIn(scheme, rest);
  const [, user = '', password = ''] = /^(.*?)(?::(.*))?$/s.exec(rest.slice(0, Math.max(at, 0))) ?? [];
  const [, server = '', query] = /^([^?]*)(?:\?(.*))?$/s.exec(rest.slice(at + 1)) ?? [];
  const signIn = at < 0 ? '' : rest.slice(0, at + 1);
  return {
    scheme,
    user: password === '' ? signIn : user,
    password,
    server,
    query: query === undefined ? [] : query.split('&').map(parameterOf),
  };
}

/** Where the `@` behind user and password stands; -1: there are none. */
function endOfSignIn(scheme: string, rest: string): number {
  // As those read it who connect by it.
  if (/^postgres/i.test(scheme)) return signInEnd(rest);
  if (/^(redis|valkey)/i.test(scheme)) return rest.lastIndexOf('@');
  const [beforeQuery = ''] = rest.split(/\?(?=[^=&@]+=)/, 1);
  const [host = ''] = rest.split(/[/?#]/, 1);
  const at = beforeQuery.lastIndexOf('@');
  return at < 0 && !ARE_HOSTS.test(host) ? rest.lastIndexOf('@') : at;
}

/** Hosts with or without ports; else it is a user, and the beginning of a password that holds what nobody encoded. */
const ARE_HOSTS = /^((\[[^\]]*\]|[^:,]*)(:\d*)?(,|$))*$/;

function parameterOf(text: string): Parameter {
  const [, name = '', value = ''] = /^([^=]*)=?(.*)$/s.exec(text) ?? [];
  return { text, name, password: IS_PASSWORD_NAME.test(decoded(name)) ? value : '' };
}

/**
 * The address with `mask` in place of each password; with null as it would be without them. What is no address stays as it is.
 */
export function withoutPasswords(text: string, { mask = '***' }: { mask?: string | null } = {}): string {
  const address = parse(text);
  if (address === null) return text;
  const { scheme, user, password, server, query } = address;
  const name = user.replaceAll('@', '%40'); // psql takes the first @ for the end
  const masked = mask === null ? `${name}${name === '' ? '' : '@'}` : `${name}:${mask}@`;
  const parameters = query
    .filter((parameter) => mask !== null || parameter.password === '')
    .map((parameter) => (parameter.password === '' ? parameter.text : `${parameter.name}=${mask}`));
  const asked = parameters.length === 0 ? '' : `?${parameters.join('&')}`;
  return `${scheme}${password === '' ? user : masked}${server}${asked}`;
}

/** The passwords in the address, each as it stands there and decoded. */
export function passwordsIn(text: string): string[] {
  const address = parse(text);
  if (address === null) return [];
  const { password, query } = address;
  const spellings = [
    ...[password, decoded(password)],
    ...query.flatMap((parameter) => [
      ...[parameter.password, decoded(parameter.password), decoded(parameter.password.replaceAll('+', ' '))],
    ]),
  ];
  return [...new Set(spellings)].filter((spelling) => spelling !== '');
}

/** The address as far as the sign-in goes: what a message about another path of the same server begins with. */
export function signInOf(text: string): string {
  const address = parse(text);
  return address === null || address.password === '' ? '' : `${address.scheme}${address.user}:${address.password}@`;
}
