import { type DeliveryQueue, openDeliveryQueue } from '@procore-mirror/queue';
import { configured, queueAddress } from '@procore-mirror/runtime';
import type { Context } from './context.ts';
import { queueSchema } from './env.ts';

/**
 * Opens the queue, to count what lies in it or to add a dead letter, which stays until it is recorded: one that may forget does no
 * harm to either. Throws a ConfigError that names the variable where no queue can be; QueueUnreachableError.
 */
export function openQueue({ read }: Context): Promise<DeliveryQueue> {
  const { url, variable } = queueAddress(read(queueSchema));
  return configured(variable, () => openDeliveryQueue({ url, allowVolatile: true, onWarning: () => {} }));
}
