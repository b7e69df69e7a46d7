// What the receiver hands over to the worker, and how it lies in the three places on the way:
//
//   job      {"v":1, "kind":"delivery", "body":"<base64>", "receivedAt":"<ISO 8601>", "key":"<16 hex>", "trace":"<32 hex>"}
//   stream   at <ms since 1970>, body <the bytes>, label <JSON of v, kind, key, trace>       in this order
//   spool    <checksum> <ISO 8601> <base64> <JSON of v, kind, key, trace>                    one line
//
// What did not come by a delivery says so in `via`, beside these; an older worker takes it for a delivery.
//
// Before there were versions all three had body and time only: such a one is a delivery. Body and time stay where they are
// in every version, so that an older worker reads what a newer receiver wrote. Who carries an envelope from one place to the
// next takes along all that stands on it, whoever wrote it, and does not ask what it means: only who opens it does.
import { createHash } from 'node:crypto';
import { NewerEnvelopeError } from './errors.ts';

const VERSION = 1;
const KINDS = ['delivery', 'report'] as const;
const OTHER_WAYS = ['delivery log', 'replay'] as const;

/** One HTTP attempt to give us an event, or what the receiver says of itself: the bytes, and when they came. */
export type Envelope = {
  v: typeof VERSION;
  kind: (typeof KINDS)[number];
  body: Buffer;
  receivedAt: Date;
  /** The fingerprint of the accepted secret that the sender showed. */
  key: string | null;
  /** 32 hexadecimal digits, by which the sender's log and ours may be put together. */
  trace: string | null;
  /** How it came, if not by a delivery. */
  via?: (typeof OTHER_WAYS)[number];
};

/** An envelope as it is carried, with all that stands on it. */
export type SealedEnvelope = { readonly body: Buffer; readonly receivedAt: Date; readonly [member: string]: unknown };

/** Throws NewerEnvelopeError for one that only a newer version can read, TypeError for one that nobody of us wrote. */
export function openEnvelope({ v = 1, kind = 'delivery', ...sealed }: SealedEnvelope): Envelope {
  if (typeof kind !== 'string' || !Number.isInteger(v) || Number(v) < VERSION) throw notOurs();
  const known = KINDS.find((each) => each === kind);
  if (v !== VERSION || known === undefined) throw new NewerEnvelopeError(Number(v), kind);
  const { body, receivedAt, key, trace } = sealed;
  const via = OTHER_WAYS.find((each) => each === sealed.via);
  const label = { key: digits(key, 16), trace: digits(trace, 32), ...(via !== undefined && { via }) };
  return { v, kind: known, body, receivedAt, ...label };
}

/** What is not as we write it goes without: no delivery waits for it. */
function digits(value: unknown, length: number): string | null {
  return typeof value === 'string' && value.length === length && /^[0-9a-f]+$/.test(value) ? value : null;
}

/** An envelope as it lies in a job. Base64, because JSON text cannot hold any bytes there are. */
export type EnvelopeJob = { body: string; receivedAt: string; [member: string]: unknown };

export function toJob({ body, receivedAt, ...label }: SealedEnvelope): EnvelopeJob {
  return { ...label, body: body.toString('base64'), receivedAt: receivedAt.toISOString() };
}

/** Throws a TypeError for a job that we did not write. */
export function fromJob(job: unknown): SealedEnvelope {
  if (typeof job !== 'object' || job === null || !('body' in job) || !('receivedAt' in job)) throw notOurs();
  const { body, receivedAt, ...label } = job;
  if (typeof body !== 'string' || typeof receivedAt !== 'string') throw notOurs();
  const at = new Date(receivedAt);
  if (Number.isNaN(at.getTime())) throw notOurs();
  return { ...label, body: Buffer.from(body, 'base64'), receivedAt: at };
}

/** All but body and time as JSON text on one line. */
export function writeLabel({ body: _body, receivedAt: _receivedAt, ...label }: SealedEnvelope): string {
  return JSON.stringify(label);
}

/** What is no label is kept as the version, which no version is. */
export function readLabel(text: string): Record<string, unknown> {
  try {
    const label: unknown = JSON.parse(text);
    if (typeof label === 'object' && label !== null && !Array.isArray(label)) return { ...label };
  } catch {
    // No JSON: odd in the same way.
  }
  return { v: text };
}

/**
 * The same bytes get the same id, so that identical deliveries fold into one job while one of them is in the queue. Done
 * jobs are removed, or their id would swallow later deliveries for good.
 */
export function jobId({ body, v = 1, kind = 'delivery' }: SealedEnvelope): string {
  if (v === VERSION && kind === 'delivery') return `d-${createHash('sha256').update(body).digest('base64url')}`;
  const about = `${JSON.stringify([v, kind])}\n`;
  return `o-${createHash('sha256').update(about).update(body).digest('base64url')}`;
}

function notOurs(): TypeError {
  return new TypeError('what lies in the queue is no envelope of ours');
}
