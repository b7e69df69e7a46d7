export type SearchParams = readonly (readonly [string, string])[];

/** Path and query to ask the API host for; throws RangeError for a path that leads to another host. */
export function requestPath(apiUrl: URL, path: string, searchParams: SearchParams = []): string {
  const url = path.startsWith('/') && URL.canParse(path, apiUrl.href) ? new URL(path, apiUrl) : null;
  if (url?.origin !== apiUrl.origin) throw new RangeError(`"${path}" is no path on Procore's API host`);
  for (const [name, value] of searchParams) url.searchParams.append(name, value);
  return url.pathname + url.search;
}

/** Names the endpoint: method and path with `{id}` for whatever may be an id, without the query. */
export function routeOf(method: string, path: string): string {
  const segments = (path.split('?')[0] ?? '').split('/');
  const names = segments.map((segment) => (/\d/.test(segment) && !/^v\d+(\.\d+)?$/.test(segment) ? '{id}' : segment));
  return `${method} ${names.join('/')}`;
}

/** What the Link header of an answer says of further pages. */
export type PageLinks = {
  /** Path and query on the API host, whatever host the link names: the access token must not go elsewhere. */
  next?: string;
  /** The number of the last page. */
  lastPage: number | null;
  /** Does it lead to other pages, so that one without a next link is the last? */
  isGiven: boolean;
  /** Is there a next link that leads nowhere? */
  isBroken: boolean;
};

/** What the Link header of an answer to `path` says of further pages. */
export function readLinks(apiUrl: URL, path: string, link: string | string[] | undefined): PageLinks {
  const targets = targetsOf([link ?? []].flat().join(', '));
  const isGiven = ['first', 'prev', 'next'].some((relation) => targets.has(relation));
  const last = /[?&]page=([1-9]\d{0,8})(?:&|$)/.exec(targets.get('last') ?? '');
  const links = { lastPage: last === null ? null : Number(last[1]), isGiven, isBroken: false };
  const target = targets.get('next');
  if (target === undefined) return links;
  const base = new URL(path, apiUrl);
  const url = URL.canParse(target, base.href) ? new URL(target, base) : null;
  if (url === null || !/^\/(?!\/)/.test(url.pathname)) return { ...links, isBroken: true };
  return { ...links, next: url.pathname + url.search };
}

/** The first target of each relation, lower case. */
function targetsOf(link: string): Map<string, string> {
  const targets = new Map<string, string>();
  // <target>; name=value; name="value, with commas", <target>; …
  for (const [, target = '', parameters = ''] of link.matchAll(/<([^<>]*)>((?:[^<>",]|"[^"]*")*)/g)) {
    for (const [, name = '', quoted, bare] of parameters.matchAll(/;\s*([\w*-]+)\s*=\s*(?:"([^"]*)"|([^\s;"]*))/g)) {
      if (name.toLowerCase() !== 'rel') continue;
      for (const relation of (quoted ?? bare ?? '').toLowerCase().split(/\s+/)) {
        if (!targets.has(relation)) targets.set(relation, target);
      }
    }
  }
  return targets;
}
