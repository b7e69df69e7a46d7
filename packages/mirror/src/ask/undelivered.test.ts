import type { HookDelivery, HooksApi } from '@procore-mirror/procore';
import { expect, test } from 'vitest';
import { findUndelivered, whyToKeep } from './undelivered.ts';

const asked = {
  ...{ companyId: '1', projectId: null, hookId: '5', now: new Date('2026-06-30T12:00:00Z') },
  signal: AbortSignal.timeout(20_000),
};
const rows = (count: number, status: string): HookDelivery[] =>
  Array.from({ length: count }, (_, id) => ({ id: String(id), status, body: '{}' }));

/** A log that shows all, whatever it is filtered by; `isCut`: its end cannot be read. */
const showing = (log: readonly HookDelivery[], isCut = false): Pick<HooksApi, 'deliveries'> => ({
  deliveries: async function* ({ onCut }) {
    yield* log;
    if (isCut) onCut?.('the log goes on');
  },
});

test.each<[string, Pick<HooksApi, 'deliveries'>, { count: number; isCut: boolean }, RegExp | null]>([
  ['is empty', showing([]), { count: 0, isCut: false }, null],
  ['is as long as is read', showing(rows(1000, 'delivered')), { count: 0, isCut: false }, null],
  ['is longer than is read', showing(rows(1001, 'delivered')), { count: 0, isCut: true }, /goes when it is known/],
  [
    'has something beyond what is read',
    showing([...rows(1000, 'delivered'), ...rows(1, 'enqueued')]),
    { count: 0, isCut: true },
    /goes when it is known/,
  ],
  [
    'is longer than is read, and something was found',
    showing([...rows(1, 'retrying'), ...rows(1000, 'delivered')]),
    { count: 1, isCut: true },
    /goes when the events have been delivered/,
  ],
  ['has an end that cannot be read', showing(rows(2, 'delivered'), true), { count: 0, isCut: true }, /goes when it is/],
])('where the log %s, it says so, and a hook is kept if it may have events', async (_, hooks, found, why) => {
  expect(await findUndelivered(hooks, asked)).toMatchObject(found);
  const kept = await whyToKeep(hooks, asked);
  if (why === null) expect(kept).toBeNull();
  else expect(kept).toMatch(why);
});
