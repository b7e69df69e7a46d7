// What is to be mirrored, kept in `mirror.selection`: each company, and those of its projects that are wanted and that Procore shows.
import { type Database, noteProjects, readProjects } from '@procore-mirror/database';
import type { ProcoreClient } from '@procore-mirror/procore';
import { listProjects } from './ask/list-projects.ts';
import { type Patience, tryCalls } from './ask/try-calls.ts';
import { selectProjects, type WantedProjects } from './plan/select-projects.ts';
import { type Clock, realTime } from './run/clock.ts';
import type { Scope } from './scope.ts';

type Options = {
  client: ProcoreClient;
  database: Database;
  companyId: string;
  wanted: WantedProjects;
  signal: AbortSignal;
  /** For whoever has a time of their own. */
  clock?: Clock;
};

export type SelectedProjects = {
  /** By id. */
  selected: readonly string[];
  /** Projects that were selected before, or that we know, and are not to be mirrored. */
  left: readonly string[];
  /** Those that were not selected before. */
  come: readonly string[];
};

export type SelectedScopes = {
  /** Each company before its projects. */
  scopes: readonly Pick<Scope, 'companyId' | 'projectId'>[];
  /** Projects that are not selected any more. */
  left: readonly { companyId: string; projectId: string }[];
};

/**
 * What is selected of these companies. Where `select` is `selectCompany` it is noted, too. `say` is told of companies whose projects
 * cannot be listed, of which what was selected before is selected still, and `note` of projects that are wanted by id and not shown.
 */
export async function selectScopes(
  options: Omit<Options, 'companyId'> &
    Patience & {
      companyIds: readonly string[];
      select: typeof planProjects;
      say: (line: string) => void;
      note: (line: string) => void;
    },
): Promise<SelectedScopes> {
  const { companyIds, select, say, note, database, wanted } = options;
  const scopes: Pick<Scope, 'companyId' | 'projectId'>[] = [];
  const left: { companyId: string; projectId: string }[] = [];
  for (const companyId of companyIds) {
    scopes.push({ companyId, projectId: null });
    const tried = await tryCalls(() => select({ ...options, companyId }), options);
    if ('refused' in tried) say(`Projects of company ${companyId} are not mirrored: ${tried.refused}`);
    const found = 'done' in tried ? tried.done : await asBefore(database, companyId);
    scopes.push(...found.selected.map((projectId) => ({ companyId, projectId })));
    left.push(...found.left.map((projectId) => ({ companyId, projectId })));
  }
  const shown = new Set(scopes.map(({ projectId }) => projectId));
  const unseen = wanted === 'active' ? [] : wanted.filter((id) => !shown.has(id));
  if (unseen.length > 0) note(`MIRROR_PROJECTS names what Procore does not show as active: ${unseen.join(', ')}`);
  return { scopes, left };
}

async function asBefore(database: Database, companyId: string): Promise<Pick<SelectedProjects, 'selected' | 'left'>> {
  const known = await readProjects(database.pool, companyId);
  return { selected: known.filter(({ isSelected }) => isSelected).map(({ projectId }) => projectId), left: [] };
}

/** Lists the company's projects and says which are selected. Writes nothing. Throws what the client throws. */
export async function planProjects(options: Options): Promise<SelectedProjects> {
  return (await look(options)).found;
}

/** The same, and notes it: what left the selection, what is new in it. */
export async function selectCompany(options: Options): Promise<SelectedProjects> {
  const { database, companyId, clock = realTime } = options;
  const begunAt = clock.now();
  const { found, projects } = await look(options);
  await noteProjects(database, { companyId, projects, ageMs: clock.now() - begunAt });
  return found;
}

async function look({ client, database, companyId, wanted, signal }: Options) {
  const known = await readProjects(database.pool, companyId);
  const before = new Set(known.filter(({ isSelected }) => isSelected).map(({ projectId }) => projectId));
  const listing = await listProjects(client, companyId, { signal, expected: [...before] });
  const projects = selectProjects(known, listing, wanted);
  const selected = projects.flatMap(({ isSelected, projectId }) => (isSelected ? [projectId] : [])).toSorted(byId);
  const isSelected = new Set(selected);
  const left = known.map(({ projectId }) => projectId).filter((id) => !isSelected.has(id));
  return { projects, found: { selected, left, come: selected.filter((id) => !before.has(id)) } };
}

/** Ids without zeros in front: a shorter one is less. */
function byId(one: string, other: string): number {
  return one.length - other.length || (one < other ? -1 : 1);
}
