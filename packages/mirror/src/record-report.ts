// What a receiver says of itself, once a minute and when it starts and stops. It comes the way that deliveries come, so that
// nothing is lost of it, and tells of times when no delivery could.
import { asJsonb, type Database, noteReceiver, type ReceiverGap } from '@procore-mirror/database';
import { z } from 'zod';
import { bury, type Recorded } from './record-delivery.ts';

const name = z.string().refine((text) => !text.includes('\0'), 'holds NUL, which Postgres takes not');
const moment = z.iso.datetime();
const count = z.int32().min(0);
/** How often something happened, and when first and last. */
const span = z.object({ count, first: moment, last: moment });

const reportSchema = z.object({
  /** The receiver's own number, the same as long as it keeps its spool directory. */
  receiver: z.string().regex(/^[0-9a-f]{16}$/),
  host: name,
  pid: count,
  version: name,
  startedAt: moment,
  reason: z.enum(['start', 'minute', 'stop']),
  at: moment,
  /** Until when it is known to have run before; null: told already, or never before. */
  downSince: moment.nullable(),
  /** Had it been told to stop then? */
  wasStopped: z.boolean().nullable(),
  /** What follows counts from its last report on. `none`: the sender went away. */
  answers: z.object({ '204': count, '401': count, '413': count, '503': count, none: count }),
  /** Deliveries answered 503, and those that went into the spool. */
  refused: span.nullable(),
  spooled: span.nullable(),
  /** What lies in the spool. */
  spoolHolds: count,
  /** The fingerprints of the Authorization values that it accepts; receivers of before do not say. */
  accepts: z.array(z.string().regex(/^[0-9a-f]{16}$/)).optional(),
});

export type ReceiverReport = z.infer<typeof reportSchema>;

/**
 * Records what a receiver reported. Idempotent, and of any order. What is no report is kept as a dead letter. Throws only when
 * the database cannot be written.
 */
export async function recordReport(
  database: Database,
  { body, receivedAt }: { body: Buffer; receivedAt: Date },
): Promise<Recorded> {
  const read = reportSchema.safeParse(parseJson(body));
  if (!read.success) {
    const detail = read.error.issues.map(({ path, code }) => `${path.join('.')}: ${code}`).join('; ');
    return bury(database, { body, receivedAt }, null, { reason: 'bad_report', detail });
  }
  const report = read.data;
  const { receiver, host, pid, version, startedAt, reason, at } = report;
  await noteReceiver(database, {
    ...{ id: receiver, host, pid, version, startedAt, reportedAt: at, stoppedAt: reason === 'stop' ? at : null },
    report: asJsonb(JSON.stringify(report)),
    gaps: gapsOf(report),
  });
  return { outcome: 'report', event: null, reason, newDeadLetter: null };
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

function gapsOf({ downSince, wasStopped, startedAt, refused, spooled }: ReceiverReport): ReceiverGap[] {
  const gaps: ReceiverGap[] = [];
  // By the receiver's clock, which somebody may have set back.
  if (downSince !== null && new Date(downSince) < new Date(startedAt)) {
    gaps.push({ kind: 'down', since: downSince, until: startedAt, count: null, wasStopped });
  }
  if (refused !== null) gaps.push(gapOf('refused', refused));
  if (spooled !== null) gaps.push(gapOf('spooled', spooled));
  return gaps;
}

function gapOf(kind: ReceiverGap['kind'], { count, first, last }: z.infer<typeof span>): ReceiverGap {
  return { kind, since: first, until: last, count, wasStopped: null };
}
