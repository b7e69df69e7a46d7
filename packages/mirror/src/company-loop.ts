// Upkeep of companies: of each one worker at a time looks, again and again, whether something is to be done.
import type { Database } from '@procore-mirror/database';
import { type Clock, realTime } from './run/clock.ts';
import { leaveDuty, withDuty } from './with-duty.ts';

export type CompanyLoopOptions = {
  database: Database;
  /** Names this process in the leases. */
  holder: string;
  log: { warn: (about: object, message: string) => void };
  /** What a dead worker was at is taken over after this long, ms. */
  leaseMs?: number | undefined;
  /** How often it looks whether something is to be done, ms. */
  lookEveryMs?: number | undefined;
  /** For whoever has a time of their own. */
  clock?: Clock | undefined;
};

type Upkeep = {
  /** What it is called: `delivery log`. */
  name: string;
  /** The companies there are now. */
  list: () => Promise<readonly string[]>;
  /** Called once for each company; returns what each look does. */
  begin: (companyId: string) => (signal: AbortSignal) => Promise<void>;
};

const REST_AFTER_FAILURE_MS = 60_000;

/** Starts to look. `close` ends what is under way. */
export function startCompanyLoop(options: CompanyLoopOptions, upkeep: Upkeep): { close: () => Promise<void> } {
  const { database, holder, log, leaseMs = 15_000, lookEveryMs = 2_000, clock = realTime } = options;
  const { name, list, begin } = upkeep;
  const closing = new AbortController();
  const { signal } = closing;
  const companies = new Map<string, Promise<void>>();

  async function run(): Promise<void> {
    while (!signal.aborted) {
      for (const companyId of await known())
        if (!companies.has(companyId)) companies.set(companyId, lookAfter(companyId));
      await clock.sleep(5 * lookEveryMs, signal).catch(() => null);
    }
  }

  async function known(): Promise<readonly string[]> {
    try {
      return await list();
    } catch (error) {
      if (!signal.aborted) log.warn({ error }, `the companies of the ${name} could not be read; trying again`);
      return [];
    }
  }

  async function lookAfter(companyId: string): Promise<void> {
    const duty = { database, duty: `${name} of ${companyId}`, holder, leaseMs, log, clock };
    const look = begin(companyId);
    while (!signal.aborted) {
      let restMs = lookEveryMs;
      try {
        await withDuty(duty, (lost) => look(AbortSignal.any([lost, signal])));
      } catch (error) {
        if (!signal.aborted) log.warn({ company_id: companyId, error }, `the ${name} failed; trying again`);
        restMs = REST_AFTER_FAILURE_MS;
      }
      await clock.sleep(restMs, signal).catch(() => null);
    }
    await leaveDuty(duty);
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
