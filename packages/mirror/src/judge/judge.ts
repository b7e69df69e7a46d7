// The one place that judges: facts in, findings out. Each rule looks at one thing and is pure; thresholds stand beside it.
import { judgeCalls } from './calls.ts';
import type { Facts } from './facts.ts';
import { judgeFills } from './fills.ts';
import { type Finding, type Verdict, verdictOf } from './finding.ts';
import { judgeHooks, judgeNews } from './hooks.ts';
import type { Judged } from './judged.ts';
import { judgeProcesses } from './processes.ts';
import { judgeRecords } from './records.ts';

export type Judgement = {
  verdict: Verdict;
  /** Errors first, and of each severity what is so for the longest time. */
  findings: readonly Finding[];
  /** When it will be well again by itself, about, ISO 8601; null: nobody can say, or it is well, or needs a person. */
  healedAt: string | null;
};

const RULES = [judgeProcesses, judgeHooks, judgeNews, judgeCalls, judgeFills, judgeRecords];
const SEVERITIES = ['error', 'warning', 'info'] as const;

/** What a person may have to know. */
export function judge(facts: Facts): Judgement {
  return judgementOf(findAll(facts));
}

/** The findings by themselves, with what only alarms go by. */
export function findAll(facts: Facts): Judged[] {
  return RULES.flatMap((rule) => rule(facts));
}

/** The same of a database that is not of this version: nothing else of it can be read. */
export function judgeMisfit(problem: string): Judgement {
  return judgementOf([
    {
      ...{ code: 'schema-misfit', severity: 'error', companyId: null, projectId: null, resource: null, since: null },
      ...{ message: problem, fix: 'do what the message says, then try again', until: null, step: 0 },
    },
  ]);
}

/** The verdict on findings, those of other codes included. */
export function judgementOf(judged: readonly (Omit<Judged, 'code'> & Pick<Finding, 'code'>)[]): Judgement {
  const findings = judged.toSorted((one, other) => rankOf(one) - rankOf(other) || compareSince(one, other));
  const verdict = verdictOf(findings);
  const warnings = findings.filter(({ severity }) => severity === 'warning');
  const ends = warnings
    .flatMap(({ until }) => until ?? [])
    .toSorted((one, other) => Date.parse(one) - Date.parse(other));
  const healedAt = verdict === 'healing' && ends.length === warnings.length ? (ends.at(-1) ?? null) : null;
  return { verdict, findings: findings.map(({ until: _, step: __, ...finding }) => finding), healedAt };
}

function rankOf({ severity }: Finding): number {
  return SEVERITIES.indexOf(severity);
}

/** What is not known comes last. */
function compareSince(one: Finding, other: Finding): number {
  const of = ({ since }: Finding) => (since === null ? Number.MAX_SAFE_INTEGER : Date.parse(since));
  return of(one) - of(other);
}
