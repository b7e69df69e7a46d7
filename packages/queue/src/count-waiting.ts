import type { Backend } from './backend.ts';
import type { DeliveryJobs } from './delivery-jobs.ts';
import { within } from './within.ts';

/** Deliveries that are not recorded yet, those in hand included; for a moment one that lands may count twice. Rejects within `timeoutMs`. */
export async function countWaiting(
  jobs: DeliveryJobs,
  { landing }: Pick<Backend, 'landing'>,
  timeoutMs: number,
): Promise<number> {
  const counting = [jobs.getJobCountByTypes('waiting', 'active', 'delayed'), landing?.count() ?? 0];
  const [waiting = 0, landed = 0] = await within(Promise.all(counting), timeoutMs, 'counting');
  return waiting + landed;
}
