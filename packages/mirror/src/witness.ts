// When calls fail, others tell whether it is the place: one item of its list, or who we are in its company.
import { findParentIds, listIds } from '@procore-mirror/database';
import { expandPath, ProcoreUnreachableError } from '@procore-mirror/procore';
import type { BatchRun } from './batch-run.ts';
import type { CataloguedResource } from './catalogue/catalogue.ts';
import { type Failure, judgeFailure } from './judge-failure.ts';
import { isUnderParent, pagesOf, pathValues } from './listing.ts';
import { checkMe, checkShow } from './read-answer.ts';

/** So many records that are not found one after the other may not be gone. */
const MISSED_IN_A_ROW = 3;

/** Has the resource a list of all of its scope? */
function hasListOfScope(resource: CataloguedResource): boolean {
  const { list } = resource;
  return list !== null && !list.shared && !isUnderParent(resource, list.path) && list.under === null;
}

/** Asks for one item of the resource's list. False also where it has none of the whole scope. */
export async function isListAnswered(run: BatchRun): Promise<boolean> {
  if (!hasListOfScope(run.resource)) return false;
  try {
    for await (const _ of pagesOf(run, run.resource, { parentId: null, perPage: 1 })) return true;
    return false;
  } catch (error) {
    if (run.signal.aborted || judgeFailure(error) === null) throw error;
    return false;
  }
}

/** Does the resource answer, but for these records? Its list tells, or else a record that it showed before. */
export async function isResourceAnswered(run: BatchRun, except: readonly string[]): Promise<boolean> {
  return (await isListAnswered(run)) || (await isNeighbourAnswered(run, except));
}

async function isNeighbourAnswered(run: BatchRun, except: readonly string[]): Promise<boolean> {
  const { batch, resource, settings, signal } = run;
  const { companyId, projectId } = batch;
  if (resource.show === null) return false;
  const known = await listIds(settings.database.pool, resource.table, companyId, projectId, except.length + 1);
  const id = known.find((one) => !except.includes(one));
  if (id === undefined) return false;
  const parents = await findParentIds(settings.database.pool, resource.table, companyId, projectId, [id]);
  try {
    const path = expandPath(resource.show, await pathValues(run, resource, parents.get(id) ?? null, id));
    using shown = await settings.client.get(path, { companyId, signal });
    checkShow(shown.text, resource, id);
    run.seeAnswer();
    return true;
  } catch (error) {
    if (signal.aborted || judgeFailure(error) === null) throw error;
    return false;
  }
}

/**
 * A company that disconnected the app refuses everything, even `me` (docs/architecture.md, When Procore refuses). Null: it
 * answers; `absent`: that does not tell.
 */
export async function askCompany(run: BatchRun): Promise<Failure | null> {
  try {
    using me = await run.settings.client.get('/rest/v1.0/me', { companyId: run.batch.companyId, signal: run.signal });
    checkMe(me.text);
    run.seeAnswer();
    return null;
  } catch (error) {
    const failure = run.signal.aborted ? null : judgeFailure(error);
    if (failure === null) throw error;
    return failure;
  }
}

/**
 * Where several records in a row were not found and nothing else was answered, does the place answer at all? If all that it says is
 * that nothing is there, that is its own trouble and proves nothing: throws ProcoreUnreachableError then.
 */
export async function insistOnPlace(
  run: BatchRun,
  resource: CataloguedResource,
  ids: readonly string[],
): Promise<void> {
  const { batch, calls, settings } = run;
  if (calls.answered > 0) return;
  const records = ids.map((id) => `${batch.projectId}/${resource.resource}/${id}`);
  if (settings.neighbours.recordsMissed(batch.companyId, records) < MISSED_IN_A_ROW) return;
  const failure = await askCompany(run);
  if (failure === null) return;
  // Where nobody may ask who they are, the list tells.
  if (failure.kind === 'absent' && (!hasListOfScope(run.resource) || (await isListAnswered(run)))) return;
  throw new ProcoreUnreachableError(`nothing of company ${batch.companyId} is there, so nothing is taken for gone`);
}
