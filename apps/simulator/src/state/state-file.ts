// The state of a simulator as a file: a head, then a line for each record and each logged event. It is replaced as a
// whole, so whatever ends the process leaves the last one whole. It holds the secrets of hooks and clients: it is its owner's only.
import { createReadStream } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { ConfigError } from '@procore-mirror/runtime';
import { z } from 'zod';
import { isObject, parseJson } from '../json.ts';
import { deliveryStatuses } from '../webhooks/deliveries.ts';
import { payloadVersions } from '../webhooks/event-body.ts';
import type { Fields } from '../world/world.ts';

/** Another number wherever the lines mean something else than before. */
const VERSION = 1;

const text = z.string();
const place = { companyId: text, projectId: text.nullable() };
const eventKind = z.enum(['create', 'update', 'delete']);
const ms = z.number();

const headSchema = z.object({
  clock: z.object({ aheadMs: ms, speed: z.number() }),
  lastIds: z.object({ record: z.number(), event: text }),
  chances: z.array(z.number()),
  companies: z.array(z.object({ id: text, name: text, toolsOff: z.array(text) })),
  accesses: z.array(z.object({ projectId: text, permitted: z.boolean(), toolsOff: z.array(text) })),
  clients: z.array(z.object({ id: text, secret: text, companies: z.array(text) })),
  /** Those that are gone, too, where the log tells of them. */
  hooks: z.array(
    z.object({
      ...place,
      isGone: z.boolean(),
      id: text,
      namespace: text,
      payloadVersion: z.enum(payloadVersions),
      destinationUrl: text,
      destinationHeaders: z.record(text, text),
      status: z.enum(['active', 'disabled']),
      createdAt: ms,
      updatedAt: ms,
      triggers: z.array(z.object({ id: text, resource: text, kind: text })),
    }),
  ),
  backlogs: z.array(
    z.object({
      url: text,
      queue: z.array(z.object({ deliveryId: text, readyAt: ms })),
      failingSince: ms.nullable(),
      pauseMs: ms,
      pausedUntil: ms,
    }),
  ),
  eventsEmitted: z.number(),
});

const recordSchema = z.object({
  ...place,
  resource: text,
  id: text,
  fields: z.custom<Fields>(isObject),
  deleted: z.boolean(),
  hidden: z.boolean(),
  /** Other records, by the number of their line. */
  parent: z.number().nullable(),
  deletedWith: z.number().nullable(),
  children: z.array(z.number()),
});

const attemptSchema = z.object({
  id: text,
  startedAt: ms,
  completedAt: ms,
  success: z.boolean(),
  responseStatus: z.number().nullable(),
  responseBody: text,
  responseHeaders: z.record(text, z.unknown()),
  error: text.nullable(),
});

const eventSchema = z.object({
  event: z.object({
    ...place,
    ulid: text,
    integerId: text,
    resource: text,
    recordId: text,
    kind: eventKind,
    occurredAt: text,
    userId: text,
    related: z.array(z.object({ id: text, name: text })),
  }),
  lost: z.boolean(),
  deliveries: z.array(
    z.object({
      id: text,
      hookId: text,
      payloadVersion: z.enum(payloadVersions),
      status: z.enum(deliveryStatuses),
      attempts: z.array(attemptSchema),
    }),
  ),
});

const firstLine = headSchema.extend({ version: z.number(), records: z.number(), events: z.number() });

export type KeptRecord = z.infer<typeof recordSchema>;
export type KeptEvent = z.infer<typeof eventSchema>;
export type State = z.infer<typeof headSchema> & { records: readonly KeptRecord[]; events: readonly KeptEvent[] };

/** Replaces the file. Others get their turn meanwhile, so nothing in the state may change any more. */
export async function writeState(file: string, { records, events, ...head }: State): Promise<void> {
  const first = { ...head, version: VERSION, records: records.length, events: events.length };
  await writeFile(`${file}.new`, chunks([[first], records, events]), { mode: 0o600, flush: true });
  await rename(`${file}.new`, file);
}

/** Null where there is no file. Throws a ConfigError when it cannot be used. */
export async function readState(file: string): Promise<State | null> {
  try {
    return await readLines(file);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null;
    throw unusable(file, cause);
  }
}

/** Says what to do with a file that cannot be used. */
export function unusable(file: string, cause: unknown): ConfigError {
  const isBroken = cause instanceof z.ZodError || cause instanceof SyntaxError;
  const why = !isBroken && cause instanceof Error ? cause.message : 'it is broken';
  const todo = 'remove it to begin with a new company';
  return new ConfigError([`SIMULATOR_STATE_FILE: ${file} cannot be used: ${why}; ${todo}`], { cause });
}

async function readLines(file: string): Promise<State> {
  const lines = createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Number.POSITIVE_INFINITY });
  const records: KeptRecord[] = [];
  const events: KeptEvent[] = [];
  let first: z.infer<typeof firstLine> | undefined;
  for await (const line of lines) {
    if (first === undefined) first = readFirst(JSON.parse(line));
    else if (records.length < first.records) records.push(recordSchema.parse(parseJson(line)));
    else events.push(eventSchema.parse(JSON.parse(line)));
  }
  if (first === undefined || first.records !== records.length || first.events !== events.length)
    throw new SyntaxError('lines are missing');
  return { ...first, records, events };
}

function readFirst(parsed: unknown): z.infer<typeof firstLine> {
  const { version } = firstLine.pick({ version: true }).parse(parsed);
  if (version !== VERSION) throw new Error(`it is of version ${version}, and this simulator reads ${VERSION}`);
  return firstLine.parse(parsed);
}

function* chunks(parts: Iterable<readonly unknown[]>): Generator<string> {
  let chunk = '';
  for (const part of parts) {
    for (const line of part) {
      chunk += `${JSON.stringify(line)}\n`;
      if (chunk.length < 262_144) continue;
      yield chunk;
      chunk = '';
    }
  }
  yield chunk;
}
