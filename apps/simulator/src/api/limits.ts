// Procore's two limits, per app or per company of it: calls in an hour, and a spike limit in ten seconds (docs/procore.md: Limits).
import type { Clock } from '../clock.ts';
import type { Settings } from '../settings.ts';

export type Limits = {
  /** Counts a call, failed ones included, and says whether it is within the limits. */
  count: (call: { clientId: string; companyId: string | undefined }) => {
    allowed: boolean;
    headers: Record<string, string>;
  };
  /** Forgets what was counted. */
  reset: () => void;
};

type Window = { endsAt: number; used: number };

const windows = [
  { setting: 'callsPerHour', lengthMs: 3_600_000 },
  { setting: 'callsPerTenSeconds', lengthMs: 10_000 },
] as const;

export function createLimits({ clock, settings }: { clock: Clock; settings: () => Settings }): Limits {
  const used = new Map<string, Window>();

  return { count, reset: () => used.clear() };

  function count({ clientId, companyId = '' }: Parameters<Limits['count']>[0]): ReturnType<Limits['count']> {
    const whose = settings().limitsOf === 'company' ? `${clientId} ${companyId}` : clientId;
    const reports = windows.flatMap(({ setting, lengthMs }) => {
      const limit = settings()[setting];
      if (limit === null) return [];
      const window = openWindow(`${whose} ${setting}`, lengthMs);
      window.used += 1;
      return [{ limit, left: limit - window.used, endsAt: window.endsAt }];
    });
    // The one that is nearer to running out; of two that have run out, the one that lasts longer.
    const nearest = reports.toSorted((a, b) => Math.max(a.left, -1) - Math.max(b.left, -1) || b.endsAt - a.endsAt)[0];
    if (nearest === undefined) return { allowed: true, headers: {} };
    const { limit, left, endsAt } = nearest;
    return { allowed: left >= 0, headers: limitHeaders(limit, left, endsAt) };
  }

  function openWindow(key: string, lengthMs: number): Window {
    const known = used.get(key);
    if (known !== undefined && known.endsAt > clock.now()) return known;
    const opened = { endsAt: clock.now() + lengthMs, used: 0 };
    used.set(key, opened);
    return opened;
  }
}

/** The three headers, `resetAt` in milliseconds. */
export function limitHeaders(limit: number, left: number, resetAt: number): Record<string, string> {
  return {
    'X-Rate-Limit-Limit': String(limit),
    'X-Rate-Limit-Remaining': String(Math.max(0, left)),
    'X-Rate-Limit-Reset': String(Math.ceil(resetAt / 1000)),
  };
}

// The same message for both windows, as Procore's pages say.
export const LIMIT_MESSAGE =
  'You have surpassed the max number of requests for an hour. Please wait until your limit resets.';
