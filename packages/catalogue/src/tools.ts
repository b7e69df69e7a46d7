// Procore's list of a project's tools says which are on. Which of its names belongs to which resource is not published
// (docs/procore.md: Tools), so only what is certain counts: names are compared, and whatever fits none is no answer.
import type { CatalogueEntry } from './catalogue-entry.ts';

/** A tool as Procore tells of it in a project; null: it does not say. */
export type ProjectTool = { engineName: string | null; title: string | null; isActive: boolean | null };

/** By what other names a tool may go: Procore's help has some, its paths and events others. */
const OTHER_NAMES: Readonly<Record<string, readonly string[]>> = {
  RFIs: ['Request for Information'],
  'Punch List': ['Punch', 'Punch Items'],
  Inspections: ['Checklists', 'Checklist Lists'],
  Observations: ['Observation Items'],
  Tasks: ['Task Items'],
  Schedule: ['Project Schedule'],
  Photos: ['Images'],
  'Models (BIM)': ['Models', 'BIM'],
  'Field Productivity': ['Timesheets', 'Timecards', 'Timecard Entries'],
  'Prime Contracts': ['Client Contracts'],
  Invoicing: ['Payment Applications'],
  'Correspondence (Generic Tools)': ['Correspondence', 'Generic Tools'],
};

/**
 * Is the resource surely out of reach, because each tool that opens it is off? A tool is known by the name of its engine, and only
 * where that fits none by its title, which people may change.
 */
export function isToolOff(
  { scope, tool, alsoOpenedBy }: Pick<CatalogueEntry, 'scope' | 'tool' | 'alsoOpenedBy'>,
  tools: readonly ProjectTool[],
  known: ReadonlySet<string>,
): boolean {
  if (scope === 'company') return false; // nothing tells of the tools of companies
  return [tool, ...alsoOpenedBy].every((name) => {
    const told = tools.filter((one) => isNamed(one, name, known));
    return told.length > 0 && told.every(({ isActive }) => isActive === false);
  });
}

/** All names that tools of these entries go by, so that one that fits another tool is told apart from one that fits none. */
export function toolNames(entries: readonly Pick<CatalogueEntry, 'tool' | 'alsoOpenedBy'>[]): Set<string> {
  return new Set(entries.flatMap(({ tool, alsoOpenedBy }) => [tool, ...alsoOpenedBy].flatMap(namesOf)));
}

/** The resource that a count of daily logs is of: `manpower_log`, `Manpower`, `ManpowerLogs` are all of Manpower Logs. */
export function isLogModule(
  { tool, resource }: Pick<CatalogueEntry, 'tool' | 'resource'>,
  moduleName: string,
): boolean {
  const kind = (name: string) => plain(name).replace(/log$/, '');
  return tool === 'Daily Log' && kind(moduleName) !== '' && kind(moduleName) === kind(resource);
}

function isNamed({ engineName, title }: ProjectTool, tool: string, known: ReadonlySet<string>): boolean {
  const names = namesOf(tool);
  const engine = plain(engineName ?? '');
  return known.has(engine) ? names.includes(engine) : names.includes(plain(title ?? ''));
}

function namesOf(tool: string): string[] {
  return [tool, ...(OTHER_NAMES[tool] ?? [])].map(plain);
}

/** Without case, blanks, dashes, and the plural of each word: `PunchItem`, `punch_items` and `Punch Items` are the same. */
function plain(name: string): string {
  const words = name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/);
  return words.map((word) => word.replace(/ies$/, 'y').replace(/(?<=[^s])s$/, '')).join('');
}
