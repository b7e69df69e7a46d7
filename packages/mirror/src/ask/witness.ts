// When calls fail, others tell whether it is the place: a record that was shown before, one item of a list, or who we are in the
// company.
import type { CataloguedResource } from '@procore-mirror/catalogue';
import { findOtherPlaces, findParentIds, findWitnesses, type NotedRecord } from '@procore-mirror/database';
import { expandPath, type ProcoreClient, ProcoreUnreachableError } from '@procore-mirror/procore';
import { type Failure, judgeFailure } from '../plan/judge-failure.ts';
import type { BatchRun } from '../run/batch-run.ts';
import { checkMe, checkShow } from '../run/read-answer.ts';
import { showProject } from './list-projects.ts';
import { pagesOf } from './listing-pages.ts';
import { isUnderParent, pathValues } from './record-paths.ts';

/** So many records that are not found one after the other may not be gone. */
const MISSED_IN_A_ROW = 3;
/** Those that were shown before may have been made private since. */
const MOST_NEIGHBOURS = 3;
const MOST_OTHER_PLACES = 3;
/** About six minutes: where a resource shows nothing any more, and its company is well, we may have lost it. */
const MISSED_FOR_LONG = 12;

/** `unknown`: there is nobody else to ask; `limited`: nor may anybody be asked now. */
export type Witness = 'well' | 'not well' | 'unknown' | 'limited';

/** Has the resource a list of all of its scope? */
function hasListOfScope(entry: CataloguedResource): boolean {
  const { list } = entry;
  return list !== null && !list.shared && !isUnderParent(entry, list.path) && list.under === null;
}

/** Asks for one item of the resource's list. False also where it has none of the whole scope. */
export async function isListAnswered(run: BatchRun, entry: CataloguedResource = run.entry): Promise<boolean> {
  if (!hasListOfScope(entry)) return false;
  const answered = await failureOf(run, async () => {
    for await (const _ of pagesOf(run, entry, { parentId: null, perPage: 1 })) return;
  });
  return answered === null;
}

/** The resource whose shows bring the records of this one: itself, or the parents that they live in. */
function shownBy({ settings: { catalogue } }: BatchRun, entry: CataloguedResource): CataloguedResource {
  const isInside = entry.parent !== null && entry.parent.embeddedAs !== null;
  return isInside && entry.parent !== null ? catalogue.get(entry.parent.resource) : entry;
}

/** Asks for records of the resource that were shown before, but for these; for their parents, where records live inside of them. */
export async function askNeighbours(
  run: BatchRun,
  except: readonly string[],
  { entry = run.entry, most = MOST_NEIGHBOURS }: { entry?: CataloguedResource; most?: number } = {},
): Promise<Witness> {
  const shown = shownBy(run, entry);
  let witness: Witness = 'unknown';
  for (const id of (await knownRecords(run, shown, except)).slice(0, most)) {
    const failure = await failureOf(run, () => show(run, shown, id));
    if (failure === null) return 'well';
    if (failure.kind === 'limited') return 'limited';
    witness = 'not well';
  }
  return witness;
}

/**
 * Asks for records that a list lacks: `shown` where one of them is there all the same, so that the list leaves something out;
 * `unknown` where an answer does not tell. Where nothing but the list shows such records, one that says how many there are is enough.
 */
export async function askUnlisted(
  run: BatchRun,
  entry: CataloguedResource,
  { ids, isCounted }: { ids: readonly string[]; isCounted: boolean },
): Promise<'shown' | 'not shown' | 'unknown'> {
  if (entry.show === null) return isCounted ? 'not shown' : 'unknown';
  for (const id of ids) {
    const failure = await failureOf(run, () => show(run, entry, id));
    if (failure === null) return 'shown';
    if (failure.kind !== 'absent') return 'unknown';
  }
  return 'not shown';
}

async function knownRecords(run: BatchRun, shown: CataloguedResource, except: readonly string[]): Promise<string[]> {
  const { batch, settings } = run;
  if (shown.show === null) return [];
  const { pool } = settings.database;
  const projectId = shown.scope === 'project' ? batch.projectId : null;
  return findWitnesses(pool, { table: shown.table, companyId: batch.companyId, projectId }, except);
}

async function show(run: BatchRun, shown: CataloguedResource, id: string): Promise<void> {
  const { batch, settings, signal } = run;
  const { companyId } = batch;
  const projectId = shown.scope === 'project' ? batch.projectId : null;
  const parents = await findParentIds(settings.database.pool, { table: shown.table, companyId, projectId }, [id]);
  const path = expandPath(shown.show ?? '', await pathValues(run, shown, parents.get(id) ?? null, id));
  using answer = await settings.client.get(path, { companyId, signal });
  checkShow(answer.text, shown, id);
  run.seeAnswer();
}

/** Null: the call was answered. Throws what is no failure of Procore's. */
async function failureOf(
  { signal }: { signal?: AbortSignal | undefined },
  call: () => Promise<void>,
): Promise<Failure | null> {
  try {
    await call();
    return null;
  } catch (error) {
    const failure = signal?.aborted ? null : judgeFailure(error);
    if (failure === null) throw error;
    return failure;
  }
}

type Company = {
  client: Pick<ProcoreClient, 'get'>;
  companyId: string;
  signal?: AbortSignal | undefined;
  timeoutMs?: number | undefined;
};

/**
 * A company that disconnected the app refuses everything, even `me` (docs/architecture.md, When Procore refuses). Null: it
 * answers; `absent`: that does not tell.
 */
export async function askCompany({ client, ...company }: Company): Promise<Failure | null> {
  return failureOf(company, async () => {
    using me = await client.get('/rest/v1.0/me', company);
    checkMe(me.text);
  });
}

/** The same of its projects, for where nobody may ask who they are. */
export async function askProjects({
  client,
  ...company
}: Omit<Company, 'client'> & { client: Pick<ProcoreClient, 'pages'> }): Promise<Failure | null> {
  return failureOf(company, () => showProject(client, company));
}

/** The same of the company of a run, once for all runs that ask at the same moment. */
export async function askOwnCompany({ settings, batch, signal }: BatchRun): Promise<Failure | null> {
  const { client, neighbours } = settings;
  const { companyId, lane } = batch;
  const ask = () => askCompany({ client, companyId, signal });
  // Each lane by itself: some wait for leave to call.
  const failure = await neighbours.askTogether(`${companyId}/${lane}/me`, ask, signal);
  if (failure === null) neighbours.companyAnswered(companyId);
  return failure;
}

/**
 * Records were not found, and nothing else was answered: does their place answer at all? If all that it says is that nothing is
 * there, that is its own trouble and proves nothing: throws ProcoreUnreachableError then. `isLast`: what follows is concluded.
 */
export async function insistOnPlace(
  run: BatchRun,
  entry: CataloguedResource,
  records: readonly NotedRecord[],
  { isLast }: { isLast: boolean },
): Promise<void> {
  const { batch, settings } = run;
  if (run.counts().answered > 0) return;
  const ids = records.map(({ id }) => id);
  const missed = settings.neighbours.recordsMissed({ ...batch, resource: entry.resource }, ids);
  if (!run.hasFoundNothing()) {
    if (missed < MISSED_IN_A_ROW && !isLast) return;
    // Of one record alone it is enough that the company is there.
    if (missed === 1 && (await askOwnCompany(run)) === null) return;
    if (await isPlaceAnswered(run, entry, records)) return;
  }
  throw new ProcoreUnreachableError(`nothing else of ${entry.resource} is there, so nothing is taken for gone`);
}

/**
 * Is anything of the resource answered, but for these records? Where nobody else is there to ask, its company may tell.
 * `isListMissed`: its list was not found just now.
 */
export async function isPlaceAnswered(
  run: BatchRun,
  entry: CataloguedResource,
  records: readonly Pick<NotedRecord, 'id' | 'parentId' | 'attempts'>[],
  { isListMissed = false }: { isListMissed?: boolean } = {},
): Promise<boolean> {
  const { neighbours } = run.settings;
  const { companyId } = run.batch;
  if (neighbours.isNothingThere(companyId)) return false;
  const shown = shownBy(run, entry);
  const except = records.flatMap(({ id, parentId }) => (shown === entry ? id : (parentId ?? [])));
  const witness = await askNeighbours(run, except, { entry });
  if (witness === 'well' || (!isListMissed && (await isListAnswered(run, shown)))) return true;
  if (witness === 'not well' && !hasBeenLong(records)) return false;
  const failure = await askOwnCompany(run);
  if (failure === null) return true;
  // Where nobody may ask who they are, the list of projects tells.
  const isThere = failure.kind === 'absent' && (await areProjectsListed(run));
  if (!isThere) neighbours.nothingThere(companyId);
  return isThere;
}

/** Does the company show its projects? Asked once for all runs at the same moment. */
export async function areProjectsListed(run: BatchRun): Promise<boolean> {
  const { catalogue, neighbours } = run.settings;
  const projects = catalogue.find('Projects');
  if (projects?.table == null) return false;
  const { companyId, lane } = run.batch;
  return neighbours.askTogether(`${companyId}/${lane}/projects`, () => isListAnswered(run, projects), run.signal);
}

/** Is anything of the company shown, where records are fetched? Begins with the resource of the run, and its list. */
export async function isSomethingAnswered(run: BatchRun): Promise<boolean> {
  if ((await askNeighbours(run, [])) === 'well' || (await isListAnswered(run))) return true;
  const { catalogue, database } = run.settings;
  for (const place of await findOtherPlaces(database.pool, run.batch, MOST_OTHER_PLACES)) {
    const other = catalogue.find(place.resource);
    if (other?.table == null) continue;
    if ((await askNeighbours(run.elsewhere(place), [], { entry: other, most: 1 })) === 'well') return true;
  }
  return false;
}

/** Has none of them been found for so long that we may have lost the place? */
export function hasBeenLong(records: readonly Pick<NotedRecord, 'attempts'>[]): boolean {
  return records.length > 0 && records.every(({ attempts }) => attempts >= MISSED_FOR_LONG);
}
