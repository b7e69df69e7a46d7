import { expect, test } from 'vitest';
import { readLinks, routeOf } from './request-path.ts';

const API = new URL('https://api.procore.com');

test.each([
  '//evil.com/x',
  '/\\evil.com/x',
  '/..//evil.com',
  '\\\\evil.com\\x',
  'http://a@evil.com/x',
  'javascript:alert(1)',
  'data:/x',
  '/%2e%2e//evil.com',
  'http:evil.com',
  'file:////evil.com/x',
  '',
  '#',
  'http://[::',
  'https://api.procore.com:444/x?page=2#f',
  '/a\r\nhost: evil',
  'x/y',
])('a next link leads to a path on the API host, or nowhere: %j', (target) => {
  const { next, isBroken } = readLinks(API, '/rest/list?page=1', `<${target}>; rel="next"`);
  expect(next === undefined).toBe(isBroken);
  if (next === undefined) return;
  expect(next).toMatch(/^\/(?!\/)[^\s]*$/);
  expect(new URL(next, API).origin).toBe(API.origin);
});

test.each(['<', '<>', '<>;', '; ', '<a>;a', '<a>"', '<a>;rel="', '<a>; rel=a', '<a>;;;', '<>; a ='])(
  'a header that is made to be slow is read all the same: %s',
  (piece) => {
    for (const before of ['', '<a>', '<a>;']) {
      expect(readLinks(API, '/x', before + piece.repeat(16_000 / piece.length)).next).toBeUndefined();
    }
  },
);

test.each([
  ['/rest/v1.0/projects/7/rfis/9007199254740993?filters[id]=5&token=abc', '/rest/v1.0/projects/{id}/rfis/{id}'],
  ['/rest/v2.1/companies/42/projects/7/x/01HZX2Y5K8Q4W3E6R7T8Y9U0A1', '/rest/v2.1/companies/{id}/projects/{id}/x/{id}'],
  ['/rest/v1.0/me', '/rest/v1.0/me'],
  ['/vapid/v2/hooks/a1%2F', '/vapid/v2/hooks/{id}'],
  ['/', '/'],
])('the route of %s is %s', (path, route) => {
  expect(routeOf('GET', path)).toBe(`GET ${route}`);
});
