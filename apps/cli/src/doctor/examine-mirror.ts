// What the mirror's own database tells beside what the judge goes by.
import { type Catalogue, isDeprecated } from '@procore-mirror/catalogue';
import {
  checkDatabase,
  countByRoute,
  type Database,
  DatabaseVersionError,
  findMiscounts,
  lookAtRights,
  readOrigin,
} from '@procore-mirror/database';
import { type DoctorFacts, isSelected } from '@procore-mirror/mirror';

const COUNTING_MS = 20_000;

/** Why the database does not fit this version; null: it does. */
export async function misfitOf(database: Database): Promise<string | null> {
  try {
    await checkDatabase(database);
    return null;
  } catch (error) {
    if (error instanceof DatabaseVersionError) return error.message;
    throw error;
  }
}

/** Of a database that fits. `environment`: the one that is set. */
export async function examineMirror(
  database: Database,
  chosen: { catalogue: Catalogue; resources: readonly string[] | null; environment: string },
): Promise<Pick<DoctorFacts, 'rights' | 'deprecated' | 'otherOrigin' | 'counts'>> {
  const { environment } = chosen;
  const { pool } = database;
  const origin = await readOrigin(pool);
  const isOther = origin !== null && origin.environment !== environment;
  return {
    rights: await lookAtRights(pool),
    counts: await findMiscounts(database, chosen.catalogue.tables, { withinMs: COUNTING_MS }),
    deprecated: deprecatedAmong(chosen, await countByRoute(pool)),
    otherOrigin: isOther ? { database: origin.environment, set: environment } : null,
  };
}

/** Deprecated paths that the catalogue has, or that were called. */
function deprecatedAmong(
  { catalogue, resources }: { catalogue: Catalogue; resources: readonly string[] | null },
  routes: Awaited<ReturnType<typeof countByRoute>>,
): NonNullable<DoctorFacts['deprecated']> {
  const read = catalogue.mirrored
    .filter((entry) => isSelected(entry, { resources }))
    .flatMap(({ resource, show, list, bin }) =>
      [show, list?.path ?? null, ...(list?.also ?? []), bin?.path ?? null].flatMap((path) =>
        path !== null && isDeprecated(path) ? [{ path: withoutNames(path), resource }] : [],
      ),
    );
  const called = routes
    .map(({ route, ...calls }) => ({ path: route.replace(/^[A-Z]+ /, ''), ...calls }))
    .filter(({ path }) => isDeprecated(path));
  return [...new Set([...read, ...called].map(({ path }) => path))].map((path) => {
    const own = called.filter((one) => one.path === path);
    return {
      path,
      resources: [...new Set(read.filter((one) => one.path === path).map(({ resource }) => resource))],
      calls: own.reduce((sum, { calls }) => sum + calls, 0),
      lastAt:
        own
          .map(({ lastAt }) => lastAt)
          .toSorted()
          .at(-1) ?? null,
    };
  });
}

/** As routes of calls are noted. */
function withoutNames(path: string): string {
  return path.replaceAll(/\{[^{}]*\}/g, '{id}');
}
