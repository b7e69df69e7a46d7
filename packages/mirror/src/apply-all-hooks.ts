import type { Catalogue } from '@procore-mirror/catalogue';
import {
  createHooksApi,
  type ProcoreClient,
  ProcoreTokenError,
  ProcoreUnreachableError,
} from '@procore-mirror/procore';
import { applyHooks, type HookOptions, planScopeHooks, readOffers } from './apply-hooks.ts';
import { type Patience, tryCalls } from './ask/try-calls.ts';
import { nameOf, type Scope } from './list-scopes.ts';
import type { HookAction } from './plan/plan-hooks.ts';

type Options = Pick<HookOptions, 'namespace' | 'destinationUrl' | 'authorization'> &
  Pick<Patience, 'signal' | 'pausesMs'> & {
    client: ProcoreClient;
    catalogue: Catalogue;
    scopes: readonly Pick<Scope, 'companyId' | 'projectId'>[];
    resources: readonly string[] | null;
    /** Told of each scope that was looked at, one after the other. */
    onScope?: (scope: ScopeHooks) => void;
  };

export type ScopeHooks = {
  companyId: string;
  projectId: string | null;
  /** What was done, or is to be done. */
  actions: readonly HookAction[];
  /** Resources that are to be mirrored, and of which nothing is offered here. */
  notOffered: readonly string[];
  /** What Procore should have taken, and did not. */
  refused: readonly string[];
  /** Why the scope is not as it should be, or not known; null: it is. */
  trouble: string | null;
  /** No answer was to be had. */
  isUnreached: boolean;
};

const PAYLOAD_VERSION = 'v4.0';
/** Who got no answer so often, with minutes of patience each, gets none from the rest. */
const UNREACHED_IN_A_ROW = 3;

/** What the hooks of each scope lack. Writes nothing. A scope that refuses to be looked at has its trouble. */
export function planAllHooks(options: Options): Promise<ScopeHooks[]> {
  return forEachScope(options, async (scope, done) => {
    const { actions, notOffered } = await planScopeHooks(scope);
    for (const action of actions) done(action);
    return { notOffered, refused: [] };
  });
}

/** Gives every scope its hook as it should be; those that are so stay untouched. A scope that refuses has its trouble. */
export function applyAllHooks(options: Options): Promise<ScopeHooks[]> {
  return forEachScope(options, (scope, done) => applyHooks({ ...scope, onDone: done }));
}

/** What was done, in a few lines. */
export function appliedInWords(scopes: readonly ScopeHooks[]): string[] {
  const actions = scopes.flatMap((scope) => scope.actions);
  const count = (kind: HookAction['do']) => actions.filter((action) => action.do === kind).length;
  const added = actions.reduce(
    (sum, action) => sum + (action.do === 'create' || action.do === 'add triggers' ? action.triggers.length : 0),
    0,
  );
  const refused = scopes.flatMap((scope) => scope.refused.map((what) => `${what} in ${nameOf(scope)}`));
  const superfluous = actions.flatMap((action) => (action.do === 'remove triggers' ? action.triggers : [])).length;
  const rarely: [count: number, what: string][] = [
    [count('patch'), 'hooks set right'],
    [superfluous, 'superfluous triggers removed'],
    [count('remove'), 'second hooks removed'],
  ];
  const rare = rarely.flatMap(([number, what]) => (number === 0 ? [] : [`, ${number} ${what}`]));
  const names = [...new Set(scopes.flatMap((scope) => scope.notOffered))].join(', ');
  return [
    ...scopes.flatMap((scope) => (scope.trouble === null ? [] : [`No hook in ${nameOf(scope)}: ${scope.trouble}`])),
    `Hooks: ${scopes.length} scopes, ${count('create')} hooks created, ${added} triggers added${rare.join('')}`,
    ...(refused.length === 0 ? [] : [`Procore refused what it should take: ${refused.join(', ')}`]),
    ...(names === ''
      ? []
      : [`Procore offers no events of ${names}: what is mirrored of them is as old as its last backfill`]),
  ];
}

type Work = (
  scope: HookOptions,
  done: (action: HookAction) => void,
) => Promise<{ notOffered: readonly string[]; refused: readonly string[] }>;

async function forEachScope(options: Options, work: Work): Promise<ScopeHooks[]> {
  const { client, scopes, resources, signal, pausesMs, onScope = () => {}, ...how } = options;
  const offersOf = createOffers();
  const hooks = createHooksApi(client);
  const all: ScopeHooks[] = [];
  for (const { companyId, projectId } of scopes) {
    const scope = { ...how, payloadVersion: PAYLOAD_VERSION, hooks, selection: { resources }, signal } as const;
    const lookAfter: typeof work = async (one, done) => work({ ...one, ...(await offersOf(one)) }, done);
    const last = all.slice(-UNREACHED_IN_A_ROW);
    const isHopeless = last.length === UNREACHED_IN_A_ROW && last.every((one) => one.isUnreached);
    const found = isHopeless
      ? untold({ companyId, projectId }, 'not asked, because Procore did not answer before')
      : await lookAt({ ...scope, companyId, projectId }, lookAfter, pausesMs);
    onScope(found);
    all.push(found);
  }
  return all;
}

async function lookAt(scope: HookOptions, work: Work, pausesMs: Options['pausesMs']): Promise<ScopeHooks> {
  const { companyId, projectId, signal } = scope;
  const actions: HookAction[] = [];
  let failure: unknown;
  const tried = await tryCalls(
    () =>
      work(scope, (action) => actions.push(action)).catch((error: unknown) => {
        failure = error;
        throw error;
      }),
    { signal, pausesMs },
  );
  if ('done' in tried) {
    const { notOffered, refused } = tried.done;
    return { companyId, projectId, actions, notOffered, refused, trouble: null, isUnreached: false };
  }
  const isUnreached = failure instanceof ProcoreUnreachableError || failure instanceof ProcoreTokenError;
  return { ...untold(scope, tried.refused), actions, isUnreached };
}

function untold({ companyId, projectId }: Pick<Scope, 'companyId' | 'projectId'>, trouble: string): ScopeHooks {
  return { companyId, projectId, actions: [], notOffered: [], refused: [], trouble, isUnreached: true };
}

/** What to tell a scope of offers: the first project of a company that answers speaks for the others. */
function createOffers(): (scope: HookOptions) => Promise<Pick<HookOptions, 'offers'>> {
  const inCompany = new Map<string, NonNullable<HookOptions['offers']>>();
  return async (scope) => {
    const { companyId, projectId } = scope;
    if (projectId === null) return {};
    const offers = inCompany.get(companyId) ?? { projectId, list: await readOffers(scope) };
    inCompany.set(companyId, offers);
    return { offers };
  };
}
