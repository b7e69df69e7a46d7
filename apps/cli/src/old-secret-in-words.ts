import { counted, type OldSecret } from '@procore-mirror/mirror';
import { ago } from './output.ts';

const WHY: Record<NonNullable<OldSecret['because']>, string> = {
  elsewhere:
    'hooks carry another value than the first one, or may: `pnpm mirror hooks rotate-secret` gives it to all of them.',
  'not proved':
    'no delivery came with the first value yet. See that a receiver and a worker run, save something in Procore that is mirrored, and look again.',
  undelivered: 'Procore has yet to deliver something, which may carry it. Look again when that has come.',
  'not known':
    "Procore's log does not tell whether something is left to deliver: keep it for 12 hours after the last hook got the first value.",
};

/** While several values are accepted: with which deliveries come, and whether the old ones may go. */
export function oldSecretInWords(secret: OldSecret, now: Date): string {
  return [
    usesInWords(secret, now),
    secret.because === null
      ? 'The old value may go: every hook has the first one, deliveries come with it, and Procore has nothing left to deliver.'
      : whyToKeepInWords(secret.because, secret),
  ].join('\n');
}

/** Why it must not go yet, and what to do. */
export function whyToKeepInWords(
  because: NonNullable<OldSecret['because']>,
  { stillWithOld }: Pick<OldSecret, 'stillWithOld'>,
): string {
  if (because !== 'elsewhere' || stillWithOld === null) return `Keep the old value: ${WHY[because]}`;
  const { companyId, projectId, happenedAt } = stillWithOld;
  const place = projectId === null ? `company ${companyId}` : `project ${projectId}`;
  return `Keep the old value: what happened at ${happenedAt} in ${place} came with an old one, so a hook there may carry it. \`pnpm mirror hooks rotate-secret\` changes it if it is ours; give the first value to what else leads here. What happened more than 12 hours ago does not count.`;
}

/** `deliveries come with the first value (last 3 min ago), with an old one none`. */
export function usesInWords({ hooks, lastWithNewAt, lastWithOldAt }: OldSecret, now: Date): string {
  const last = (moment: string | null) => (moment === null ? 'none' : `the last ${ago(moment, now)} ago`);
  const given = [
    `${counted(hooks.new, 'hook')} ${hooks.new === 1 ? 'was' : 'were'} given it`,
    ...(hooks.other === 0 ? [] : [`${hooks.other} another one`]),
    ...(hooks.unknown === 0 ? [] : [`of ${hooks.unknown} nobody noted`]),
  ];
  return `Deliveries with the first value: ${last(lastWithNewAt)}; with an old one: ${last(lastWithOldAt)}. ${given.join(', ')}.`;
}
