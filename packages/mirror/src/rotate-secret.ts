// Gives our hooks another secret, one after the other, and tells when the one of before is of no more use. Who is cut off begins again:
// a hook that has the new one is left alone. Nobody else works at a hook between its change and the note of it (decision 018).
import { type Database, noteSecret, readHook } from '@procore-mirror/database';
import {
  createHooksApi,
  type Hook,
  type HooksApi,
  type ProcoreClient,
  ProcoreTokenError,
  ProcoreUnreachableError,
} from '@procore-mirror/procore';
import { aloneAtHook } from './alone-at-hook.ts';
import { type Patience, tryCalls } from './ask/try-calls.ts';
import { findUndelivered, type Undelivered } from './ask/undelivered.ts';
import { CLOCKS_DIFFER_MS } from './judge/old-secret.ts';
import { PAYLOAD_VERSION } from './look-at-hooks.ts';
import type { Scope } from './scope.ts';

type Place = Pick<Scope, 'companyId' | 'projectId'>;

type Options = Pick<Patience, 'signal' | 'pausesMs'> & {
  client: ProcoreClient;
  database: Database;
  places: readonly Place[];
  namespace: string;
};

export type RotatedHook = Place & {
  /** Null: the hooks of the scope could not be looked at. */
  hookId: string | null;
  /** `unchanged`: Procore took the call, and the hook carries what it did before. */
  outcome: 'changed' | 'as it should be' | 'unchanged' | 'failed';
  /** Why it failed. */
  detail: string | null;
  /** No answer was to be had. */
  isUnreached: boolean;
};

/** The value to give, its fingerprint, and all that are accepted. */
type Secret = { value: string; key: string; accepted: readonly string[] };

/** Gives each of our hooks in these scopes the value, unless it carries it already. */
export async function rotateSecret(options: Options & { secret: Secret; onPlace: () => void }): Promise<RotatedHook[]> {
  const hooks = createHooksApi(options.client);
  const rotated: RotatedHook[] = [];
  for (const place of options.places) {
    const done: RotatedHook[] = [];
    let isUnreached = false;
    const all = async () => {
      done.splice(0);
      try {
        for (const hook of await hooks.list({ ...place, ...options }))
          done.push({ ...place, hookId: hook.id, isUnreached, ...(await rotate(hooks, hook, place, options)) });
      } catch (error) {
        isUnreached = error instanceof ProcoreUnreachableError || error instanceof ProcoreTokenError;
        throw error;
      }
    };
    const tried = await tryCalls(() => aloneAtHook(options.database, place, options.signal, all), options);
    rotated.push(...done);
    if ('refused' in tried)
      rotated.push({ ...place, hookId: null, outcome: 'failed', detail: tried.refused, isUnreached });
    options.onPlace();
  }
  return rotated;
}

async function rotate(
  hooks: HooksApi,
  hook: Hook,
  place: Place,
  { database, secret, signal }: Options & { secret: Secret },
): Promise<Pick<RotatedHook, 'outcome' | 'detail'>> {
  if (await carries(database, hook, place, secret)) return { outcome: 'as it should be', detail: null };
  const change = { authorization: secret.value };
  const { authorizationTail: tail } = await hooks.patch({ ...place, hookId: hook.id, change, signal });
  // Where the answer does not show it, a delivery is to prove it.
  if (tail !== undefined && (tail === null || !secret.value.endsWith(tail))) {
    return { outcome: 'unchanged', detail: 'Procore answered well, and the hook carries what it did before' };
  }
  const { id: hookId, payloadVersion } = hook;
  await noteSecret(database, { ...place, payloadVersion }, { hookId, secretKey: secret.key });
  return { outcome: 'changed', detail: null };
}

/** What a hook shows of its secret tells it from the others, unless it shows nothing, or several end alike; then it counts what we gave it. */
async function carries(
  database: Database,
  hook: Hook,
  place: Place,
  { value, key, accepted }: Secret,
): Promise<boolean> {
  const { authorizationTail: tail } = hook;
  if (tail === null || (tail !== undefined && !value.endsWith(tail))) return false;
  const known = await readHook(database.pool, { ...place, payloadVersion: PAYLOAD_VERSION });
  if (known?.hookId === hook.id && known.secretKey !== null) return known.secretKey === key;
  return tail !== undefined && !accepted.some((other) => other !== value && other.endsWith(tail));
}

/**
 * Whether Procore has nothing left to deliver that happened before the hooks were `changedAt`, and may carry the old value; null where its
 * log cannot be asked, or is too long to tell. Two calls a hook.
 */
export async function isOldSecretGone(
  options: Pick<Options, 'client' | 'signal' | 'pausesMs'> & {
    hooks: readonly Pick<RotatedHook, 'companyId' | 'projectId' | 'hookId'>[];
    changedAt: Date;
    asOf: Date;
  },
): Promise<boolean | null> {
  const api = createHooksApi(options.client);
  let isKnown = true;
  for (const { companyId, projectId, hookId } of options.hooks) {
    if (hookId === null) continue;
    const asked = { companyId, projectId, hookId, now: options.asOf, signal: options.signal };
    const tried = await tryCalls(() => findUndelivered(api, asked), options);
    const isGone = 'done' in tried ? isGoneBy(tried.done, options.changedAt) : null;
    if (isGone === false) return false;
    if (isGone === null) isKnown = false;
  }
  return isKnown ? true : null;
}

function isGoneBy(undelivered: Undelivered | null, changedAt: Date): boolean | null {
  if (undelivered === null) return null;
  const { count, oldestAt, isCut } = undelivered;
  const isBefore = oldestAt === null || oldestAt.getTime() <= changedAt.getTime() + CLOCKS_DIFFER_MS;
  if (count > 0 && isBefore) return false;
  return isCut ? null : true;
}
