export type SearchParams = readonly (readonly [string, string])[];

/** Path and query to ask the API host for; throws RangeError for a path that leads to another host. */
export function requestPath(apiUrl: URL, path: string, searchParams: SearchParams = []): string {
  const url = path.startsWith('/') && URL.canParse(path, apiUrl.href) ? new URL(path, apiUrl) : null;
  if (url?.origin !== apiUrl.origin) throw new RangeError(`"${path}" is no path on Procore's API host`);
  for (const [name, value] of searchParams) url.searchParams.append(name, value);
  return url.pathname + url.search;
}

/** `next` is path and query on the API host, whatever host the link names: the access token must not go elsewhere. */
export type PageLinks = {
  next?: string;
  /** Does the answer have links at all, of whatever relation? */
  isGiven: boolean;
  /** Is there a next link that leads nowhere? */
  isBroken: boolean;
};

/** What the Link header of an answer to `path` says of further pages. */
export function readLinks(apiUrl: URL, path: string, link: string | string[] | undefined): PageLinks {
  const header = [link ?? []].flat().join(', ');
  const links = { isGiven: header.includes('<'), isBroken: false };
  const target = nextTarget(header);
  if (target === undefined) return links;
  const base = new URL(path, apiUrl);
  const url = URL.canParse(target, base.href) ? new URL(target, base) : null;
  if (url === null || !url.pathname.startsWith('/')) return { ...links, isBroken: true };
  return { ...links, next: url.pathname + url.search };
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
