// What `doctor` says: all that the judge of the mirror says, and what is wrong where it runs. Pure.
import type { Check, DoctorFacts, Examined, Found } from './doctor-facts.ts';
import {
  examineCompanies,
  examineDeprecated,
  examineHooks,
  examineLogin,
  examineTools,
  withSeenHooks,
} from './doctor-procore.ts';
import {
  examineClocks,
  examineCounts,
  examineDisks,
  examineQueue,
  examineRights,
  examineSchema,
  examineServers,
  examineSettings,
} from './doctor-servers.ts';
import type { Facts } from './facts.ts';
import { findAll, type Judgement, judgementOf } from './judge.ts';

export type Diagnosis = Judgement & {
  /** What was looked at, in this order, what is fine included. */
  checks: readonly Check[];
};

/** `mirror` null: its database gave no answer, or is not of this version. */
export function diagnose(found: DoctorFacts, mirror: Facts | null): Diagnosis {
  const facts = mirror === null ? null : withSeenHooks(mirror, found.hooks);
  const ofMirror = facts === null ? [] : findAll(facts);
  const isTold = (one: Found) => ofMirror.some((other) => isSame(one, other));
  const examined: Examined[] = [
    ...examineSettings(found),
    ...examineServers(found),
    ...examineSchema(found),
    ...examineRights(found),
    ...examineCounts(found),
    ...examineQueue(found),
    ...examineLogin(found),
    ...examineCompanies(found, facts?.budget ?? null),
    ...examineTools(found),
    ...examineHooks(found),
    ...examineDeprecated(found),
    ...examineClocks(found),
    ...examineDisks(found),
    ...(facts === null
      ? []
      : [{ check: 'the mirror, as status tells it', detail: detailOf(ofMirror), findings: ofMirror }]),
  ];
  const own = examined.flatMap(({ findings }) => (findings === ofMirror ? [] : findings.filter((one) => !isTold(one))));
  const hasHookFinding = ofMirror.some(({ code }) => code.startsWith('hook'));
  return {
    ...judgementOf([...ofMirror, ...own]),
    checks: [
      ...examined.map(({ check, detail, findings, isSkipped = false }) => ({
        ...{ check, state: stateOf(findings.length > 0 || (check === 'hooks' && hasHookFinding), isSkipped), detail },
      })),
      ...found.notLooked.map(({ check, why }) => ({ check, state: 'not checked' as const, detail: why })),
    ],
  };
}

const TOLD_BY_BOTH = ['credentials-refused', 'login-unreachable', 'company-not-connected', 'queue-unreachable'];

/** The same, said twice: workers report of a login what `doctor` met, too. */
function isSame(one: Found, other: Found): boolean {
  if (!TOLD_BY_BOTH.includes(one.code)) return false;
  return (['code', 'companyId', 'projectId', 'resource'] as const).every((key) => one[key] === other[key]);
}

function stateOf(isWrong: boolean, isSkipped: boolean): Check['state'] {
  if (isWrong) return 'finding';
  return isSkipped ? 'not checked' : 'fine';
}

function detailOf(findings: readonly Found[]): string {
  return findings.length === 0 ? 'nothing is wrong' : `${findings.length} of the findings`;
}
