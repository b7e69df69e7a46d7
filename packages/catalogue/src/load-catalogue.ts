// The operator's own entries: a JSON file with a list of them, each a new resource or a change of one of ours.
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { type CatalogueSource, catalogue, catalogueOf } from './catalogue.ts';
import { type CatalogueEntry, catalogueEntry } from './catalogue-entry.ts';
import type { Catalogue } from './catalogued-resource.ts';
import { CatalogueError } from './errors.ts';
import { underNewKeys } from './old-keys.ts';
import { ourEntries } from './our-entries.ts';
import { tableNameOf } from './table-names.ts';

/** An entry as it stands in the file: only its name must be there; for the rest see `completed`. */
const fileEntry = z.looseObject({ resource: z.string().min(1, 'must name the resource') });
const file = z.array(fileEntry, { error: 'must hold a list of entries: [ { "resource": … }, … ]' });

/**
 * Our catalogue, with the entries of the file at `path` added or put in the place of ours; just ours without a file.
 * Throws a CatalogueError that lists every problem, each with its entry and field.
 */
export function loadCatalogue(path: string | undefined): Catalogue {
  if (path === undefined) return catalogue;
  const ours = new Map(ourEntries.map((entry) => [entry.resource.toLowerCase(), catalogueEntry.parse(entry)]));
  const theirs = readEntries(path).map((given) => completed(given, ours.get(given.resource.toLowerCase())));
  const sources = new Map(
    [...ours].map(([name, entry]): [string, CatalogueSource] => [name, { entry, isUsers: false }]),
  );
  const problems = [...repeated(theirs.map(({ resource }) => String(resource)))];
  for (const given of theirs) {
    const parsed = catalogueEntry.safeParse(given);
    if (parsed.success) sources.set(parsed.data.resource.toLowerCase(), { entry: parsed.data, isUsers: true });
    else problems.push(...parsed.error.issues.map((issue) => describe(String(given.resource), issue)));
  }
  if (problems.length > 0) throw new CatalogueError(problems.map((problem) => `${path}: ${problem}`));
  return withFile(path, () => catalogueOf([...sources.values()]));
}

/**
 * What is left out keeps the value of our entry; a new entry needs a scope and a way to read it. Paths for a resource
 * that we cannot read make it one that is read. A list that is given anew at our path hides what ours hides, unless it says otherwise.
 */
function completed(given: z.infer<typeof fileEntry>, ours: CatalogueEntry | undefined): Record<string, unknown> {
  // What our list answers when it is asked for deleted records says nothing of another one.
  const isOtherList = 'list' in given && ours?.bin?.path === null;
  const isRead = 'show' in given || 'list' in given || 'parent' in given;
  const defaults = { tool: 'Added', events: ['create', 'update', 'delete'] };
  return {
    ...defaults,
    ...ours,
    ...(isRead && { unread: null }),
    ...(isOtherList && { bin: null }),
    ...given,
    ...listAnew(given.list, ours?.list),
    resource: ours?.resource ?? given.resource,
  };
}

function listAnew(given: unknown, ours: CatalogueEntry['list'] | undefined): Record<string, unknown> {
  const isSame = typeof given === 'object' && given !== null && 'path' in given && given.path === ours?.path;
  return isSame && ours ? { list: { hides: ours.hides, also: ours.also, ...given } } : {};
}

function readEntries(path: string): z.infer<typeof file> {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'), refuseProto);
  } catch (cause) {
    if (cause instanceof CatalogueError) throw withPath(path, cause);
    const why = cause instanceof SyntaxError ? `is no JSON: ${cause.message}` : `cannot be read (${codeOf(cause)})`;
    throw new CatalogueError([`${path} ${why}`], { cause });
  }
  const parsed = file.safeParse(content);
  if (parsed.success) return parsed.data.map((entry) => withNewKeys(path, entry));
  throw new CatalogueError(
    parsed.error.issues.map(({ path: [index, ...field], message }) =>
      index === undefined
        ? `${path} ${message}`
        : `${path}: entry ${Number(index) + 1}: ${[...field, message].join(': ')}`,
    ),
  );
}

function withNewKeys(path: string, entry: z.infer<typeof fileEntry>): z.infer<typeof fileEntry> {
  const { resource } = entry;
  const tell = (change: string) => process.emitWarning(`${path}: "${resource}": ${change}`, 'DeprecationWarning');
  return { ...underNewKeys(entry, tell), resource };
}

function describe(resource: string, issue: z.core.$ZodIssue): string {
  const field = issue.path.join('.');
  return `"${resource}": ${field === '' ? '' : `${field}: `}${issue.message}`;
}

function repeated(names: readonly string[]): string[] {
  const groups = Map.groupBy(names, tableNameOf);
  return [...groups.values()].filter(({ length }) => length > 1).map(([name]) => `"${name}": is there more than once`);
}

function withFile<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof CatalogueError ? withPath(path, error) : error;
  }
}

function withPath(path: string, error: CatalogueError): CatalogueError {
  const problems = error.problems.map((problem) => `${path}: ${problem}`);
  return new CatalogueError(problems, { cause: error });
}

/** zod passes over this key, as a copy of an object that has it gets another prototype instead. */
function refuseProto(key: string, value: unknown): unknown {
  if (key === '__proto__') throw new CatalogueError(['no field is called "__proto__"']);
  return value;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
