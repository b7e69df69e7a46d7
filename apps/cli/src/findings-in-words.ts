import { counted, type Finding, type Judgement } from '@procore-mirror/mirror';
import { printable } from '@procore-mirror/runtime';
import { ago } from './output.ts';

const SAME_DAY_MS = 20 * 3_600_000;

/** The first line of all: `fine`, `healing by itself until about 14:20 UTC`, `needs you: 2 errors`. */
export function verdictInWords({ verdict, findings, healedAt }: Judgement, now: Date): string {
  if (verdict === 'fine') return 'fine';
  if (verdict === 'healing')
    return `healing by itself${healedAt === null ? '' : ` until about ${momentOf(healedAt, now)}`}`;
  return `needs you: ${counted(findings.filter(({ severity }) => severity === 'error').length, 'error')}`;
}

function momentOf(moment: string, now: Date): string {
  const [day, clock] = [moment.slice(0, 10), new Date(moment).toISOString().slice(11, 16)];
  return `${Date.parse(moment) - now.getTime() > SAME_DAY_MS ? `${day} ` : ''}${clock} UTC`;
}

/** Two lines for each finding, the first `most` of them. */
export function findingsInWords(findings: readonly Finding[], now: Date, most = Number.POSITIVE_INFINITY): string {
  const more = findings.length - most;
  return [
    ...findings
      .slice(0, most)
      .flatMap(({ severity, code, since, message, fix }) => [
        oneLine(`${severity} ${code}${since === null ? '' : `, for ${ago(since, now)}`}: ${message}`),
        ...(fix === null ? [] : [oneLine(`  fix: ${fix}`)]),
      ]),
    ...(more > 0 ? [`(${counted(more, 'finding')} more: --all)`] : []),
  ].join('\n');
}

function oneLine(text: string): string {
  return printable(text.replaceAll(/\s*\n\s*/g, ' '));
}
