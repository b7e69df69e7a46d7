// What the log tells of findings: each once when it begins, once more when it gets worse, and when it is gone. Pure.
import type { ToldFinding } from '@procore-mirror/database';
import type { Finding } from './finding.ts';
import type { Judged } from './judged.ts';

/** A finding that was told, and when it was last seen, ms of some clock. */
export type Told = ToldFinding & { seenMs: number };

export type Alarms = {
  /** What begins or is worse than when it was told. */
  raised: readonly Judged[];
  gone: readonly Told[];
  /** What is told by now. */
  told: readonly Told[];
};

/** What comes and goes is told once. */
export const GONE_AFTER_MS = 60_000;

/** Where the scope of a finding widens or narrows, as more scopes or fewer are concerned, it is the same finding; wider ones are told again. */
export function planAlarms(before: readonly Told[], judged: readonly Judged[], nowMs: number): Alarms {
  const now = judged.map((finding): Told & { finding: Judged } => ({ ...toldOf(finding), seenMs: nowMs, finding }));
  const raised = now.filter((one) => !before.some((known) => covers(known, one) && known.rank >= one.rank));
  const unseen = before.filter((known) => !now.some((one) => isSame(known, one)));
  const lost = unseen.filter((known) => !now.some((one) => covers(known, one) || covers(one, known)));
  const gone = lost.filter(({ seenMs }) => nowMs - seenMs >= GONE_AFTER_MS);
  return {
    raised: raised.map(({ finding }) => finding),
    gone,
    told: [...now.map(({ finding: _, ...one }) => one), ...lost.filter((known) => !gone.includes(known))],
  };
}

/** Of several of one code and scope, as dead letters of several reasons, one that comes later is told only where it is worse. */
function toldOf({ code, companyId, projectId, resource, severity, step }: Judged): ToldFinding {
  return { code, companyId, projectId, resource, rank: RANKS[severity] + step };
}

const RANKS: Record<Finding['severity'], number> = { info: 0, warning: 100, error: 200 };

function isSame(one: ToldFinding, other: ToldFinding): boolean {
  return covers(one, other) && covers(other, one);
}

/** Is it of the same code, and of as wide a scope, or of a wider one? */
function covers(wide: ToldFinding, narrow: ToldFinding): boolean {
  return (
    wide.code === narrow.code &&
    (wide.companyId ?? narrow.companyId) === narrow.companyId &&
    (wide.projectId ?? narrow.projectId) === narrow.projectId &&
    (wide.resource ?? narrow.resource) === narrow.resource
  );
}
