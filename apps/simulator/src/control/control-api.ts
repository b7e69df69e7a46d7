// The control over HTTP, under /control: JSON in, JSON out, NDJSON where there may be much. Described in
// docs/simulator.md, which a test holds against this table.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { faultSchema } from '../api/faults.ts';
import { readCall } from '../api/http-exchange.ts';
import { EditError, UnknownError } from '../errors.ts';
import { parseJson } from '../json.ts';
import { settingsChange } from '../settings.ts';
import { editsSchema } from '../world/make-edits.ts';
import { seedSchema } from '../world/seed.ts';
import type { Control } from './control.ts';

type Asked = { params: Readonly<Record<string, string>>; query: URLSearchParams; body: unknown };
type Action = (control: Control, asked: Asked) => unknown;

const texts = z.array(z.string());
const speed = z.number().min(0).max(1_000_000);
const clockChange = z.strictObject({ speed: speed.optional(), advanceMs: z.number().min(0).optional() });
const clientChange = z.strictObject({ secret: z.string().min(1).optional(), companies: texts.optional() });
const companyChange = z.strictObject({ connected: z.boolean().optional(), toolsOff: texts.optional() });
const projectChange = z.strictObject({ permitted: z.boolean().optional(), toolsOff: texts.optional() });
const hookChange = z.strictObject({ status: z.enum(['active', 'disabled']) });
const LONGEST_QUIET_MS = 600_000;

/** A list to be written line by line. */
class Lines {
  readonly rows: Iterable<unknown>;
  constructor(rows: Iterable<unknown>) {
    this.rows = rows;
  }
}

/** Every route: `METHOD path`, with `:name` for a part of the path. */
export const controlRoutes: Readonly<Record<string, Action>> = {
  'GET /control/settings': (control) => control.settings(),
  'PATCH /control/settings': (control, { body }) => control.change(settingsChange.parse(body)),
  'GET /control/clock': (control) => control.clock(),
  'POST /control/clock': (control, { body }) => control.setClock(clockChange.parse(body)),
  'POST /control/edits': (control, { body }) => control.edit(editsSchema.parse(body)),
  'POST /control/seed': (control, { body }) => control.seed(seedSchema.parse(body)),
  'GET /control/world': (control, { query }) => new Lines(control.world(Object.fromEntries(query))),
  'GET /control/world/counts': (control) => control.counts(),
  'GET /control/events': (control, { query }) => new Lines(control.events(Object.fromEntries(query))),
  'GET /control/deliveries/summary': (control) => control.deliveries(),
  'GET /control/quiet': waitUntilQuiet,
  'GET /control/hooks': (control) => control.hooks(),
  'PATCH /control/hooks/:id': (control, { params, body }) =>
    control.changeHook(params.id ?? '', hookChange.parse(body)),
  'GET /control/faults': (control) => control.faults.rules(),
  'POST /control/faults': (control, { body }) => addFaults(control, body),
  'PUT /control/faults': (control, { body }) => {
    const faults = z.array(faultSchema).parse(body);
    control.faults.clear();
    return addFaults(control, faults);
  },
  'DELETE /control/faults': (control) => control.faults.clear(),
  'GET /control/calls': (control) => control.calls(),
  'DELETE /control/calls': (control) => control.resetCalls(),
  'DELETE /control/limits': (control) => control.resetLimits(),
  'PUT /control/clients/:id': (control, { params, body }) =>
    control.putClient(params.id ?? '', clientChange.parse(body)),
  'POST /control/clients/:id/secret': (control, { params }) => ({
    secret: control.regenerateSecret(params.id ?? ''),
  }),
  'GET /control/tokens': (control) => ({ tokens: control.tokens() }),
  'DELETE /control/tokens': (control) => control.revokeTokens(),
  'PATCH /control/companies/:id': (control, { params, body }) =>
    control.changeCompany(params.id ?? '', companyChange.parse(body)),
  'PATCH /control/projects/:id': (control, { params, body }) =>
    control.changeProject(params.id ?? '', projectChange.parse(body)),
};

/** Makes the listener for /control. */
export function createControlApi(
  control: Control,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    try {
      const { method, path, query, body } = await readCall(request);
      const found = findAction(method, path);
      if (found === null) return writeJson(response, 404, { error: `there is no ${method} ${path}` });
      const [action, params] = found;
      const result = await action(control, { params, query, body: body === '' ? {} : parseJson(body) });
      if (result instanceof Lines) await writeLines(response, result.rows);
      else writeJson(response, 200, result ?? {});
    } catch (error) {
      const status = statusOf(error);
      if (status === 500) throw error;
      writeJson(response, status, { error: error instanceof z.ZodError ? z.prettifyError(error) : String(error) });
    }
  };
}

function addFaults(control: Control, body: unknown): unknown {
  for (const fault of z.array(faultSchema).parse(Array.isArray(body) ? body : [body])) control.faults.add(fault);
  return control.faults.rules();
}

async function waitUntilQuiet(control: Control, { query }: Asked): Promise<unknown> {
  const waitMs = z.coerce
    .number()
    .min(0)
    .max(LONGEST_QUIET_MS)
    .parse(query.get('timeoutMs') ?? 30_000);
  const end = performance.now() + waitMs;
  while (control.outstanding() > 0 && performance.now() < end) await sleep(10);
  return { quiet: control.outstanding() === 0, ...control.deliveries() };
}

function statusOf(error: unknown): number {
  if (error instanceof UnknownError) return 404;
  if (error instanceof EditError) return 409;
  return error instanceof z.ZodError || error instanceof SyntaxError || error instanceof RangeError ? 400 : 500;
}

function findAction(method: string, path: string): [Action, Record<string, string>] | null {
  const given = path.split('/');
  for (const [route, action] of Object.entries(controlRoutes)) {
    const [wanted = '', pattern = ''] = route.split(' ');
    const params = wanted === method ? paramsOf(pattern.split('/'), given) : null;
    if (params !== null) return [action, params];
  }
  return null;
}

function paramsOf(pattern: readonly string[], given: readonly string[]): Record<string, string> | null {
  if (pattern.length !== given.length) return null;
  const params: Record<string, string> = {};
  for (const [index, part] of pattern.entries()) {
    if (part.startsWith(':')) params[part.slice(1)] = decodeURIComponent(given[index] ?? '');
    else if (part !== given[index]) return null;
  }
  return params;
}

function writeJson(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  response
    .writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) })
    .end(body);
}

async function writeLines(response: ServerResponse, rows: Iterable<unknown>): Promise<void> {
  const iterator = rows[Symbol.iterator]();
  // What is wrong with the question shows with the first line, before anything is answered.
  const first = iterator.next();
  response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
  // A reader that goes away early is no error.
  await pipeline(Readable.from(chunks(first, iterator)), response).catch(() => undefined);
}

function* chunks(first: IteratorResult<unknown>, rest: Iterator<unknown>): Generator<string> {
  let chunk = '';
  for (let row = first; row.done !== true; row = rest.next()) {
    chunk += `${JSON.stringify(row.value)}\n`;
    if (chunk.length < 65_536) continue;
    yield chunk;
    chunk = '';
  }
  yield chunk;
}
