// Where the pages of a list stand: as path, number and size.

export type Place = {
  path: string;
  /** Null where a link names none. */
  number: number | null;
  /** How many records are asked for. */
  size: number;
  /** What speaks for it: a link (or that it is the first), nothing but a Total above what came, nothing but how full the page before it is. */
  toldBy: 'link' | 'total' | 'fullness';
  /** Had the page before it just as many records as a page may have? */
  isAfterFull: boolean;
  /** Do we ask for more or for fewer records than before? */
  change: 'grown' | 'shrunk' | null;
};

const BY_LINK = { toldBy: 'link', isAfterFull: false, change: null } as const;

export function firstPlace(path: string, size: number): Place {
  return resized({ path, number: 1, size, ...BY_LINK }, size, 0);
}

/**
 * Where a link leads. One that asks for larger pages than we do, as some always do, or for smaller ones than just came, only says
 * that there is another; but one without a page number knows where that begins.
 */
export function linked(path: string, at: Place, records: number): Place {
  const query = new URLSearchParams(splitPath(path)[1]);
  const number = readNumber(query.get('page'));
  const size = sizeIn(path) ?? at.size;
  const isAsWeAsk = size <= at.size && size >= records;
  if (!isAsWeAsk && number !== null && at.number !== null) return { ...following(at), ...BY_LINK };
  const isCursor = size > at.size && number === null;
  return isCursor
    ? { path: withQuery(path, { per_page: at.size }), number, size: at.size, ...BY_LINK }
    : { path, number, size, ...BY_LINK };
}

/** The next page by number, told of as this one. Only of a place that has a number. */
export function following<P extends Place>(at: P): P {
  const number = (at.number ?? 0) + 1;
  return { ...at, path: withQuery(at.path, { page: number }), number, change: null };
}

/** Begins no later than after the records that came: the server may give fewer to a page than it is asked for. */
export function resized(at: Place, to: number, records: number): Place {
  const { path, size } = at;
  const number = at.number === null ? null : Math.floor(Math.min((at.number - 1) * size, records) / to) + 1;
  const page = number === null || number === 1 ? {} : { page: number };
  const ofSize = withQuery(number === 1 ? withoutPage(path) : path, { per_page: to, ...page });
  const change = to === size ? null : to > size ? 'grown' : 'shrunk';
  return { ...at, path: ofSize, number, size: to, change };
}

/** The size of page that a link asks for. */
export function sizeIn(path: string): number | null {
  return readNumber(new URLSearchParams(splitPath(path)[1]).get('per_page'));
}

function withoutPage(path: string): string {
  const [start, query] = splitPath(path);
  const searchParams = new URLSearchParams(query);
  searchParams.delete('page');
  return `${start}?${searchParams}`;
}

function withQuery(path: string, values: Record<string, number>): string {
  const [start, query] = splitPath(path);
  const searchParams = new URLSearchParams(query);
  for (const [name, value] of Object.entries(values)) searchParams.set(name, String(value));
  return `${start}?${searchParams}`;
}

function splitPath(path: string): [string, string] {
  const at = path.indexOf('?');
  return at === -1 ? [path, ''] : [path.slice(0, at), path.slice(at + 1)];
}

function readNumber(text: string | null): number | null {
  return text !== null && /^[1-9]\d{0,8}$/.test(text) ? Number(text) : null;
}
