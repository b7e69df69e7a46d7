import { createHookLooks, type LookOptions, type ScopeHooks } from './look-at-hooks.ts';
import type { HookAction } from './plan/plan-hooks.ts';
import { nameOf, type Scope } from './scope.ts';

type Place = Pick<Scope, 'companyId' | 'projectId'>;

type Options = LookOptions & {
  scopes: readonly Place[];
  /** Scopes that left the selection, and have a hook of ours as far as we know. */
  left?: readonly Place[];
  /** Told of each scope that was looked at, one after the other. */
  onScope?: (scope: ScopeHooks) => void;
};

/** Who got no answer so often, with minutes of patience each, gets none from the rest. */
const UNREACHED_IN_A_ROW = 3;

/** What the hooks of each scope lack. Writes nothing. A scope that refuses to be looked at has its trouble. */
export function planAllHooks(options: Options): Promise<ScopeHooks[]> {
  const { plan, planToLeave } = looksFor(options);
  return forEachScope(options, plan, planToLeave);
}

/** Gives every scope its hook as it should be; those that are so stay untouched. A scope that refuses has its trouble. */
export function applyAllHooks(options: Options): Promise<ScopeHooks[]> {
  const { apply, leave } = looksFor(options);
  return forEachScope(options, apply, leave);
}

/** Removes the hooks of scopes that left the selection, as far as that is possible now. */
export function removeHooks(
  options: Pick<Options, 'client' | 'catalogue' | 'database' | 'namespace' | 'signal' | 'pausesMs'> & {
    left: readonly Place[];
  },
): Promise<ScopeHooks[]> {
  const ofThoseThatStay = { scopes: [], resources: null, destinationUrl: '', authorization: null };
  return applyAllHooks({ ...ofThoseThatStay, ...options });
}

/** What was done, in a few lines. */
export function appliedInWords(scopes: readonly ScopeHooks[]): string[] {
  const actions = scopes.flatMap((scope) => scope.actions);
  const count = (kind: HookAction['do']) => actions.filter((action) => action.do === kind).length;
  const removed = (why: 'second' | 'left') =>
    actions.filter((action) => action.do === 'remove' && action.because === why).length;
  const added = actions.reduce(
    (sum, action) => sum + (action.do === 'create' || action.do === 'add triggers' ? action.triggers.length : 0),
    0,
  );
  const refused = scopes.flatMap((scope) => scope.refused.map((what) => `${what} in ${nameOf(scope)}`));
  const superfluous = actions.flatMap((action) => (action.do === 'remove triggers' ? action.triggers : [])).length;
  const rarely: [count: number, what: string][] = [
    [count('patch'), 'hooks set right'],
    [superfluous, 'superfluous triggers removed'],
    [removed('second'), 'second hooks removed'],
    [removed('left'), 'hooks removed of what is not mirrored any more'],
  ];
  const rare = rarely.flatMap(([number, what]) => (number === 0 ? [] : [`, ${number} ${what}`]));
  const names = [...new Set(scopes.flatMap((scope) => scope.notOffered))].join(', ');
  return [
    ...scopes.flatMap((scope) => (scope.trouble === null ? [] : [`No hook in ${nameOf(scope)}: ${scope.trouble}`])),
    ...scopes.flatMap((scope) => (scope.waits === null ? [] : [`Left for later in ${nameOf(scope)}: ${scope.waits}`])),
    `Hooks: ${scopes.length} scopes, ${count('create')} hooks created, ${added} triggers added${rare.join('')}`,
    ...(refused.length === 0 ? [] : [`Procore refused what it should take: ${refused.join(', ')}`]),
    ...(names === ''
      ? []
      : [`Procore offers no events of ${names}: what is mirrored of them is as old as its last backfill`]),
  ];
}

function looksFor(options: Options) {
  const projects = Map.groupBy(options.scopes, ({ companyId }) => companyId);
  const templates = (companyId: string) => (projects.get(companyId) ?? []).flatMap(({ projectId }) => projectId ?? []);
  return createHookLooks({ ...options, templates });
}

async function forEachScope(
  { scopes, left = [], onScope = () => {} }: Options,
  look: (place: Place) => Promise<ScopeHooks>,
  leave: typeof look,
): Promise<ScopeHooks[]> {
  const all: ScopeHooks[] = [];
  const work = [...scopes.map((place) => ({ place, how: look })), ...left.map((place) => ({ place, how: leave }))];
  for (const { place, how } of work) {
    const last = all.slice(-UNREACHED_IN_A_ROW);
    const isHopeless = last.length === UNREACHED_IN_A_ROW && last.every((one) => one.isUnreached);
    const found = isHopeless ? notAsked(place) : await how(place);
    onScope(found);
    all.push(found);
  }
  return all;
}

function notAsked({ companyId, projectId }: Place): ScopeHooks {
  const trouble = 'not asked, because Procore did not answer before';
  return {
    companyId,
    projectId,
    hookId: null,
    ours: [],
    actions: [],
    notOffered: [],
    refused: [],
    trouble,
    waits: null,
    isUnreached: true,
    isLeftAlone: false,
  };
}
