// What the receiver says of itself: who it is, and when it was down, refused deliveries or spooled them. A report goes the way
// of the deliveries, so the worker hears of it even where the receiver reaches nothing but its disk. Only what was stored counts as
// told: the rest goes with the next report, and if the process is killed before, the next start reports the time as down.
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ReceiverReport } from '@procore-mirror/mirror';
import type { Envelope } from '@procore-mirror/queue';
import type { IngestMetrics } from './metrics.ts';
import type { ReceiverLife } from './receiver-life.ts';

export type ReportsOptions = {
  life: ReceiverLife;
  /** Of this software. */
  version: string;
  spoolHolds: () => number;
  /** The fingerprints of the Authorization values that are accepted. */
  accepts: () => readonly string[];
  /** Resolves once the report is durable. */
  store: (envelope: Envelope) => Promise<unknown>;
  /** Told of a report that could not be stored, or a life that could not be noted; either is tried again. */
  onError: (error: unknown) => void;
  /** Default 60 s. */
  everyMs?: number;
  /** Default 2.5 s. */
  stopWithinMs?: number;
  now?: () => Date;
};

/** Counts what its reports tell. */
export type Reports = IngestMetrics & {
  /** From now on the receiver takes deliveries, and reports. */
  start: () => void;
  /** There is something that the next report is not to wait for. */
  hurry: () => void;
  /** Reports that it stops, if it started; resolves within `stopWithinMs`. */
  close: () => Promise<void>;
};

type Counts = Pick<ReceiverReport, 'answers' | 'refused' | 'spooled'>;
type Span = Counts['refused'];

export function createReports(options: ReportsOptions): Reports {
  const { life, store, onError, everyMs = 60_000, stopWithinMs = 2_500, now = () => new Date() } = options;
  const closing = new AbortController();
  let waking = new AbortController();
  let counts = noCounts();
  let startedAt: Date | null = null;
  let isStartTold = false;
  let reporting: Promise<void> = Promise.resolve();

  async function report(since: Date, reason: ReceiverReport['reason']): Promise<void> {
    const at = now();
    const counted = counts;
    counts = noCounts();
    const content = {
      ...{ receiver: life.id, host: hostname(), pid: process.pid, version: options.version },
      ...{ startedAt: since.toISOString(), reason, at: at.toISOString() },
      downSince: isStartTold ? null : life.aliveAt,
      wasStopped: isStartTold ? null : life.wasStopped,
      ...counted,
      spoolHolds: options.spoolHolds(),
      accepts: [...options.accepts()],
    } satisfies ReceiverReport;
    const body = Buffer.from(JSON.stringify(content));
    try {
      await store({ v: 1, kind: 'report', body, receivedAt: at, key: null, trace: null });
    } catch (error) {
      counts = sum(counted, counts);
      onError(error);
      return;
    }
    isStartTold = true;
    await life.note(at, reason === 'stop').catch(onError);
  }

  async function reportUntilClosed(since: Date): Promise<void> {
    while (!closing.signal.aborted) {
      await report(since, isStartTold ? 'minute' : 'start');
      const signal = AbortSignal.any([closing.signal, waking.signal]);
      await sleep(everyMs, undefined, { signal }).catch(() => {}); // closing ends the loop
      waking = new AbortController();
    }
  }

  return {
    answered(status) {
      counts.answers[status] += 1;
      if (status === 503) counts.refused = oneMore(counts.refused, now());
    },
    stored(where) {
      if (where === 'spool') counts.spooled = oneMore(counts.spooled, now());
    },
    start() {
      startedAt = now();
      reporting = reportUntilClosed(startedAt);
    },
    hurry() {
      waking.abort();
    },
    async close() {
      closing.abort();
      const since = startedAt;
      if (since === null) return;
      startedAt = null;
      const stopped = reporting.then(() => report(since, 'stop'));
      await Promise.race([stopped, sleep(stopWithinMs, undefined, { ref: false })]);
    },
  };
}

function noCounts(): Counts {
  return { answers: { '204': 0, '401': 0, '413': 0, '503': 0, none: 0 }, refused: null, spooled: null };
}

function oneMore(span: Span, at: Date): Span {
  const moment = at.toISOString();
  return together(span, { count: 1, first: moment, last: moment });
}

function sum(earlier: Counts, later: Counts): Counts {
  const answers = { ...later.answers };
  for (const answer of ['204', '401', '413', '503', 'none'] as const) answers[answer] += earlier.answers[answer];
  return {
    answers,
    refused: together(earlier.refused, later.refused),
    spooled: together(earlier.spooled, later.spooled),
  };
}

function together(earlier: Span, later: Span): Span {
  if (earlier === null || later === null) return earlier ?? later;
  return { count: earlier.count + later.count, first: earlier.first, last: later.last };
}
