// May the old secret of the hooks go? From what hooks were given, with what deliveries come, and what Procore has yet to deliver. Pure.
import type { SecretUse } from '@procore-mirror/database';

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
};

/**
 * `key`: the fingerprint of the new value. `isShown`: what Procore shows of hooks tells the values apart, and shows the new one everywhere;
 * null: it does not tell them apart. `isEmpty`: Procore has nothing to deliver; null: it does not tell.
 */
export function judgeOldSecret(
  { deliveries, hooks }: SecretUse,
  key: string,
  { isShown, isEmpty }: { isShown: boolean | null; isEmpty: boolean | null },
): OldSecret {
  const count = (is: (own: string | null) => boolean) =>
    hooks.filter((one) => is(one.key)).reduce((sum, one) => sum + one.count, 0);
  const given = {
    new: count((own) => own === key),
    other: count((own) => own !== null && own !== key),
    unknown: count((own) => own === null),
  };
  const own = deliveries.find((one) => one.key === key);
  const lastWithOldAt = deliveries.reduce<string | null>(
    (last, one) =>
      one.key !== key && (last === null || Date.parse(one.lastAt) > Date.parse(last)) ? one.lastAt : last,
    null,
  );
  const isElsewhere = isShown === false || given.other > 0 || (isShown === null && given.unknown > 0);
  const because = isElsewhere
    ? 'elsewhere'
    : own === undefined
      ? 'not proved'
      : isEmpty === true
        ? null
        : isEmpty === false
          ? 'undelivered'
          : 'not known';
  return {
    ...{ mayGo: because === null, because, hooks: given },
    ...{ firstWithNewAt: own?.firstAt ?? null, lastWithNewAt: own?.lastAt ?? null, lastWithOldAt },
  };
}
