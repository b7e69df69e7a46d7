import { ProcoreFormatError } from './errors.ts';

export type SearchParams = readonly (readonly [string, string])[];

/** Path and query to ask the API host for; throws RangeError for a path that leads to another host. */
export function requestPath(apiUrl: URL, path: string, searchParams: SearchParams = []): string {
  const url = path.startsWith('/') && URL.canParse(path, apiUrl.href) ? new URL(path, apiUrl) : null;
  if (url?.origin !== apiUrl.origin) throw new RangeError(`"${path}" is no path on Procore's API host`);
  for (const [name, value] of searchParams) url.searchParams.append(name, value);
  return url.pathname + url.search;
}

/**
 * Path and query of the `rel="next"` link of an answer to `path`, if it has one. Throws ProcoreFormatError for a link
 * that leads to another host: the access token must not go there.
 */
export function nextPath(apiUrl: URL, path: string, link: string | string[] | undefined): string | undefined {
  const target = nextTarget([link ?? []].flat().join(', '));
  if (target === undefined) return undefined;
  const base = new URL(path, apiUrl);
  const url = URL.canParse(target, base.href) ? new URL(target, base) : null;
  if (url?.origin !== apiUrl.origin) {
    const issues = [`its next link leads to ${url === null ? 'nowhere' : 'another host'}`];
    throw new ProcoreFormatError(`the answer to GET ${base.pathname}`, { issues });
  }
  return url.pathname + url.search;
}

function nextTarget(link: string): string | undefined {
  // <target>; name=value; name="value, with commas", <target>; …
  for (const [, target, parameters = ''] of link.matchAll(/<([^<>]*)>((?:[^<>",]|"[^"]*")*)/g)) {
    for (const [, name = '', quoted, bare] of parameters.matchAll(/;\s*([\w*-]+)\s*=\s*(?:"([^"]*)"|([^\s;"]*))/g)) {
      const relations = (quoted ?? bare ?? '').toLowerCase().split(/\s+/);
      if (name.toLowerCase() === 'rel' && relations.includes('next')) return target;
    }
  }
  return undefined;
}
