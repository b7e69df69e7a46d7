// Reads a hook's log of deliveries and hands over what we lack. What came on one page is in the queue before the next one is asked for.
import { type Database, findRecorded, type LookNews, type MaybeRecorded } from '@procore-mirror/database';
import { type HookDelivery, type HooksApi, type ProcoreEvent, parseWebhookEvent } from '@procore-mirror/procore';
import { letterIdOf, textOf } from '../plan/dead-letter.ts';
import { longerId } from '../plan/longer-id.ts';
import type { PlannedLook } from '../plan/plan-looks.ts';
import { type Clock, realTime } from '../run/clock.ts';
import { happenedAt } from './undelivered.ts';

export type HandOver = (delivery: { body: Buffer; receivedAt: Date }) => Promise<void>;

export type LogOptions = {
  hooks: Pick<HooksApi, 'deliveryPages'>;
  database: Database;
  companyId: string;
  look: PlannedLook;
  /** Resolves once it is durable. */
  handOver: HandOver;
  signal: AbortSignal;
  /** For whoever has a time of their own. */
  clock?: Clock | undefined;
};

export type LogRead = Omit<LookNews, 'flaw' | 'covers' | 'agoMs'> &
  Unrecorded & {
    /** When it began, by `Clock.now`. */
    began: number;
    /** Why it was not read to its end; null: it was. */
    cut: string | null;
    handedOver: readonly HandedOver[];
  };

/** An event that was handed over, and the body that it was handed over in. */
export type HandedOver = { event: ProcoreEvent; body: Buffer };

type Unrecorded = {
  /** The earliest event that is on its way to us, and the latest body that nobody can read. */
  waitingSince: Date | null;
  unreadUntil: Date | null;
};

/** What is to be delivered, or was a moment ago, is on its way, and not lost; what happened within this time. */
const ON_ITS_WAY_MS = 600_000;

type Row = { happenedMs: number | null; delivery: HookDelivery; event: ProcoreEvent | null };

/** Throws what the client and `handOver` throw; what was handed over by then stays so. */
export async function readLog(options: LogOptions): Promise<LogRead> {
  const { hooks, companyId, look, signal, clock = realTime } = options;
  const { hookId, projectId, status, endsAtMs } = look;
  const day = new Date(look.coversFromMs).toISOString().slice(0, 10);
  const since = new Date(look.fromMs).toISOString().slice(0, 10);
  const began = clock.now();
  const sums = { pages: 0, found: 0, unread: 0 };
  let [waitingMs, unreadMs] = [Number.POSITIVE_INFINITY, 0];
  const handedOver: HandedOver[] = [];
  const times = seeTimes();
  let cut: string | null = null;
  const asked = {
    companyId,
    projectId,
    hookId,
    ...(status !== 'any' && { status }),
    since,
    signal,
    onCut: (issue: string) => (cut = issue),
  };
  for await (const page of hooks.deliveryPages(asked)) {
    const rows = page.filter((delivery) => isWanted(delivery, look)).map(readRow);
    for (const { happenedMs } of rows) if (happenedMs !== null) times.see(happenedMs);
    sums.pages += 1;
    sums.found += rows.length;
    sums.unread += rows.filter(({ event }) => event === null).length;
    unreadMs = Math.max(
      unreadMs,
      ...rows.map(({ event, happenedMs }) => (event ? 0 : (happenedMs ?? clock.date().getTime()))),
    );
    const { lacking, underWay } = await handOverWhatWeLack(options, rows);
    waitingMs = Math.min(waitingMs, ...underWay.map(({ happenedMs }) => happenedMs ?? 0));
    handedOver.push(...lacking);
    if (lacking.length === 0 && endsAtMs !== null && times.reachBackTo(endsAtMs)) break;
  }
  const unrecorded = { waitingSince: momentOf(waitingMs), unreadUntil: unreadMs === 0 ? null : new Date(unreadMs) };
  return { day, ...sums, ...times.seen(), ...unrecorded, newEvents: handedOver.length, cut, handedOver, began };
}

/** Those that happened within this time may come in any order: several wrote to the log at once. */
const DISORDER_MS = 600_000;

/** What the times of the events that come tell: the newest, the oldest, and whether they come newest first, but for a disorder of minutes. */
export function seeTimes(): {
  see: (ms: number) => void;
  reachBackTo: (ms: number) => boolean;
  seen: () => Pick<LookNews, 'newestEventAt' | 'oldestEventAt' | 'inOrder'>;
} {
  let [newestMs, oldestMs, beforeMs] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  let inOrder: number | null = 0;
  return {
    see: (ms) => {
      const isOlder = ms < beforeMs && Number.isFinite(beforeMs);
      if (ms > oldestMs + DISORDER_MS) inOrder = null;
      else if (inOrder !== null) inOrder += isOlder ? 1 : 0;
      [newestMs, oldestMs, beforeMs] = [Math.max(newestMs, ms), Math.min(oldestMs, ms), ms];
    },
    reachBackTo: (ms) => inOrder !== null && oldestMs <= ms - DISORDER_MS,
    seen: () => ({ newestEventAt: momentOf(newestMs), oldestEventAt: momentOf(oldestMs), inOrder }),
  };
}

/** A server that does not know the filter shows all (docs/procore.md: Filters), also what was delivered. */
function isWanted({ status }: HookDelivery, look: PlannedLook): boolean {
  const isDelivered = ['delivered', 'succeeded'].includes(status.toLowerCase());
  return look.status === 'any' || isDelivered === (look.status === 'succeeded');
}

function readRow(delivery: HookDelivery): Row {
  const parsed = parseWebhookEvent(delivery.body);
  return { delivery, happenedMs: happenedAt(delivery), event: parsed.ok ? parsed.event : null };
}

/** Of one page. What nobody can read as an event is left where it is: it would be a dead letter of no use. */
async function handOverWhatWeLack(
  { database, handOver, look, clock = realTime }: LogOptions,
  rows: readonly Row[],
): Promise<{ lacking: HandedOver[]; underWay: Row[] }> {
  const events = rows.flatMap(({ event, delivery, happenedMs }) =>
    event === null ? [] : [{ event, delivery, happenedMs, body: Buffer.from(delivery.body) }],
  );
  const known = await findRecorded(
    database.pool,
    // The log may tell an event by another id than the body has (docs/procore.md: Webhooks API).
    events.map((one) => ({ ...maybeRecorded(one), ids: [one.event.id, one.delivery.id, longerId(one.event)] })),
  );
  const isUnderWay = isOnItsWay(look, clock.date().getTime());
  const all = events.filter((_, place) => !known.has(place));
  const lacking = all.filter((one) => !isUnderWay(one));
  await Promise.all(lacking.map(({ body }) => handOver({ body, receivedAt: clock.date() })));
  return { lacking: lacking.map(({ event, body }) => ({ event, body })), underWay: all.filter(isUnderWay) };
}

/** As what it is recorded, if it is: an event, or a dead letter where nobody can use it. */
export function maybeRecorded({ event, body }: HandedOver): MaybeRecorded {
  return { ...event, ids: [event.id, longerId(event)], letterId: letterIdOf(textOf(body)) };
}

/** In a look at the whole log. */
function isOnItsWay({ status }: PlannedLook, nowMs: number): (row: Row) => boolean {
  if (status !== 'any') return () => false;
  return ({ delivery, happenedMs }) =>
    ['delivered', 'succeeded', 'enqueued'].includes(delivery.status.toLowerCase()) &&
    happenedMs !== null &&
    happenedMs > nowMs - ON_ITS_WAY_MS;
}

function momentOf(ms: number): Date | null {
  return Number.isFinite(ms) ? new Date(ms) : null;
}
