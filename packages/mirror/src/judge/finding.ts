/** What a person may have to know of the mirror, or of where it runs. Each code has a heading in docs/runbook.md. */
export type Finding = {
  /** In kebab-case: `hook-disabled`. */
  code: string;
  /** `error`: a person is needed. `warning`: it heals by itself, or will need a person soon. `info`: worth knowing. */
  severity: 'error' | 'warning' | 'info';
  companyId: string | null;
  projectId: string | null;
  resource: string | null;
  /** ISO 8601; null: not known. */
  since: string | null;
  /** What is so, as one sentence. */
  message: string;
  /** What to do, a command to paste where there is one; null: nothing. */
  fix: string | null;
};

/** What the judge can find, in the order of its rules. */
export const FINDING_CODES = [
  ...['queue-unreachable', 'queue-behind', 'worker-silent', 'credentials-refused', 'login-unreachable'],
  ...['receiver-silent', 'receiver-refuses', 'spool-in-use', 'clock-off', 'sandbox-overwritten', 'schema-misfit'],
  ...['hook-missing', 'hook-disabled', 'hook-triggers-refused', 'hook-wrong', 'hook-unseen', 'hooks-unattended'],
  ...['undelivered', 'older-than-log', 'log-unread', 'scope-silent', 'calls-used-up', 'calls-eaten', 'news-waits'],
  ...['fill-failed', 'fill-stuck', 'filling', 'scope-parked', 'company-not-connected', 'dead-letters'],
  ...['dead-letters-retried', 'table-unproved', 'table-standing', 'events-missed', 'differences-left'],
] as const;
export type FindingCode = (typeof FINDING_CODES)[number];

export type Verdict = 'fine' | 'healing' | 'needs you';

/** An error needs a person; a warning heals by itself. */
export function verdictOf(findings: readonly Pick<Finding, 'severity'>[]): Verdict {
  if (findings.some(({ severity }) => severity === 'error')) return 'needs you';
  return findings.some(({ severity }) => severity === 'warning') ? 'healing' : 'fine';
}
