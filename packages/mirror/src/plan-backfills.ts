// Asks what there is to fill, and stores nothing: the tools of each project, counts of its daily logs, and one record of each list.
import { type CataloguedResource, isListedByParent, parentsOf } from '@procore-mirror/catalogue';
import type { BatchKey } from '@procore-mirror/database';
import {
  ProcoreBusyError,
  type ProcoreClient,
  ProcoreTokenError,
  ProcoreUnreachableError,
} from '@procore-mirror/procore';
import { countList } from './ask/count-list.ts';
import { knownPageSize } from './ask/listing-pages.ts';
import { NOTHING_KNOWN, type Survey, surveyProject } from './ask/survey-project.ts';
import { type Patience, tryCalls } from './ask/try-calls.ts';
import { datesBetween, windowsBack } from './plan/date-windows.ts';
import { type BackfillCost, costOfBackfill, type KnownLists } from './plan/plan-backfill.ts';
import { type BatchRun, createRun } from './run/batch-run.ts';
import type { FetchSettings } from './run/fetch-settings.ts';
import { createRunNotes } from './run/run-notes.ts';
import type { Scope } from './scope.ts';

export type PlannedBackfill = BatchKey &
  BackfillCost & { /** Why its list could not be counted. */ trouble: string | null };

export type PlannedBackfills = {
  backfills: readonly PlannedBackfill[];
  /** Calls that it took to find out. */
  calls: number;
};

type Options = Pick<Patience, 'signal' | 'pausesMs'> & {
  settings: FetchSettings;
  scopes: readonly Scope[];
  now: Date;
  /** Told of each scope that was looked at. */
  onScope?: () => void;
};

/** What is known of a list, and one of its records, under which its children are counted. */
type Asked = KnownLists & { sample: { id: string; parentId: string | null } | null; trouble: string | null };

const SCOPES_AT_ONCE = 4;

/**
 * What the backfill of these scopes will cost, and how many calls it took to find out. A list that refuses to be counted has its trouble;
 * throws where Procore gives no answer at all.
 */
export async function planBackfills(options: Options): Promise<PlannedBackfills> {
  const counter = { calls: 0 };
  const settings = { ...options.settings, client: counting(options.settings.client, counter) };
  const found: PlannedBackfill[][] = options.scopes.map(() => []);
  const left = [...options.scopes.entries()];
  const takeTurns = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [index, scope] = next;
      found[index] = await planScope({ ...options, settings }, scope);
      options.onScope?.();
    }
  };
  await Promise.all(Array.from({ length: SCOPES_AT_ONCE }, takeTurns));
  return { backfills: found.flat(), calls: counter.calls };
}

async function planScope(options: Options, { companyId, projectId, resources }: Scope): Promise<PlannedBackfill[]> {
  const { settings, signal } = options;
  const { catalogue } = settings;
  const entries = resources.map((name) => catalogue.get(name));
  const survey = projectId === null ? NOTHING_KNOWN : await surveyOf({ companyId, projectId }, entries, options);
  const asked = new Map<string, Asked>();
  // Parents of what is wanted are counted, too: a backfill of children walks over them.
  for (const entry of withParents(settings, entries)) {
    const run = openRun(settings, { companyId, projectId, resource: entry.resource }, signal);
    const isOff = survey.off.has(entry.resource);
    const logs = survey.logs.get(entry.resource);
    const found = isOff ? OFF : await askList(run, { ...options, asked, logs });
    asked.set(entry.resource, { ...found, isFilled: entries.includes(entry) });
  }
  return entries.map((entry) => ({
    ...{ companyId, projectId, resource: entry.resource, trouble: asked.get(entry.resource)?.trouble ?? null },
    ...costOfBackfill(catalogue, entry, asked),
  }));
}

async function surveyOf(
  place: { companyId: string; projectId: string },
  resources: readonly CataloguedResource[],
  options: Options,
): Promise<Survey> {
  const { settings, signal, now } = options;
  const { catalogue, client } = settings;
  const asking = { ...place, signal, catalogue, resources, now };
  const outcome = await tryList(() => surveyProject(client, asking), options);
  return 'done' in outcome ? outcome.done : NOTHING_KNOWN;
}

const OFF: Asked = {
  ...{ state: 'off', totals: [], isEstimate: false, pageSize: 1, isFilled: false, sample: null, trouble: null },
};

type Asking = Options & { asked: ReadonlyMap<string, Asked>; logs: readonly number[] | undefined };

async function askList(run: BatchRun, { asked, logs, ...options }: Asking): Promise<Asked> {
  const { entry } = run;
  const known: Asked = { ...OFF, state: 'known', pageSize: await knownPageSize(run, entry) };
  if (entry.list === null || entry.list.shared) return known;
  if (logs !== undefined) return { ...known, totals: logs };
  const parent = sampleOfParents(run, asked);
  // Nothing of it is seen: what it has nobody can tell, if there are parents.
  if (isListedByParent(entry) && parent === null) return { ...known, totals: [0], isEstimate: true };
  const windows = entry.list.todayOnly ? windowsBack(options.now) : [];
  const [newest] = windows;
  const parentId = isListedByParent(entry) ? parent : null;
  const searchParams = newest === undefined ? [] : datesBetween(newest);
  const counted = await tryList(() => countList(run, entry, { parentId, searchParams }), options);
  if ('refused' in counted) return { ...known, state: 'refused', trouble: counted.refused };
  const { total, firstId } = counted.done;
  const sample = firstId === null ? null : { id: firstId, parentId };
  // The other windows are taken to hold as much as the newest.
  const further: (number | null)[] = [];
  for (const also of entry.list.also) {
    const more = await tryList(() => countList(run, entry, { parentId, searchParams: [], also }), options);
    further.push('done' in more ? more.done.total : 0); // a fill does without one that refuses, and has asked it
  }
  const totals = [...(newest === undefined ? [total] : windows.map(() => total)), ...further];
  return { ...known, totals, isEstimate: windows.length > 1, sample };
}

/** A parent under which the resource may be counted; the run learns where all that were counted are. Null: none is known. */
function sampleOfParents(run: BatchRun, asked: ReadonlyMap<string, Asked>): string | null {
  for (const [resource, { sample }] of asked)
    if (sample !== null && sample.parentId !== null) run.learnParent({ resource }, sample.id, sample.parentId);
  const samples = parentsOf(run.settings.catalogue, run.entry).map(({ resource }) => asked.get(resource)?.sample?.id);
  return samples.find((id) => id !== undefined) ?? null;
}

/** The entries and all above them, parents first. */
function withParents({ catalogue }: FetchSettings, entries: readonly CataloguedResource[]): CataloguedResource[] {
  const wanted = new Set(entries);
  const add = (entry: CataloguedResource) => {
    if (!isListedByParent(entry)) return;
    for (const parent of parentsOf(catalogue, entry)) {
      wanted.add(parent);
      add(parent);
    }
  };
  for (const entry of entries) add(entry);
  return catalogue.mirrored.filter((entry) => wanted.has(entry));
}

/** A run that notes nothing and takes no number, because nothing is stored. */
function openRun(settings: FetchSettings, scope: BatchKey, signal: AbortSignal): BatchRun {
  const batch = { ...scope, lane: 'backfill' } as const;
  const entry = settings.catalogue.get(scope.resource);
  return createRun({ settings, batch, entry, signal, version: '0' }, createRunNotes(batch, []));
}

/** The same client; `counter` has the calls that were made. */
function counting(client: ProcoreClient, counter: { calls: number }): ProcoreClient {
  return {
    ...client,
    get: (path, options) => {
      counter.calls += 1;
      return client.get(path, options);
    },
  };
}

/** With some patience. What is no such answer is returned; throws where there is none at all. */
async function tryList<T>(
  work: () => Promise<T>,
  { signal, pausesMs }: Pick<Patience, 'signal' | 'pausesMs'>,
): Promise<{ done: T } | { refused: string }> {
  let last: unknown;
  const noted = () =>
    work().catch((error: unknown) => {
      last = error;
      throw error;
    });
  const outcome = await tryCalls(noted, { signal, pausesMs });
  if ('refused' in outcome && isNoAnswer(last)) throw last;
  return outcome;
}

function isNoAnswer(error: unknown): boolean {
  return [ProcoreUnreachableError, ProcoreTokenError, ProcoreBusyError].some((kind) => error instanceof kind);
}
