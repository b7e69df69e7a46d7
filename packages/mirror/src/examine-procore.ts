// Whether Procore answers the service account, and what it may read there: a call for who we are in each company, and one or two for
// each tool in a few places. Nothing is stored.
import { type CataloguedResource, isListedByParent } from '@procore-mirror/catalogue';
import type { ProcoreClient } from '@procore-mirror/procore';
import { countList } from './ask/count-list.ts';
import { findOff } from './ask/survey-project.ts';
import { type Patience, tryCalls } from './ask/try-calls.ts';
import { askCompany, askProjects } from './ask/witness.ts';
import { ScopeParkedError } from './errors.ts';
import type { CompanyFacts, ToolFacts } from './judge/doctor-facts.ts';
import { type Failure, judgeFailure } from './plan/judge-failure.ts';
import { createRun } from './run/batch-run.ts';
import type { FetchSettings } from './run/fetch-settings.ts';
import { createRunNotes } from './run/run-notes.ts';
import type { Scope } from './scope.ts';

type Patient = Pick<Patience, 'signal' | 'pausesMs'>;

/** Asks who we are in the company, and where that does not tell for one of its projects. Throws the signal's reason. */
export async function examineCompany(
  client: Pick<ProcoreClient, 'get' | 'pages'>,
  companyId: string,
  { signal }: Pick<Patient, 'signal'>,
): Promise<CompanyFacts> {
  try {
    const asked = { client, companyId, signal };
    const failure = await askCompany(asked);
    return { companyId, ...answerOf(failure?.kind === 'absent' ? await askProjects(asked) : failure) };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ScopeParkedError)) throw error;
    return { companyId, answer: 'not asked', message: error.message };
  }
}

function answerOf(failure: Failure | null): Pick<CompanyFacts, 'answer' | 'message'> {
  if (failure === null || failure.kind === 'in doubt') return { answer: 'well', message: null };
  if (failure.kind === 'limited') return { answer: 'not asked', message: 'Procore allows no calls just now' };
  if (failure.kind === 'absent') return { answer: 'unknown', message: 'it was answered 404' };
  const { reason, detail } = failure.trouble;
  if (reason === 'forbidden' || reason === 'unauthorized') return { answer: 'refused', message: detail };
  return { answer: 'no answer', message: detail };
}

/** The calls that `examineTools` makes at most: to say beforehand. */
export function callsToExamine(catalogue: FetchSettings['catalogue'], scopes: readonly Scope[]): number {
  return scopes.reduce((sum, scope) => sum + toolsOf(catalogue, scope).size + Number(scope.projectId !== null), 0);
}

/**
 * Asks one list of each tool for one record, and where that is refused another one. What Procore says is off is not asked. Throws the
 * signal's reason, and where Procore gives no answer at all.
 */
export async function examineTools(
  settings: FetchSettings,
  scope: Scope,
  options: Patient & { /** Told of each tool that was asked. */ onTool: (tool: string) => void },
): Promise<ToolFacts[]> {
  const { companyId, projectId } = scope;
  const { client, catalogue } = settings;
  const off =
    projectId === null
      ? new Set<string>()
      : await findOff(client, { companyId, projectId, signal: options.signal, catalogue, lane: 'upkeep' });
  const found: ToolFacts[] = [];
  for (const [tool, entries] of toolsOf(catalogue, scope)) {
    const asked = entries.filter(({ resource }) => !off.has(resource));
    const answer =
      asked.length === 0
        ? ({ answer: 'off', resources: [], message: null } as const)
        : await askTool(settings, scope, asked, options);
    found.push({ companyId, projectId, tool, ...answer });
    options.onTool(tool);
  }
  return found;
}

const LISTS_OF_A_TOOL = 2;

/** The lists by which each tool may be asked, those of the whole place, without days first. */
function toolsOf(catalogue: FetchSettings['catalogue'], { resources }: Scope): Map<string, CataloguedResource[]> {
  const entries = resources
    .map((name) => catalogue.get(name))
    .filter(
      (entry) => entry.list !== null && !entry.list.shared && !isListedByParent(entry) && entry.list.under === null,
    )
    .toSorted((one, other) => Number(one.list?.todayOnly) - Number(other.list?.todayOnly));
  return Map.groupBy(entries, ({ tool }) => tool);
}

type Told = Pick<ToolFacts, 'answer' | 'resources' | 'message'>;

async function askTool(
  settings: FetchSettings,
  scope: Scope,
  entries: readonly CataloguedResource[],
  options: Patient,
): Promise<Told> {
  const told: Told[] = [];
  for (const entry of entries.slice(0, LISTS_OF_A_TOOL)) {
    const answer = await askList(settings, scope, entry, options);
    if (answer.answer === 'open' && told.length === 0) return answer;
    told.push(answer);
  }
  const [first] = told;
  if (first === undefined) return { answer: 'not asked', resources: [], message: null };
  const closed = told.filter(({ answer }) => answer !== 'open');
  if (closed.length === told.length) return { ...first, resources: told.flatMap(({ resources }) => resources) };
  return { ...first, answer: first.answer === 'refused' ? 'in part' : 'open' };
}

async function askList(
  settings: FetchSettings,
  { companyId, projectId }: Scope,
  entry: CataloguedResource,
  { signal, pausesMs }: Patient,
): Promise<Told> {
  const { resource } = entry;
  const batch = { companyId, projectId, resource, lane: 'upkeep' } as const;
  // A run that notes nothing and takes no number, because nothing is stored.
  const run = createRun({ settings, batch, entry, signal, version: '0' }, createRunNotes(batch, []));
  let failure: Failure | null = null;
  const tried = await tryCalls(
    () =>
      countList(run, entry, { parentId: null, searchParams: [] }).catch((error: unknown) => {
        failure = judgeFailure(error);
        throw error;
      }),
    { signal, pausesMs },
  );
  if ('done' in tried) return { answer: 'open', resources: [], message: null };
  return { answer: kindOf(failure), resources: [resource], message: tried.refused };
}

function kindOf(failure: Failure | null): ToolFacts['answer'] {
  if (failure === null || failure.kind === 'limited') return 'not asked'; // parked, or without calls
  if (failure.kind === 'absent') return 'not found';
  const isRefused = failure.kind === 'trouble' && ['forbidden', 'unauthorized'].includes(failure.trouble.reason);
  return isRefused ? 'refused' : 'unclear';
}
