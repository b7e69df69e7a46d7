import { expect, test } from 'vitest';
import { routeOf } from './request-path.ts';

test.each([
  ['/rest/v1.0/projects/7/rfis/9007199254740993?filters[id]=5&token=abc', '/rest/v1.0/projects/{id}/rfis/{id}'],
  ['/rest/v2.1/companies/42/projects/7/x/01HZX2Y5K8Q4W3E6R7T8Y9U0A1', '/rest/v2.1/companies/{id}/projects/{id}/x/{id}'],
  ['/rest/v1.0/me', '/rest/v1.0/me'],
  ['/vapid/v2/hooks/a1%2F', '/vapid/v2/hooks/{id}'],
  ['/', '/'],
])('the route of %s is %s', (path, route) => {
  expect(routeOf('GET', path)).toBe(`GET ${route}`);
});
