// The worker finds what deliveries missed: of each company one worker at a time looks at Procore's log of deliveries, adaptively
// (`plan/plan-looks.ts`), within its share of the calls, and hands over what the mirror lacks to the queue that deliveries come by.
import { forgetOldLooks, listLoggedCompanies } from '@procore-mirror/database';
import { createRepairRounds } from './repair-company.ts';
import type { RepairLoopOptions } from './repair-options.ts';
import { realTime } from './run/clock.ts';
import { leaveDuty, withDuty } from './with-duty.ts';

const REST_AFTER_FAILURE_MS = 60_000;
const FORGET_EVERY_MS = 3_600_000;

/** Starts to repair the companies that have hooks of ours. `close` ends the call under way. */
export function startRepairLoop(options: RepairLoopOptions): { close: () => Promise<void> } {
  const { database, log, lookEveryMs = 2_000, clock = realTime } = options;
  const closing = new AbortController();
  const { signal } = closing;
  const companies = new Map<string, Promise<void>>();

  async function run(): Promise<void> {
    let forgetAt = Number.NEGATIVE_INFINITY;
    while (!signal.aborted) {
      try {
        for (const companyId of await listLoggedCompanies(database.pool))
          if (!companies.has(companyId)) companies.set(companyId, repairCompany(options, { companyId, signal }));
        if (clock.now() >= forgetAt) {
          await forgetOldLooks(database);
          forgetAt = clock.now() + FORGET_EVERY_MS;
        }
      } catch (error) {
        log.warn({ error }, 'what is known of hooks could not be read; trying again');
      }
      await clock.sleep(5 * lookEveryMs, signal).catch(() => null);
    }
  }

  const running = run();
  return {
    close: async () => {
      closing.abort(new Error('the worker is stopping'));
      await running;
      await Promise.all(companies.values());
    },
  };
}

async function repairCompany(
  options: RepairLoopOptions,
  { companyId, signal }: { companyId: string; signal: AbortSignal },
): Promise<void> {
  const { database, holder, log, leaseMs = 15_000, lookEveryMs = 2_000, clock = realTime } = options;
  const duty = { database, duty: `delivery log of ${companyId}`, holder, leaseMs, log, clock };
  const round = createRepairRounds(options, companyId);
  while (!signal.aborted) {
    let restMs = lookEveryMs;
    try {
      await withDuty(duty, (lost) => round(AbortSignal.any([lost, signal])));
    } catch (error) {
      if (!signal.aborted)
        log.warn({ company_id: companyId, error }, 'the delivery log could not be read; trying again');
      restMs = REST_AFTER_FAILURE_MS;
    }
    await clock.sleep(restMs, signal).catch(() => null);
  }
  await leaveDuty(duty);
}
