// The one place that knows Procore's three payload formats (docs/procore.md: Payload versions):
//
//                 v2.0, v3.0                        v4.0
//   event id      ulid, else id beyond 2^53         id (a ULID)
//   what          event_type                        reason, an open set in any case
//   resource      resource_name                     resource_type
//   ids           numbers, project_id may be null   text, project_id may be ""
//   version       api_version ("v2", "v2.0", …)     none, or payload_version
//
// An event becomes part of URLs and statements, so what is no id, name or moment is refused here. Fields that we do
// not know are let be: Procore announces new ones.
import { z } from 'zod';
import { parseWithTextIds } from './lossless-json.ts';
import { isNumericId } from './numeric-id.ts';

/** What an event says, the same for every payload version. */
export type ProcoreEvent = {
  /** The ULID where there is one, else Procore's integer id. */
  id: string;
  companyId: string;
  /** Null for company resources. */
  projectId: string | null;
  /** As Procore spells it; no one checked yet that we know it. */
  resource: string;
  recordId: string;
  /** Lower case: create, update, delete, or what else v4.0 comes up with. */
  kind: string;
  /** ISO 8601 with all its digits; null when the event does not say, or not so that it can be read. */
  occurredAt: string | null;
  payloadVersion: 'v2.0' | 'v3.0' | 'v4.0';
  /** Parents that v3.0 names for line items; those without a proper id or name are left out. */
  related: readonly { id: string; resource: string }[];
};

export type ParsedWebhookEvent =
  | { ok: true; event: ProcoreEvent }
  /** `detail` is a sentence on what is wrong where; it never quotes the body. */
  | { ok: false; reason: RefusalReason; detail: string };

const refusals = {
  not_json: 'the body is no JSON',
  not_an_object: 'the body is JSON, but no object',
  unknown_version: 'no payload version that we know, neither by its name nor by the fields',
  missing_field: 'is missing',
  bad_id: 'is no id: up to 19 digits, or letters and digits as in a ULID',
  bad_kind: 'is no event type: up to 64 letters, digits, dots, blanks or dashes',
  bad_resource: 'is no resource name: up to 200 printable characters',
} as const;

type RefusalReason = keyof typeof refusals;

/** Reads the body of a delivery. Never throws, whatever the body is; the same body always gives the same answer. */
export function parseWebhookEvent(body: string): ParsedWebhookEvent {
  const parsed = parseBody(body);
  if ('refused' in parsed) return refuse(parsed.refused);
  const fields = unwrap(parsed.value);
  if (fields === null) return refuse('not_an_object');
  const payloadVersion = versionOf(fields);
  if (payloadVersion === null) return refuse('unknown_version');
  const spelling = spellingOf(payloadVersion, fields);
  const read = eventFields.safeParse(
    mapValues(spelling, (name) => (isAbsent(fields[name]) ? undefined : fields[name])),
  );
  if (read.success) return { ok: true, event: { ...read.data, payloadVersion } };
  const { path, message } = read.error.issues[0] ?? { path: [], message: '' };
  const field = Object.entries(spelling).find(([key]) => key === path[0])?.[1] ?? 'a field';
  return refuse(isRefusalReason(message) ? message : 'missing_field', field);
}

function parseBody(body: string): { value: unknown } | { refused: RefusalReason } {
  try {
    return { value: parseWithTextIds(body.replace(/^\uFEFF/, '')) }; // a byte order mark
  } catch {
    return { refused: 'not_json' };
  }
}

type Fields = Record<string, unknown>;

/** The event itself, or the event in `payload`, as the deliveries API wraps it. */
function unwrap(value: unknown): Fields | null {
  if (!isObject(value)) return null;
  const inner = value.payload;
  return isObject(inner) && isAbsent(value.resource_name) && isAbsent(value.resource_type) ? inner : value;
}

const versions = { '2': 'v2.0', '3': 'v3.0', '4': 'v4.0' } as const;

function versionOf(fields: Fields): ProcoreEvent['payloadVersion'] | null {
  const said = [fields.api_version, fields.payload_version].find((version) => !isAbsent(version));
  if (said === undefined) return isAbsent(fields.resource_type) ? null : 'v4.0';
  const major = typeof said === 'string' ? /^v?([234])(?:\.0)?$/i.exec(said)?.[1] : undefined;
  return major === undefined ? null : versions[major as keyof typeof versions]; // the expression lets no other through
}

function spellingOf(version: ProcoreEvent['payloadVersion'], fields: Fields): Record<keyof EventFields, string> {
  return {
    id: isAbsent(fields.ulid) ? 'id' : 'ulid',
    companyId: 'company_id',
    projectId: 'project_id',
    recordId: 'resource_id',
    occurredAt: 'timestamp',
    related: 'related_resources',
    ...(version === 'v4.0'
      ? { kind: 'reason', resource: 'resource_type' }
      : { kind: 'event_type', resource: 'resource_name' }),
  };
}

const textOr = (reason: RefusalReason) =>
  z.string({ error: ({ input }) => (input === undefined ? 'missing_field' : reason) });

const numericId = textOr('bad_id').refine(isNumericId, 'bad_id');
const anyId = textOr('bad_id').refine((id) => isNumericId(id) || isTextId(id), 'bad_id');
// Only what can be seen: no control characters, no line breaks, no halves of a surrogate pair.
const resourceName = textOr('bad_resource')
  .trim()
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]{1,200}$/u, 'bad_resource');
const relatedResource = z.object({ id: anyId, name: resourceName });

const eventFields = z.object({
  id: anyId,
  companyId: numericId,
  projectId: z.preprocess((id) => (id === undefined || id === '0' ? null : id), numericId.nullable()),
  resource: resourceName,
  recordId: anyId,
  kind: textOr('bad_kind')
    .trim()
    .toLowerCase()
    .regex(/^(?=.*[a-z0-9])[a-z0-9_. -]{1,64}$/, 'bad_kind'),
  // Only a hint, too: the record is fetched whenever it changed.
  occurredAt: z.unknown().transform(momentOf),
  // Only a hint where to find a parent, which can be found without, so no reason to refuse the event.
  related: z.unknown().transform((list) =>
    (Array.isArray(list) ? list : []).flatMap((item) => {
      const { success, data } = relatedResource.safeParse(item);
      return success ? [{ id: data.id, resource: data.name }] : [];
    }),
  ),
});

type EventFields = z.infer<typeof eventFields>;

/** A ULID or what newer tools may use; not digits alone, for that is a number that does not fit. */
function isTextId(id: string): boolean {
  return /^[0-9A-Za-z][0-9A-Za-z_-]{0,63}$/.test(id) && /[A-Za-z]/.test(id);
}

/** The moment as ISO 8601 with a zone, however it was spelled; null for what is none. Without a zone it is of UTC. */
function momentOf(sent: unknown): string | null {
  const text = String(sent).trim();
  const isEpoch = /^\d{10}(?:\d{3}|\.\d+)?$/.test(text);
  if (isEpoch) return new Date(Number(text) * (/^\d{13}$/.test(text) ? 1 : 1000)).toISOString();
  const parts = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(:\d\d)?([.,]\d+)? ?(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?$/i.exec(text);
  const [, day, minute, second = ':00', fraction = '', zone = 'Z'] = parts ?? [];
  const [, offset, offsetMinutes = '00'] = /^([+-]\d\d):?(\d\d)?$/.exec(zone) ?? [];
  const moment = `${day}T${minute}${second}${fraction.replace(',', '.').slice(0, 10)}${offset === undefined ? 'Z' : `${offset}:${offsetMinutes}`}`;
  return isMoment(moment) ? moment : null;
}

/** What JavaScript and Postgres both take for the same moment. */
function isMoment(text: string): boolean {
  const match = /^([1-9]\d{3}-\d\d-\d\d)T\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)$/.exec(text);
  // Date.parse takes the 30th of February for the 1st or 2nd of March.
  const day = Date.parse(`${match?.[1]}T00:00:00Z`);
  return (
    !Number.isNaN(day) && new Date(day).toISOString().startsWith(`${match?.[1]}`) && !Number.isNaN(Date.parse(text))
  );
}

function refuse(reason: RefusalReason, field?: string): ParsedWebhookEvent {
  return { ok: false, reason, detail: field === undefined ? refusals[reason] : `${field} ${refusals[reason]}` };
}

function isRefusalReason(text: string): text is RefusalReason {
  return Object.hasOwn(refusals, text);
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

function mapValues<Key extends string, Value>(
  object: Record<Key, string>,
  toValue: (value: string) => Value,
): Partial<Record<Key, Value>> {
  const result: Partial<Record<Key, Value>> = {};
  for (const key in object) result[key] = toValue(object[key]);
  return result;
}
