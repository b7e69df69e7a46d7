// May the old secret of the hooks go? From what hooks were given, with what deliveries come, and what Procore has yet to deliver. Pure.
import type { SecretDeliveries, SecretUse } from '@procore-mirror/database';
import type { Hook } from '@procore-mirror/procore';
import type { HookAction } from '../plan/plan-hooks.ts';

/** Moments are ISO 8601. */
export type OldSecret = {
  mayGo: boolean;
  /** Why it may not, and what to do. `elsewhere`: hooks carry another value, or may. `not known`: whether something is left Procore does not tell. */
  because: 'elsewhere' | 'not proved' | 'undelivered' | 'not known' | null;
  /** Hooks that were given the new value, another one, and of which it is not known. */
  hooks: { new: number; other: number; unknown: number };
  /** Deliveries, among the newest: the first and last with the new value, and the last with another one. */
  firstWithNewAt: string | null;
  lastWithNewAt: string | null;
  lastWithOldAt: string | null;
  /** Where a hook carries another value by what it delivers, and when the last of that happened; null: nowhere. */
  stillWithOld: { companyId: string; projectId: string | null; happenedAt: string } | null;
};

type Known = {
  /** What Procore shows of hooks tells the values apart, and shows the new one everywhere; null: it does not tell them apart. */
  isShown: boolean | null;
  /** Procore has nothing to deliver; null: it does not tell. */
  isEmpty: boolean | null;
  /** When all hooks had the new value; null: nobody knows. */
  changedAt: Date | null;
  asOf: Date;
};

/** Procore's clock and ours may differ by so much. */
export const CLOCKS_DIFFER_MS = 2_000;
/** A hook that nobody sees is looked out for as long as Procore tries (docs/procore.md: Deliveries), or a quiet scope would wait for ever. */
const LOOKED_BACK_MS = 12 * 3_600_000;

const WHY_NOT_GONE = { true: null, false: 'undelivered', null: 'not known' } as const;

/** `key`: the fingerprint of the new value. */
export function judgeOldSecret({ deliveries, hooks }: SecretUse, key: string, known: Known): OldSecret {
  const { isShown, isEmpty } = known;
  const count = (is: (own: string | null) => boolean) =>
    hooks.filter((one) => is(one.key)).reduce((sum, one) => sum + one.count, 0);
  const given = {
    new: count((own) => own === key),
    other: count((own) => own !== null && own !== key),
    unknown: count((own) => own === null),
  };
  const withNew = deliveries.filter((one) => one.key === key);
  const withOld = deliveries.filter((one) => one.key !== key);
  const still = findStillWithOld(withOld, withNew, known);
  const isElsewhere =
    isShown === false || given.other > 0 || (isShown === null && given.unknown > 0) || still !== undefined;
  const isProved = withNew.length > 0;
  const because = isElsewhere ? 'elsewhere' : isProved ? WHY_NOT_GONE[`${isEmpty}`] : 'not proved';
  return {
    ...{ mayGo: because === null, because, hooks: given },
    firstWithNewAt: byTime(withNew.map(({ firstAt }) => firstAt)).at(0) ?? null,
    lastWithNewAt: byTime(withNew.map(({ lastAt }) => lastAt)).at(-1) ?? null,
    lastWithOldAt: byTime(withOld.map(({ lastAt }) => lastAt)).at(-1) ?? null,
    stillWithOld: still
      ? { companyId: still.companyId, projectId: still.projectId, happenedAt: still.lastHappenedAt }
      : null,
  };
}

/**
 * What happened after its hook had the new value comes with that one, however late; what happened before may come with the old one. A hook
 * has it by the first delivery of its scope that came with it. Where none did, the first of any scope counts: a hook that nobody sees delivers
 * with the old value only. So a scope that spoke in the middle of a rotation, and has been quiet since, keeps the old value, too.
 */
function findStillWithOld(
  withOld: readonly SecretDeliveries[],
  withNew: readonly SecretDeliveries[],
  { changedAt, asOf }: Known,
): SecretDeliveries | undefined {
  const firstAt = new Map(withNew.map((one) => [scopeOf(one), Date.parse(one.firstAt)]));
  const firstOfAll = [...firstAt.values()].reduce((first, ms) => Math.min(first, ms), Number.POSITIVE_INFINITY);
  return withOld
    .filter((one) => {
      const hadNewMs = changedAt?.getTime() ?? firstAt.get(scopeOf(one)) ?? firstOfAll;
      const happenedMs = Date.parse(one.lastHappenedAt);
      return happenedMs > hadNewMs + CLOCKS_DIFFER_MS && happenedMs > asOf.getTime() - LOOKED_BACK_MS;
    })
    .toSorted((one, other) => Date.parse(other.lastHappenedAt) - Date.parse(one.lastHappenedAt))[0];
}

/** What a plan found of our hooks in a scope; `trouble`: why that is in doubt. */
type PlannedScope = {
  ours: readonly Pick<Hook, 'id' | 'authorizationTail'>[];
  actions: readonly HookAction[];
  trouble: string | null;
};

/**
 * Whether Procore shows the first of these values on all hooks that were planned for; null: it shows nothing of one, or what another value
 * has as well.
 */
export function isFirstShown(scopes: readonly PlannedScope[], [first, ...others]: readonly string[]): boolean | null {
  if (first === undefined) return null;
  const tails = scopes.flatMap(({ ours }) => ours.map(({ authorizationTail }) => authorizationTail));
  const isOther = ({ actions, trouble }: PlannedScope) =>
    trouble !== null ||
    actions.some(
      (action) => action.do === 'create' || (action.do === 'patch' && action.change.authorization !== undefined),
    );
  if (scopes.some(isOther)) return false;
  if (tails.some((tail) => tail === null || (tail !== undefined && !first.endsWith(tail)))) return false;
  const tells = (tail: string | null | undefined) => tail != null && !others.some((other) => other.endsWith(tail));
  return tails.every(tells) ? true : null;
}

function scopeOf({ companyId, projectId }: SecretDeliveries): string {
  return `${companyId}/${projectId ?? ''}`;
}

function byTime(moments: readonly string[]): string[] {
  return moments.toSorted((one, other) => Date.parse(one) - Date.parse(other));
}
