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

export type Verdict = 'fine' | 'healing' | 'needs you';

/** An error needs a person; a warning heals by itself. */
export function verdictOf(findings: readonly Pick<Finding, 'severity'>[]): Verdict {
  if (findings.some(({ severity }) => severity === 'error')) return 'needs you';
  return findings.some(({ severity }) => severity === 'warning') ? 'healing' : 'fine';
}
