// Calls are used up for most of each hour while a mirror is filled: that is said once, not each second.
import { type BatchKey, type Queryable, readBackfillProgress, readShortages } from '@procore-mirror/database';
import { shortageInWords } from '../plan/shortage-in-words.ts';
import type { Clock } from './clock.ts';

type ShortageLog = Record<'info' | 'warn', (keys: Record<string, unknown>, message: string) => void>;

/** To be told often what is being filled; looks every now and then. */
type ShortageWatch = { look: (inHand: readonly BatchKey[]) => Promise<void> };

/** Says once of each company when its fills begin to wait for calls, and when they go on. */
export function createShortageWatch(options: {
  pool: Queryable;
  log: ShortageLog;
  lookEveryMs: number;
  clock: Clock;
}): ShortageWatch {
  const { pool, log, lookEveryMs, clock } = options;
  const short = new Set<string>();
  let lookAt = Number.NEGATIVE_INFINITY;

  async function tell(companyIds: readonly string[]): Promise<void> {
    const found = await readShortages(pool, companyIds);
    for (const shortage of found) {
      const { companyId, limit, left, nextAt } = shortage;
      if (left > 0 || short.has(companyId)) continue;
      short.add(companyId);
      const { callsToGo } = await readBackfillProgress(pool, { requests: null, companyIds: [companyId] });
      const keys = {
        company_id: companyId,
        calls_left: left,
        call_limit: limit,
        next_at: nextAt,
        calls_to_go: callsToGo,
      };
      log.info(keys, `backfills wait for calls: ${shortageInWords(shortage, callsToGo, clock.date())}`);
    }
    for (const companyId of short) {
      if (found.some((shortage) => shortage.companyId === companyId)) continue;
      if (companyIds.includes(companyId)) log.info({ company_id: companyId }, 'backfills have calls again, and go on');
      short.delete(companyId);
    }
  }

  return {
    look: async (inHand) => {
      if (clock.now() < lookAt) return;
      lookAt = clock.now() + lookEveryMs;
      await tell([...new Set(inHand.map(({ companyId }) => companyId))]).catch((error: unknown) =>
        log.warn({ error }, 'whether calls are left could not be read'),
      );
    },
  };
}
