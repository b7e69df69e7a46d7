import { counted, type OldSecret } from '@procore-mirror/mirror';
import { ago } from './output.ts';

const KEEP: Record<NonNullable<OldSecret['because']>, string> = {
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
      : `Keep the old value: ${KEEP[secret.because]}`,
  ].join('\n');
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
