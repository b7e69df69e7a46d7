import { counted, type Diagnosis } from '@procore-mirror/mirror';
import { findingsInWords, verdictInWords } from './findings-in-words.ts';
import { table } from './output.ts';

const STATES = { fine: 'ok', finding: '!', 'not checked': '-' } as const;

/** The verdict, what is wrong and what to do, and what was looked at. */
export function doctorInWords({ calls, ...diagnosis }: Diagnosis & { calls: number }, now: Date): string {
  const { findings, checks } = diagnosis;
  const rows = checks.map(({ check, state, detail }) => [STATES[state], check, detail]);
  return [
    firstLine(diagnosis, now),
    ...(findings.length === 0 ? [] : ['', findingsInWords(findings, now)]),
    ...['', table(['', 'looked at', ''], rows)],
    ...(checks.some(({ state }) => state === 'not checked') ? ['(-: not checked, for the reason beside it)'] : []),
    `It took ${counted(calls, 'call')} to Procore.`,
  ].join('\n');
}

/** Of what only `doctor` finds nothing heals by itself. */
function firstLine(diagnosis: Diagnosis, now: Date): string {
  if (diagnosis.verdict !== 'healing') return verdictInWords(diagnosis, now);
  const warnings = diagnosis.findings.filter(({ severity }) => severity === 'warning').length;
  return `no error, ${counted(warnings, 'warning')}`;
}
