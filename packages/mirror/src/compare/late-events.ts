// Events may be late, or wait in our own queue. So what differs and may have happened a moment ago is looked at once more when its event has
// had time to come; a comparison that waits for that is given back, and holds up nothing.
import { isRecordingBehind } from '@procore-mirror/database';
import { ComparisonWaitsError } from '../errors.ts';
import { realTime } from '../run/clock.ts';
import { type ComparePlace, type Comparison, keepPlace, type Seen } from './comparison.ts';

/** By so much Procore's clock may differ from ours, ms. */
const SKEW_MS = 60_000;
/** So often where our own queue is behind. */
const MOST_WAITS = 5;

/** May it have happened so lately that its event is under way? Nothing says when a record was deleted. */
export function mayBeUnderWay({ run: { settings } }: Comparison, { kind, updatedAt }: Seen): boolean {
  const { lateEventsMs, clock = realTime } = settings;
  if (lateEventsMs === 0) return false;
  const changedMs = kind === 'extra' ? Number.NaN : Date.parse(updatedAt ?? '');
  return !(changedMs < clock.date().getTime() - lateEventsMs - SKEW_MS);
}

/** Has what differs waited for its events? False: it has not begun to. Throws ComparisonWaitsError while it waits. */
export async function waitedForEvents(comparison: Comparison): Promise<boolean> {
  const { run, place } = comparison;
  const { database, clock = realTime } = run.settings;
  if (place.waits === null) return false;
  const { since, until, times } = place.waits;
  const leftMs = Date.parse(until) - clock.date().getTime();
  if (leftMs > 0) throw new ComparisonWaitsError(WAITS, leftMs);
  if (times < MOST_WAITS && (await isRecordingBehind(database.pool, since))) await waitForEvents(comparison);
  return true;
}

/** Always throws ComparisonWaitsError. */
export async function waitForEvents(comparison: Comparison, change: Partial<ComparePlace> = {}): Promise<never> {
  const { lateEventsMs, clock = realTime } = comparison.run.settings;
  const nowMs = clock.date().getTime();
  const { since, times } = comparison.place.waits ?? { since: new Date(nowMs).toISOString(), times: 0 };
  const waits = { since, until: new Date(nowMs + lateEventsMs).toISOString(), times: times + 1 };
  await keepPlace(comparison, { ...change, waits });
  throw new ComparisonWaitsError(WAITS, lateEventsMs);
}

const WAITS = 'what seems to differ is looked at once more when events of it have had time to come';
