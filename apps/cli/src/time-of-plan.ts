import { type Database, readCallWindows } from '@procore-mirror/database';
import { CAREFUL, minutesFor, type Windows } from '@procore-mirror/mirror';
import { callsOf, type PlannedTime, type PlannedWork } from './plan-in-words.ts';

/** How long the calls take: as long as those of the windows that have most to do; without a limit, at a pace: `paceMs` is how long a call takes. */
export async function timeOf(database: Database, works: readonly PlannedWork[], paceMs: number): Promise<PlannedTime> {
  const groups = new Map<string | null, { windows: Windows | null; isTold: boolean; calls: number }>();
  for (const [companyId, own] of Map.groupBy(works, (one) => one.companyId)) {
    const { owner, hour, spike, isHourTold, isUnlimited, live, kept } = await readCallWindows(database.pool, companyId);
    const windows = { hour: hour ?? CAREFUL.hour, spike: spike ?? CAREFUL.spike, live, kept };
    const calls = (groups.get(owner)?.calls ?? 0) + callsOf(own);
    groups.set(owner, { windows: isUnlimited ? null : windows, isTold: isHourTold || isUnlimited, calls });
  }
  const times = [...groups.values()].map(({ windows, isTold, calls }) =>
    windows === null
      ? { windows, isTold, minutes: (calls * paceMs) / 60_000, shareOfHour: 0 }
      : { windows, isTold, minutes: minutesFor(calls, windows), shareOfHour: calls / windows.hour },
  );
  const nothing = { windows: { ...CAREFUL, live: 0, kept: 0 }, isTold: false, minutes: 0, shareOfHour: 0 };
  return times.toSorted((a, b) => b.minutes - a.minutes)[0] ?? nothing;
}
