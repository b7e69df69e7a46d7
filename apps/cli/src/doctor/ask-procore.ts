// What Procore is asked: for a token, who we are in each company, what may be read in a few places, and what hooks there are.
import { AuthError, createAuth } from '@procore-mirror/auth';
import type { OpenProcore } from '@procore-mirror/calls';
import { readCallsGone } from '@procore-mirror/database';
import {
  callsToExamine,
  createNeighbours,
  type DoctorFacts,
  examineCompany,
  examineTools,
  heedScopes,
  judgeFailure,
  nameOf,
  type Scope,
  ScopeParkedError,
  usualPace,
  withResources,
} from '@procore-mirror/mirror';
import type { Context } from '../context.ts';
import { ServerUnreachableError, UsageError } from '../errors.ts';
import { listSelected, PAUSES_MS } from '../list-selected.ts';
import { counted } from '../output.ts';
import { accountOf, openAccount } from '../with-procore.ts';
import type { Asking } from './asking.ts';
import { examineHooks } from './examine-hooks.ts';

export type Asked = Pick<DoctorFacts, 'login' | 'companies' | 'tools' | 'hooks' | 'procoreAheadMs' | 'notLooked'> & {
  calls: number;
};

/** So long calls may wait for their turn, all together. */
const LONGEST_MS = 120_000;
const SAY_AFTER_MS = 10_000;
const PROJECTS_OF_A_COMPANY = 2;
const MOST_PLACES = 8;
/** Of so many scopes each hook is looked at; of more those of the places that are asked. */
const MOST_HOOKS = 20;

export const NOT_ASKED: Omit<Asked, 'login'> = {
  ...{ companies: [], tools: [], hooks: null, procoreAheadMs: null, notLooked: [], calls: 0 },
};

/** Asks the login server only, for where there is no database to share calls by. */
export async function askLogin(context: Context, env: Asking['env']): Promise<Asked> {
  const auth = createAuth({ ...accountOf(env), onSecret: (token) => context.secrets.add(token) });
  try {
    return { ...NOT_ASKED, login: await signIn(auth, context.signal) };
  } finally {
    await auth.close();
  }
}

async function signIn(
  login: Pick<OpenProcore['login'], 'token'>,
  signal: AbortSignal,
): Promise<NonNullable<DoctorFacts['login']>> {
  try {
    await login.token(signal);
    return { trouble: null };
  } catch (error) {
    if (!(error instanceof AuthError)) throw error;
    const { reason, message } = error;
    return { trouble: { reason, message } };
  }
}

/** All of it. Throws a UsageError for a project that there is not. */
export async function askProcore(asking: Asking): Promise<Asked> {
  const { context, database, env } = asking;
  const { output, secrets, signal } = context;
  let calls = 0;
  const onCall = () => {
    calls += 1;
  };
  const procore = openAccount({ env, database, secrets, note: output.note, onCall });
  const limit = AbortSignal.timeout(LONGEST_MS);
  const waiting = setTimeout(
    () => output.note('Procore is asked, which takes its time where calls are short: two minutes at most'),
    SAY_AFTER_MS,
  );
  try {
    const login = await signIn(procore.login, signal);
    if (login.trouble !== null) {
      const notLooked = [{ check: 'companies, permissions and hooks', why: 'there is no token to ask with' }];
      return { ...NOT_ASKED, login, calls, notLooked };
    }
    const client = heedScopes(procore.client, {
      ...{ database, parking: usualPace.parking, patienceMs: 0 },
      onWait: (reason) => {
        throw new ScopeParkedError(`Procore is left alone for a while (${reason})`);
      },
    });
    const parts = await askParts(asking, client, AbortSignal.any([signal, limit]), limit);
    return { ...parts, login, calls, procoreAheadMs: procore.client.clockAheadMs() };
  } finally {
    clearTimeout(waiting);
    await procore.close();
  }
}

/** The work of a check that asks about these companies; null: it was not done. */
type Part = <T>(check: string, companyIds: readonly string[], work: () => Promise<T>) => Promise<T | null>;

async function askParts(
  asking: Asking,
  client: OpenProcore['client'],
  signal: AbortSignal,
  limit: AbortSignal,
): Promise<Omit<Asked, 'login' | 'calls' | 'procoreAheadMs'>> {
  const notLooked: DoctorFacts['notLooked'][number][] = [];
  /** A part that Procore's trouble ends leaves the others alone; one for which there are no calls does not wait for them. */
  const part: Part = async (check, companyIds, work) => {
    const until = await readCallsGone(asking.database.pool, companyIds);
    try {
      if (until === null) return await work();
      const clock = new Date(until).toISOString().slice(11, 16);
      notLooked.push({ check, why: `no calls are left before ${clock} UTC` });
    } catch (error) {
      asking.context.signal.throwIfAborted();
      notLooked.push({ check, why: whyNotLooked(error, limit) });
    }
    return null;
  };
  const companies: DoctorFacts['companies'][number][] = [];
  for (const companyId of asking.companyIds) {
    const found = await part(`company ${companyId}`, [companyId], () => examineCompany(client, companyId, { signal }));
    if (found !== null) companies.push(found);
  }
  const well = companies.filter(({ answer }) => answer === 'well').map(({ companyId }) => companyId);
  const unasked = (why: string) => ['permissions', 'hooks'].map((check) => ({ check, why }));
  if (well.length === 0) {
    const why = companies.find(({ message }) => message !== null)?.message ?? 'no company could be asked';
    return { companies, tools: [], hooks: null, notLooked: [...notLooked, ...unasked(why)] };
  }
  const listed = await part('projects', well, () => listScopes({ ...asking, companyIds: well }, client, signal));
  if (listed === null) {
    const why = notLooked.at(-1)?.why ?? 'projects could not be listed';
    return { companies, tools: [], hooks: null, notLooked: [...notLooked, ...unasked(why)] };
  }
  notLooked.push(...listed.unlisted.map((why) => ({ check: 'projects', why })));
  const places = placesOf(listed.scopes, asking);
  const left = listed.scopes.length - places.length;
  if (left > 0)
    notLooked.push({ check: `permissions in ${counted(left, 'more scope')}`, why: '--company and --project choose' });
  const tools = await askTools({ ...asking, client, signal, places, part });
  const seen = listed.scopes.length <= MOST_HOOKS ? listed.scopes : places;
  const hooks = await part('hooks', well, () =>
    examineHooks(asking, client, { signal, seen, scopes: listed.scopes.length }),
  );
  if (typeof hooks === 'string') notLooked.push({ check: 'hooks', why: hooks });
  return { companies, tools, hooks: typeof hooks === 'string' ? null : hooks, notLooked };
}

function whyNotLooked(error: unknown, limit: AbortSignal): string {
  if (limit.aborted) return 'calls are short: it was not answered within two minutes';
  const isOfProcore =
    error instanceof ScopeParkedError || error instanceof ServerUnreachableError || judgeFailure(error) !== null;
  if (!isOfProcore || !(error instanceof Error)) throw error;
  return error.message;
}

async function listScopes(
  { context, database, companyIds, wanted, projectId }: Asking,
  client: OpenProcore['client'],
  signal: AbortSignal,
): Promise<{ scopes: readonly Pick<Scope, 'companyId' | 'projectId'>[]; unlisted: readonly string[] }> {
  const listed = await listSelected({ ...context, signal }, { client, database, companyIds, wanted, lane: 'upkeep' });
  if (projectId === undefined) return listed;
  const scopes = listed.scopes.filter((scope) => scope.projectId === projectId);
  if (scopes.length > 0 || listed.unlisted.length > 0) return { ...listed, scopes };
  throw new UsageError([`there is no active project ${projectId} that the service account sees and that is selected`]);
}

/** Companies, and the first projects of each. */
function placesOf(
  scopes: readonly Pick<Scope, 'companyId' | 'projectId'>[],
  { catalogue, resources }: Asking,
): Scope[] {
  const asked = new Map<string, number>();
  const some = scopes.filter(({ companyId, projectId }) => {
    if (projectId === null) return true;
    asked.set(companyId, (asked.get(companyId) ?? 0) + 1);
    return (asked.get(companyId) ?? 0) <= PROJECTS_OF_A_COMPANY;
  });
  return some.slice(0, MOST_PLACES).map((scope) => withResources(scope, { catalogue, resources }));
}

async function askTools({
  context,
  database,
  catalogue,
  client,
  signal,
  places,
  part,
}: Asking & {
  client: OpenProcore['client'];
  signal: AbortSignal;
  places: readonly Scope[];
  part: Part;
}): Promise<DoctorFacts['tools']> {
  const { output } = context;
  const most = callsToExamine(catalogue, places);
  output.note(
    `Asks Procore for a record of each tool: ${places.map(nameOf).join(', ')}, about ${counted(most, 'call')}`,
  );
  const settings = {
    ...{ ...usualPace, database, client, catalogue, delayMs: 0, random: Math.random },
    neighbours: createNeighbours(),
  };
  const tools: DoctorFacts['tools'][number][] = [];
  for (const place of places) {
    const onTool = (tool: string) => output.live(`${nameOf(place)}: ${tool}`);
    const found = await part(`permissions in ${nameOf(place)}`, [place.companyId], () =>
      examineTools(settings, place, { signal, pausesMs: PAUSES_MS, onTool }),
    );
    tools.push(...(found ?? []));
  }
  return tools;
}
