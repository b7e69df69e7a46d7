// What there is to read in a project, for a few calls: which of its tools are on, and how many daily logs it has. Nobody is known to
// have called either, so whatever is no such answer tells nothing, and what is not known is read all the same.
import { type Catalogue, type CataloguedResource, isLogModule, isToolOff, toolNames } from '@procore-mirror/catalogue';
import type { Lane } from '@procore-mirror/database';
import { expandPath, type ProcoreClient, ProcoreFormatError, ProcoreResponseError } from '@procore-mirror/procore';
import { z } from 'zod';
import { datesBetween, windowsBack } from '../plan/date-windows.ts';

export type Survey = {
  /** Resources whose tools are surely off: their lists are not worth a call. */
  off: ReadonlySet<string>;
  /**
   * How many records the windows of `windowsBack` hold, newest first, of resources that are counted. A resource of which none was
   * counted is not among them: who is no Admin of the Daily Log does not see all of it, and the answer does not tell who is.
   */
  logs: ReadonlyMap<string, readonly number[]>;
};

/** `lane`: in which it asks; `backfill` when left out. */
type Place = { companyId: string; projectId: string; signal: AbortSignal; lane?: Lane };

export const NOTHING_KNOWN: Survey = { off: new Set(), logs: new Map() };

const toolRow = z.object({
  engine_name: z.string().nullish(),
  title: z.string().nullish(),
  is_active: z.boolean().nullish(),
});
const countRow = z.object({ module_name: z.string(), count: z.coerce.number().int().min(0) });
// See docs/procore.md: Tools.
const TOOLS = { path: '/rest/v1.0/projects/{project_id}/tools', row: toolRow };
const COUNTS = { path: '/rest/v1.1/projects/{project_id}/daily_logs/counts', row: countRow };

/**
 * Asks which of the project's tools are on, and then counts its daily logs. `resources` are those that are to be
 * filled. Throws only what is no answer: Procore cannot be reached, is busy, or gives no token.
 */
export async function surveyProject(
  client: ProcoreClient,
  place: Place & {
    catalogue: Pick<Catalogue, 'entries' | 'mirrored'>;
    resources: readonly CataloguedResource[];
    now: Date;
  },
): Promise<Survey> {
  const { resources } = place;
  const off = await findOff(client, place);
  const logs = resources.filter(
    ({ tool, list, resource }) => tool === 'Daily Log' && list?.todayOnly && !off.has(resource),
  );
  return { off, logs: logs.length === 0 ? NOTHING_KNOWN.logs : await countLogs(client, place, logs) };
}

/** The resources of projects whose tools are surely off there. Throws as `surveyProject`. */
export async function findOff(
  client: ProcoreClient,
  place: Place & { catalogue: Pick<Catalogue, 'entries' | 'mirrored'> },
): Promise<Survey['off']> {
  const { entries, mirrored } = place.catalogue;
  const rows = (await ask(client, place, TOOLS)) ?? [];
  const tools = rows.map((row) => ({
    engineName: row.engine_name ?? null,
    title: row.title ?? null,
    isActive: row.is_active ?? null,
  }));
  const known = toolNames(entries);
  return new Set(mirrored.filter((entry) => isToolOff(entry, tools, known)).map(({ resource }) => resource));
}

async function countLogs(
  client: ProcoreClient,
  place: Place & { now: Date },
  entries: readonly CataloguedResource[],
): Promise<Survey['logs']> {
  const counts = new Map<string, number[]>();
  for (const [index, window] of windowsBack(place.now).entries()) {
    const rows = await ask(client, place, COUNTS, [...datesBetween(window), ['filters[status]', 'all']]);
    if (rows === null) return NOTHING_KNOWN.logs;
    for (const { resource, tool } of entries) {
      const told = rows.filter((row) => isLogModule({ resource, tool }, row.module_name));
      const before = counts.get(resource) ?? Array.from({ length: index }, () => 0);
      counts.set(resource, [...before, told.reduce((sum, { count }) => sum + count, 0)]);
    }
  }
  return new Map([...counts].filter(([, perWindow]) => perWindow.some((count) => count > 0)));
}

/** Null: Procore does not say, or not so that it can be understood. */
async function ask<S extends z.ZodObject>(
  client: ProcoreClient,
  { companyId, projectId, signal, lane = 'backfill' }: Place,
  { path, row }: { path: string; row: S },
  searchParams: readonly (readonly [string, string])[] = [],
): Promise<z.infer<S>[] | null> {
  try {
    using answer = await client.get(expandPath(path, { project_id: projectId }), {
      ...{ companyId, signal, searchParams: [...searchParams, ALL_ON_ONE_PAGE] },
      fields: new Set(Object.keys(row.shape)),
      purpose: { projectId, resource: null, lane },
    });
    const rows = z.array(row).safeParse(answer.text.fields);
    return rows.success ? rows.data : null;
  } catch (error) {
    if (error instanceof ProcoreResponseError || error instanceof ProcoreFormatError) return null;
    throw error;
  }
}

/** A project has some thirty tools, and a Daily Log some twenty modules. */
const ALL_ON_ONE_PAGE = ['per_page', '1000'] as const;
