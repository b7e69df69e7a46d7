// The worker finds what deliveries missed: of each company one worker at a time looks at Procore's log of deliveries, adaptively
// (`plan/plan-looks.ts`), within its share of the calls, and hands over what the mirror lacks to the queue that deliveries come by.
import { forgetOldLooks, listCompaniesToRepair } from '@procore-mirror/database';
import { startCompanyLoop } from './company-loop.ts';
import { createRepairRounds } from './repair-company.ts';
import type { RepairLoopOptions } from './repair-options.ts';
import { realTime } from './run/clock.ts';

const FORGET_EVERY_MS = 3_600_000;

/** Starts to repair the companies that have hooks of ours, and those of which somebody asked. `close` ends the call under way. */
export function startRepairLoop(options: RepairLoopOptions): { close: () => Promise<void> } {
  const { database, clock = realTime } = options;
  let forgetAt = Number.NEGATIVE_INFINITY;
  return startCompanyLoop(options, {
    name: 'delivery log',
    list: async () => {
      if (clock.now() >= forgetAt) {
        await forgetOldLooks(database);
        forgetAt = clock.now() + FORGET_EVERY_MS;
      }
      return listCompaniesToRepair(database.pool);
    },
    begin: (companyId) => createRepairRounds(options, companyId),
  });
}
