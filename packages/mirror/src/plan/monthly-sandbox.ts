// The monthly sandbox is overwritten from production on the first working day of each month (docs/procore.md: Environments): what a
// mirror of it holds is then of a world that is no more.

export const MONTHLY_SANDBOX = 'monthly-sandbox';

/** As the database knows it; moments in ISO 8601. */
type Origin = { environment: string; notedAt: string; resetAt: string | null };

/**
 * The day on which the sandbox was last overwritten, where the mirror was neither begun nor emptied since; null where it was, or
 * mirrors something else. Days are those of Greenwich, and holidays are not known here.
 */
export function overwrittenOn(environment: string, origin: Origin | null, now: Date): string | null {
  if (environment !== MONTHLY_SANDBOX || origin === null || origin.environment !== MONTHLY_SANDBOX) return null;
  const ofThisMonth = firstWorkingDay(now.getUTCFullYear(), now.getUTCMonth());
  const day = ofThisMonth <= now ? ofThisMonth : firstWorkingDay(now.getUTCFullYear(), now.getUTCMonth() - 1);
  return new Date(origin.resetAt ?? origin.notedAt) < day ? day.toISOString().slice(0, 10) : null;
}

/** The first day from Monday to Friday, its beginning. */
function firstWorkingDay(year: number, month: number): Date {
  const first = new Date(Date.UTC(year, month, 1));
  const weekday = first.getUTCDay();
  const later = weekday === 6 ? 2 : weekday === 0 ? 1 : 0;
  return new Date(Date.UTC(year, month, 1 + later));
}

type Circumstances = {
  /** What was asked to be reset. */
  asked: string;
  /** As configured. */
  environment: string;
  /** Host names of login and API as configured; those of sandboxes and of this machine do no harm. */
  hosts: readonly string[];
  sandboxHosts: readonly string[];
  isLoopback: (host: string) => boolean;
  origin: Pick<Origin, 'environment'> | null;
  isWorkerSeen: boolean;
};

/** Why the mirror may not be emptied, each reason with what to do; none when it may. */
export function refuseReset(is: Circumstances): string[] {
  const strange = is.hosts.filter((host) => !is.sandboxHosts.includes(host) && !is.isLoopback(host));
  return [
    is.asked !== MONTHLY_SANDBOX && `--environment: only ${MONTHLY_SANDBOX} is ever overwritten, not ${is.asked}`,
    is.environment !== is.asked &&
      `PROCORE_ENVIRONMENT is ${is.environment}, not ${is.asked}: set it, or look whether this is the mirror that you mean`,
    strange.length > 0 &&
      `PROCORE_LOGIN_URL and PROCORE_API_URL must lead to a sandbox or to this machine, not to ${strange.join(' and ')}`,
    is.origin !== null &&
      is.origin.environment !== is.asked &&
      `this database mirrors ${is.origin.environment}: DATABASE_URL leads to another mirror than that of ${is.asked}`,
    is.isWorkerSeen && 'a worker runs, or did 30 s ago: stop all workers first',
  ].filter((problem) => problem !== false);
}
