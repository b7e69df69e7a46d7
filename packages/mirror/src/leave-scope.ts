// What is not mirrored any more loses its hook, as soon as Procore has nothing left to deliver to it.
import { type Hook, type HooksApi, ProcoreResponseError } from '@procore-mirror/procore';
import { whyToKeep } from './ask/undelivered.ts';

type Left = {
  companyId: string;
  projectId: string | null;
  namespace: string;
  signal: AbortSignal;
  /** The hook that we know of there; null: none. */
  knownId: string | null;
};

/** What it had to deliver when it left was delivered or thrown away by then (docs/procore.md: Deliveries). */
const GIVEN_UP_AFTER_MS = 12 * 3_600_000;

/**
 * Our hooks in a scope that left. A project that is neither listed nor found has none; where we may not look, the hook that we know of
 * stands there, and delivers.
 */
export async function findLeftHooks(hooks: HooksApi, left: Left): Promise<Hook[] | { trouble: string }> {
  const { projectId, knownId } = left;
  try {
    return await hooks.list(left);
  } catch (error) {
    const meaning = error instanceof ProcoreResponseError ? error.meaning : null;
    if (!(error instanceof Error) || (meaning !== 'absent' && meaning !== 'refused')) throw error;
    if (knownId === null || (meaning === 'absent' && projectId !== null)) return [];
    return { trouble: `hook ${knownId} stands there still, and could not be removed: ${error.message}` };
  }
}

/** Removes them; `leftMs`: how long ago the scope left. Returns why one stays, null where none does. `onRemoved` is told of each. */
export async function removeLeftHooks(
  hooks: HooksApi,
  left: Left & { leftMs: number; onRemoved: (hookId: string) => void },
): Promise<{ trouble: string } | { waits: string } | null> {
  const { leftMs, onRemoved } = left;
  const ours = await findLeftHooks(hooks, left);
  if ('trouble' in ours) return ours;
  for (const { id: hookId } of ours) {
    const isOver = leftMs >= GIVEN_UP_AFTER_MS;
    const waits = isOver ? null : await whyToKeep(hooks, { ...left, hookId, now: new Date() });
    if (waits !== null) return { waits };
    await hooks.remove({ ...left, hookId });
    onRemoved(hookId);
  }
  return null;
}
