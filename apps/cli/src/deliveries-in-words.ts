import type { DeliveryStatus } from '@procore-mirror/database';
import { ago, counted } from './output.ts';

/** What did not come, and what to do; a line each. */
export function deliveriesInWords({ undelivered, silent, unread }: DeliveryStatus, now: Date): string {
  return [
    ...undelivered.map(
      ({ companyId, count, oldestAt }) =>
        `Procore could not deliver ${counted(count, 'event')} of company ${companyId}, the oldest for ${ago(oldestAt, now)}, and throws them away after 12 hours: see that the receiver runs, and that WEBHOOK_URL leads to it.`,
    ),
    ...(silent.length === 0
      ? []
      : [
          `${counted(silent.length, 'scope')} that usually speak${silent.length === 1 ? 's' : ''} sent nothing for three hours: ${silent
            .slice(0, 5)
            .map(({ companyId, projectId }) => projectId ?? `company ${companyId}`)
            .join(
              ', ',
            )}${silent.length > 5 ? ', …' : ''}. \`pnpm mirror hooks status\` tells whether their hooks are right.`,
        ]),
    ...(unread.hooks === 0
      ? []
      : [`The log of deliveries of ${counted(unread.hooks, 'hook')} cannot be read (${unread.reason}).`]),
  ].join('\n');
}
