// Scopes that are to blame: a resource, its company, or everything is parked, and its probes find out when that is over.
import {
  findOtherCompany,
  isScopeParked,
  keepParked,
  parkScope,
  type Scope,
  type Trouble,
  wasAnswered,
} from '@procore-mirror/database';
import { areProjectsListed, askCompany, askOwnCompany, isSomethingAnswered } from '../ask/witness.ts';
import { isRefusal, NOTHING_THERE, ofCompany } from '../plan/judge-failure.ts';
import type { BatchRun } from '../run/batch-run.ts';
import { setAside } from './blame-records.ts';
import { type Next, type Progress, UNKNOWN } from './progress.ts';

/** So many resources of a company, and companies, that fail may not be to blame themselves. One that refuses us is enough to ask the company. */
const RESOURCES_OF_A_COMPANY = 2;
const COMPANIES_OF_ALL = 2;
/** Tools that are turned off refuse many fills and comparisons in a row. */
const LISTS_OF_A_COMPANY = 3;
/** Since a fill was refused before (`plan/judge-fill.ts`). */
const LATELY_MS = 7_000;

/** The resource does not answer in its company or project; perhaps the whole company does not, or nobody. */
export async function park(run: BatchRun, progress: Progress): Promise<Next> {
  const { database, parking } = run.settings;
  const { companyId, projectId, resource } = run.batch;
  const trouble = progress.failures().at(-1)?.trouble ?? UNKNOWN;
  await setAside(run, progress);
  if (progress.isProbe())
    await keepParked(database, run.batch, progress.isWide ? ofCompany(trouble) : trouble, parking);
  else if (trouble.reason === 'no_token') await parkEverything(run, trouble);
  else await parkAndTell(run, { companyId, projectId, resource }, trouble);
  const isSettled = progress.isProbe() && progress.isWide;
  progress.probed();
  if (!isSettled) await parkCompanyOf(run, trouble);
  return { kind: 'end', outcome: 'parked' };
}

/**
 * A resource could not be filled, or compared. That one is not parked, for it has no news; its company is, or everything, if that is what fails.
 * Returns whether that is so. `isSure`: is it no first refusal?
 */
export async function settleFailedList(
  run: BatchRun,
  trouble: Trouble,
  { isSure }: { isSure: boolean },
): Promise<boolean> {
  if (trouble.reason === 'no_token') {
    await parkEverything(run, trouble);
    return true;
  }
  const { database } = run.settings;
  // The last lists of a company are fewer.
  const isAlone = isRefusal(trouble) && isSure && !(await wasAnswered(database, run.batch.companyId, LATELY_MS));
  return parkCompanyOf(run, trouble, isAlone ? 1 : LISTS_OF_A_COMPANY);
}

/** Parks the company if it may be what fails and does not say who we are. Returns whether it is parked. */
export async function parkCompanyOf(run: BatchRun, cause: Trouble, enough?: number): Promise<boolean> {
  const failed = run.settings.neighbours.resourceFailed(run.batch);
  const least = enough ?? (isRefusal(cause) ? 1 : RESOURCES_OF_A_COMPANY);
  if (cause.reason === 'no_token' || failed < least) return false;
  const { database, neighbours } = run.settings;
  const { companyId } = run.batch;
  if (await isScopeParked(database.pool, { companyId, projectId: null, resource: null })) return true;
  const question = `${companyId}/${run.batch.lane}/anything/${Math.min(failed, RESOURCES_OF_A_COMPANY)}`;
  const failure = await neighbours.askTogether(question, () => troubleOfCompany(run, failed), run.signal);
  if (failure === null) return false;
  const trouble = ofCompany(failure);
  await parkAndTell(run, { companyId, projectId: null, resource: null }, trouble);
  const failing = neighbours.companyFailed(companyId);
  if (failing.length >= COMPANIES_OF_ALL && !(await isOtherAnswered(run, failing))) await parkEverything(run, trouble);
  return true;
}

/** Where nobody may ask who they are, what the company shows tells. */
async function troubleOfCompany(run: BatchRun, failedResources: number): Promise<Trouble | null> {
  if (run.settings.neighbours.isNothingThere(run.batch.companyId)) return NOTHING_THERE.trouble;
  const failure = await askOwnCompany(run);
  const isAbsent = failure?.kind === 'absent' && failedResources >= RESOURCES_OF_A_COMPANY;
  if (failure?.kind !== 'trouble' && !isAbsent) return null;
  const { trouble } = failure.kind === 'trouble' ? failure : NOTHING_THERE;
  const isToAsk = isAbsent || isRefusal(trouble);
  return isToAsk && ((await isSomethingAnswered(run)) || (await areProjectsListed(run))) ? null : trouble;
}

/** A company that is not known to fail may be well, which is none of their trouble. */
async function isOtherAnswered({ settings, batch, signal }: BatchRun, failing: readonly string[]): Promise<boolean> {
  const { client, database, neighbours } = settings;
  const ask = async () => {
    const companyId = await findOtherCompany(database.pool, failing);
    if (companyId === null) return false;
    return (await askCompany({ client, companyId, signal }))?.kind !== 'trouble';
  };
  return neighbours.askTogether(`another company than ${failing.toSorted().join(', ')}/${batch.lane}`, ask, signal);
}

async function parkEverything(run: BatchRun, trouble: Trouble): Promise<void> {
  await parkAndTell(run, { companyId: null, projectId: null, resource: null }, trouble);
}

async function parkAndTell(run: BatchRun, scope: Scope, trouble: Trouble): Promise<void> {
  const { database, parking } = run.settings;
  if (await parkScope(database, scope, trouble, parking)) run.parked({ ...scope, ...trouble });
}
