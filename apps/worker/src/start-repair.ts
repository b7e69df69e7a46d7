// The worker's repairs. What it brings in goes the way of a delivery: into the queue, which is opened when there is something to add.
import { startRepairLoop } from '@procore-mirror/mirror';
import { type DeliveryQueue, openDeliveryQueue } from '@procore-mirror/queue';
import { type Log, queueAddress } from '@procore-mirror/runtime';
import type { WorkerEnv } from './env.ts';

type Options = Pick<Parameters<typeof startRepairLoop>[0], 'database' | 'client' | 'holder'> & {
  env: WorkerEnv;
  log: Log;
};

/** Starts to look for what deliveries missed. */
export function startRepair({ env, log, ...how }: Options): { close: () => Promise<void> } {
  let opening: Promise<DeliveryQueue> | null = null;
  const open = (): Promise<DeliveryQueue> => {
    opening ??= openDeliveryQueue({
      ...{ url: queueAddress(env).url, allowVolatile: env.QUEUE_ALLOW_VOLATILE },
      onWarning: (warning) => log.warn(warning),
    }).catch((error: unknown) => {
      opening = null; // the next one tries again
      throw error;
    });
    return opening;
  };
  const loop = startRepairLoop({
    ...{ ...how, log, everyMs: env.REPAIR_EVERY_MS },
    handOver: async (delivery) => {
      await (await open()).add({ v: 1, kind: 'delivery', ...delivery, key: null, trace: null, via: 'delivery log' });
    },
  });
  return {
    close: async () => {
      await loop.close();
      const queue = await opening?.catch(() => null);
      await queue?.close();
    },
  };
}
