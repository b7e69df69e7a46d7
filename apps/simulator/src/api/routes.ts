// The paths of the records, from the catalogue: which resource a path shows or lists, and the ids it names.
import { type CataloguedResource, catalogue } from '../catalogue.ts';
import { listTraits } from '../world/list-traits.ts';

/** `live` and active ones; those that are left out because they are `inactive`; or `deleted` ones, a recycle bin. */
export type Shown = 'live' | 'inactive' | 'deleted';

export type Route = {
  kind: 'show' | 'list';
  /** Usually one; resources that Procore serves from one path share it. */
  resources: CataloguedResource[];
  /** Which of the records a list is of, where nothing else is asked for. */
  shows: Shown;
  path: string;
  segments: readonly string[];
  /** Query parameters that must be given. */
  required: readonly string[];
};

export type Match = { route: Route; values: Readonly<Record<string, string>> };

/** The resource that a call of the route is counted for. */
export function resourceOf({ resources }: Route): string | null {
  return resources[0]?.resource ?? null;
}

export type FindRoute = (path: string, query: URLSearchParams) => Match | undefined;

/** Makes the finder for all resources of the catalogue. */
export function createFindRoute(): FindRoute {
  const routes = new Map<string, Route>();
  for (const entry of catalogue.mirrored) {
    addRoute(routes, 'show', entry, entry.show);
    addRoute(routes, 'list', entry, entry.list?.path ?? null);
    addRoute(routes, 'list', entry, listTraits(entry.resource).inactivePath ?? null, 'inactive');
    addRoute(routes, 'list', entry, entry.bin?.path ?? null, 'deleted');
  }
  const byLength = Map.groupBy(routes.values(), ({ segments }) => segments.length);

  return (path, query) => {
    const segments = path.split('/').slice(1).map(decode);
    const fitting = (byLength.get(segments.length) ?? []).filter((route) => fits(route, segments));
    // A literal segment beats a placeholder: `…/direct_costs/line_items` is not a direct cost called "line_items".
    const [route] = fitting.toSorted((a, b) => literals(b) - literals(a));
    return route === undefined ? undefined : { route, values: valuesOf(route, segments, query) };
  };
}

function addRoute(
  routes: Map<string, Route>,
  kind: Route['kind'],
  entry: CataloguedResource,
  template: string | null,
  shows: Shown = 'live',
): void {
  if (template === null) return;
  const [path = '', search = ''] = template.split('?');
  const key = `${kind} ${path}`;
  const known = routes.get(key);
  if (known !== undefined) known.resources.push(entry);
  const segments = path.split('/').slice(1);
  // Those that name an id must be given, a view may be.
  const required = [...search.matchAll(/([^&=]+)=\{/g)].map(([, name = '']) => name);
  if (known === undefined) routes.set(key, { kind, resources: [entry], shows, path, segments, required });
}

const isPlaceholder = (segment: string): boolean => segment.startsWith('{');

function fits({ segments }: Route, given: readonly string[]): boolean {
  return segments.every((segment, index) => isPlaceholder(segment) || segment === given[index]);
}

function literals({ segments }: Route): number {
  return segments.filter((segment) => !isPlaceholder(segment)).length;
}

function valuesOf({ segments }: Route, given: readonly string[], query: URLSearchParams): Record<string, string> {
  // Of query parameters only plain ids matter here; filters are read where lists are made.
  const values = Object.fromEntries([...query].filter(([name]) => /^[a-z_]+_id$/.test(name)));
  segments.forEach((segment, index) => {
    if (isPlaceholder(segment)) values[segment.slice(1, -1)] = given[index] ?? '';
  });
  return values;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
