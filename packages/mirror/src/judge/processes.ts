// Workers, receivers, the queue between them, their clocks, and whether workers may sign in.
import type { MirrorFacts, ReceiverFact } from '@procore-mirror/database';
import { counted } from '../plan/fill-in-words.ts';
import type { Facts } from './facts.ts';
import { ageOf, DAY, HOUR, isOlder, MINUTE, SECOND } from './in-words.ts';
import { about, type Judged, OF_ALL } from './judged.ts';

const WORKER_WITHIN = 30 * SECOND;
/** Receivers report once a minute. */
const REPORT_WITHIN = 3 * MINUTE;
export const CLOCKS_APART = 30 * SECOND;
const QUEUE_BEHIND = 1_000;
const QUEUE_FAR_BEHIND = 100_000;
const SEE_RECEIVER =
  'start the receiver (`pnpm ingest`, or `npm start` where that runs everything); its /readyz says what it lacks';

type Worker = MirrorFacts['workers'][number];

export function judgeProcesses(facts: Facts): Judged[] {
  const live = liveWorkers(facts);
  return [
    ...judgeQueue(facts.queue),
    ...judgeWorkers(facts, live),
    ...judgeLogin(live, facts.now),
    ...judgeReceivers(facts, live),
    ...judgeClocks(facts, live),
    ...judgeSandbox(facts),
  ];
}

/** Workers that run, as far as is known. */
export function liveWorkers({ workers, now }: Pick<MirrorFacts, 'workers' | 'now'>): readonly Worker[] {
  return workers.filter(({ stoppedAt, seenAt }) => stoppedAt === null && !isOlder(seenAt, WORKER_WITHIN, now));
}

/** Of the queue of deliveries: is it there, and is it read? */
export function judgeQueue({ waiting, problem }: Facts['queue']): Judged[] {
  if (problem !== null) {
    return [
      {
        ...{ ...about(OF_ALL), code: 'queue-unreachable', severity: 'error' },
        message: `The queue of deliveries cannot be reached: ${problem}`,
        fix: 'start that server, or correct QUEUE_URL',
      },
    ];
  }
  if (waiting === null || waiting < QUEUE_BEHIND) return [];
  return [
    {
      ...{ ...about(OF_ALL), code: 'queue-behind', severity: waiting < QUEUE_FAR_BEHIND ? 'warning' : 'error' },
      message: `${waiting} deliveries wait to be recorded.`,
      fix:
        waiting < QUEUE_FAR_BEHIND ? null : 'start more workers, and see in their logs what keeps them from recording',
    },
  ];
}

function judgeWorkers({ workers }: Facts, live: readonly Worker[]): Judged[] {
  if (live.length > 0) return [];
  const [last] = workers;
  const since = last === undefined ? null : (last.stoppedAt ?? last.seenAt);
  return [
    {
      ...{ ...about({ ...OF_ALL, since }), code: 'worker-silent', severity: 'error' },
      message:
        last === undefined
          ? 'No worker ran within the last day.'
          : 'No worker runs: nothing is recorded, fetched or healed.',
      fix: 'pnpm worker, or `npm start` where that runs everything',
    },
  ];
}

/** Of workers that run: can they sign in? */
function judgeLogin(workers: readonly Pick<Worker, 'report'>[], now: string): Judged[] {
  const troubles = workers
    .flatMap(({ report }) => report?.login ?? [])
    .toSorted((one, other) => Date.parse(one.since) - Date.parse(other.since));
  const rejected = troubles.find(({ reason }) => reason === 'rejected');
  if (rejected !== undefined) {
    return [
      {
        ...{ ...about({ ...OF_ALL, since: rejected.since }), code: 'credentials-refused', severity: 'error' },
        message: rejected.message,
        fix: 'set PROCORE_CLIENT_ID and PROCORE_CLIENT_SECRET (or the file of the secret) to what the app has at Procore',
      },
    ];
  }
  return troubles.slice(0, 1).map(({ since, message }) => ({
    ...{ ...about({ ...OF_ALL, since }), code: 'login-unreachable' },
    severity: isOlder(since, HOUR, now) ? 'error' : 'warning',
    message,
    fix: 'see that workers reach PROCORE_LOGIN_URL',
  }));
}

function judgeReceivers(facts: Facts, live: readonly Worker[]): Judged[] {
  const begun = live.map(({ startedAt }) => startedAt).toSorted()[0];
  // Workers record what receivers report: without one nothing is known, and what waits in the queue may be a report.
  if (begun === undefined || (facts.queue.waiting ?? 0) >= QUEUE_BEHIND) return [];
  return [...judgeSilence(facts, begun), ...judgeGaps(facts), ...judgeSpool(facts)];
}

function judgeSilence({ receivers, now }: Facts, workerBegun: string): Judged[] {
  const isWell = ({ stoppedAt, recordedAt }: ReceiverFact) =>
    stoppedAt === null && !isOlder(recordedAt, REPORT_WITHIN, now);
  const silent = receivers.filter((one) => one.stoppedAt === null && !isWell(one));
  if (receivers.some(isWell)) {
    // One that another took the place of is forgotten after a day, as `complete_until` does.
    return silent
      .filter(({ recordedAt }) => !isOlder(recordedAt, DAY, now))
      .map(({ recordedAt, host }) => ({
        ...{ ...about({ ...OF_ALL, since: recordedAt }), code: 'receiver-silent', severity: 'warning' },
        message: `The receiver on ${host} reports no more, though another one does.`,
        fix: `${SEE_RECEIVER}; one that is gone for good is forgotten after a day`,
      }));
  }
  const isYoung = !isOlder(workerBegun, REPORT_WITHIN, now);
  if (isYoung && receivers.every(({ stoppedAt }) => stoppedAt === null)) return [];
  const [last] = receivers;
  const since = last === undefined ? null : (last.stoppedAt ?? last.recordedAt);
  const message =
    last === undefined
      ? 'No receiver has ever reported: nobody takes what Procore delivers.'
      : `The last receiver, on ${last.host}, ${last.stoppedAt === null ? 'reports no more' : 'was stopped'}: nobody takes what Procore delivers.`;
  return [
    { ...{ ...about({ ...OF_ALL, since }), code: 'receiver-silent', severity: 'error' }, message, fix: SEE_RECEIVER },
  ];
}

const GOES_ON = REPORT_WITHIN;
const FOR_LONG = 5 * MINUTE;

/** Receivers that answer 503. */
function judgeGaps({ gaps, now }: Facts): Judged[] {
  const refused = gaps.filter(({ kind, until }) => kind === 'refused' && !isOlder(until, GOES_ON, now));
  const since = refused.map((gap) => gap.since).toSorted()[0];
  if (since === undefined) return [];
  const count = refused.reduce((sum, gap) => sum + gap.count, 0);
  return [
    {
      ...{ ...about({ ...OF_ALL, since }), code: 'receiver-refuses' },
      severity: isOlder(since, FOR_LONG, now) ? 'error' : 'warning',
      message: `The receiver answered 503 to ${counted(count, 'delivery', 'deliveries')}: neither the queue nor its disk took them. Procore tries again for 12 hours.`,
      fix: 'see the log of the receiver: start the queue, or make room on its disk',
    },
  ];
}

function judgeSpool({ receivers, gaps, now }: Facts): Judged[] {
  const spooling = receivers.filter(({ spoolHolds }) => spoolHolds > 0);
  if (spooling.length === 0) return [];
  const held = spooling.reduce((sum, { spoolHolds }) => sum + spoolHolds, 0);
  const since =
    gaps
      .filter(({ kind, receiver }) => kind === 'spooled' && spooling.some(({ id }) => id === receiver))
      .map((gap) => gap.since)
      .toSorted()[0] ?? null;
  return [
    {
      ...{ ...about({ ...OF_ALL, since }), code: 'spool-in-use' },
      severity: isOlder(since, FOR_LONG, now) ? 'error' : 'warning',
      message: `${counted(held, 'delivery', 'deliveries')} lie on the disk of the receiver, because the queue took none.`,
      fix: 'see that the receiver reaches QUEUE_URL; what lies on its disk goes on by itself then',
    },
  ];
}

function judgeClocks({ receivers, queue, now }: Facts, live: readonly Worker[]): Judged[] {
  const off = (whose: string, aheadMs: number, severity: Judged['severity']): Judged => ({
    ...{ ...about(OF_ALL), code: 'clock-off', severity },
    message: `The clock of ${whose} is ${Math.round(Math.abs(aheadMs) / SECOND)} s ${aheadMs > 0 ? 'ahead of' : 'behind'} ${whose === 'Procore' ? 'that of a worker' : "the database's"}.`,
    fix: 'let all machines follow one time server (NTP)',
  });
  const isOff = (aheadMs: number) => Math.abs(aheadMs) > CLOCKS_APART;
  const workers = live.filter(({ report }) => report !== null && isOff(report.aheadMs));
  const procore = live.find(({ report }) => isOff(report?.procoreAheadMs ?? 0))?.report?.procoreAheadMs ?? null;
  // A report that comes late waited, unless nothing waits and a worker was there.
  const isPrompt = (moment: string) =>
    queue.waiting === 0 && live.some(({ startedAt }) => Date.parse(moment) - Date.parse(startedAt) > MINUTE);
  return [
    ...workers.slice(0, 1).map(({ holder, report }) => off(`worker ${holder}`, report?.aheadMs ?? 0, 'error')),
    ...(procore === null ? [] : [off('Procore', procore, 'warning')]),
    ...receivers.flatMap(({ host, reportedAt, recordedAt, stoppedAt }) => {
      if (stoppedAt !== null || isOlder(recordedAt, REPORT_WITHIN, now)) return [];
      const aheadMs = Date.parse(reportedAt) - Date.parse(recordedAt);
      if (aheadMs > CLOCKS_APART) return [off(`the receiver on ${host}`, aheadMs, 'error')];
      return -aheadMs > CLOCKS_APART && isPrompt(recordedAt)
        ? [off(`the receiver on ${host}`, aheadMs, 'warning')]
        : [];
    }),
  ];
}

function judgeSandbox({ overwrittenOn }: Facts): Judged[] {
  if (overwrittenOn === null) return [];
  return [
    {
      ...{
        ...about({ ...OF_ALL, since: `${overwrittenOn}T00:00:00Z` }),
        code: 'sandbox-overwritten',
        severity: 'error',
      },
      message: `The monthly sandbox was overwritten from production on ${overwrittenOn}: what the mirror holds is of a world that is no more.`,
      fix: 'stop the workers, then `pnpm mirror reset --environment monthly-sandbox`',
    },
  ];
}

/** What a process can know of itself at once, for its /readyz. */
export function judgeProcess(process: {
  /** Why it cannot sign in, cannot use its queue, and cannot go on with the database; null or none: it can. */
  login: string | null;
  queue: readonly string[];
  schema: string | null;
}): Judged[] {
  const { login, queue, schema } = process;
  const common = { ...about(OF_ALL), severity: 'error', fix: null } as const;
  if (schema !== null) return [{ ...common, code: 'schema-misfit', message: schema }];
  return [
    ...(login === null ? [] : [{ ...common, code: 'credentials-refused', message: login } satisfies Judged]),
    ...queue.map((message): Judged => ({ ...common, code: 'queue-unreachable', message })),
  ];
}

/** How long ago the first of these was, ms; null: none. */
export function oldestMs(groups: readonly { since: string | null }[], now: string): number | null {
  const ages = groups.flatMap(({ since }) => ageOf(since, now) ?? []);
  return ages.length === 0 ? null : Math.max(...ages);
}
