// Counts of the calls that came in, by what they asked for and how they were answered.
import type { Settings } from '../settings.ts';
import type { CallFacts } from './faults.ts';

export type RecentCall = {
  at: string;
  method: string;
  path: string;
  query: string;
  kind: CallFacts['kind'];
  resource: string | null;
  clientId: string | null;
  companyId: string | null;
  /** Null when the caller got no complete answer. */
  status: number | null;
};

export type CallCounts = {
  total: number;
  byStatus: Record<string, number>;
  /** Resource, then `show` or `list`. */
  byResource: Record<string, Record<string, number>>;
  byKind: Record<string, number>;
  /** Calls without a `Procore-Company-Id`. */
  missingCompanyHeader: number;
};

export type Calls = {
  note: (call: RecentCall & { missingCompanyHeader: boolean }) => void;
  counts: () => CallCounts;
  /** The last ones, as many as the settings say, oldest first. */
  recent: () => readonly RecentCall[];
  reset: () => void;
};

export function createCalls({ settings }: { settings: () => Pick<Settings, 'callsKept'> }): Calls {
  let counts = none();
  let recent: RecentCall[] = [];
  const last = () => recent.slice(Math.max(0, recent.length - settings().callsKept));

  return {
    note: ({ missingCompanyHeader, ...call }) => {
      counts.total += 1;
      if (missingCompanyHeader) counts.missingCompanyHeader += 1;
      add(counts.byStatus, String(call.status ?? 'none'));
      add(counts.byKind, call.kind);
      if (call.resource !== null) {
        counts.byResource[call.resource] ??= {};
        add(counts.byResource[call.resource] ?? {}, call.kind);
      }
      recent.push(call);
      if (recent.length > 2 * settings().callsKept) recent = last();
    },
    counts: () => counts,
    recent: last,
    reset: () => {
      counts = none();
      recent = [];
    },
  };
}

function none(): CallCounts {
  return { total: 0, byStatus: {}, byResource: {}, byKind: {}, missingCompanyHeader: 0 };
}

function add(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}
