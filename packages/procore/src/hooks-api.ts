// Procore's webhooks API v2.0 (docs/procore.md: Webhooks API): hooks, their triggers, and the deliveries that Procore tried.
// Company hooks and project hooks have the same calls under different paths.
import { z } from 'zod';
import { ProcoreFormatError, ProcoreResponseError } from './errors.ts';
import { expandPath } from './expand-path.ts';
import { parseForQuoting, parseWithTextIds } from './lossless-json.ts';
import type { ProcoreAnswer } from './procore-answer.ts';
import type { ProcoreClient } from './procore-client.ts';
import { isDoneInPart } from './status-meaning.ts';

export type Hook = {
  id: string;
  /** `active` or `disabled`; a disabled hook sends nothing. */
  status: string;
  namespace: string;
  payloadVersion: string;
  destinationUrl: string;
  projectId: string | null;
  /** Null: it was not told. */
  triggerCount: number | null;
  /** How the secret ends, as far as Procore shows it; null: the hook sends none; undefined: it is not shown. */
  authorizationTail?: string | null | undefined;
};

/** What a hook is to have from now on; the rest stays. */
export type HookChange = {
  status?: 'active' | 'disabled' | undefined;
  destinationUrl?: string | undefined;
  authorization?: string | undefined;
  payloadVersion?: string | undefined;
};

/** `eventType` is lower case: create, update, delete. */
export type HookTrigger = { id: string; resource: string; eventType: string };
export type WantedTrigger = Omit<HookTrigger, 'id'>;

/** A resource that has events here, and of which types, all in Procore's spelling. */
export type HookOffer = { resource: string; eventTypes: readonly string[] };

/** `status` is Procore's: delivered, failed, discarded, enqueued or retrying. */
export type HookDelivery = {
  id: string;
  status: string;
  /** What was or was to be sent, number for number, fit for parseWebhookEvent. */
  body: string;
};

/** So many triggers in one call (docs/procore.md: Webhooks API). */
export const MOST_IN_BULK = 500;
const SHOWN_OF_SECRET = 5;

type Scope = { companyId: string; projectId?: string | null | undefined; signal?: AbortSignal | undefined };
type HookScope = Scope & { hookId: string };

/** All calls throw what `ProcoreClient` throws, and ProcoreFormatError when an answer lacks what we rely on. */
export type HooksApi = {
  /** The hooks of one namespace, and of no other, whatever Procore answers. */
  list: (options: Scope & { namespace: string }) => Promise<Hook[]>;
  create: (
    options: Scope & { namespace: string; payloadVersion: string; destinationUrl: string; authorization: string },
  ) => Promise<Hook>;
  /** Returns the hook as it is then, which may not be what was asked for. */
  patch: (options: HookScope & { change: HookChange }) => Promise<Hook>;
  /** Removes the hook and its triggers; throws ProcoreResponseError 404 when there is none. */
  remove: (options: HookScope) => Promise<void>;
  listTriggers: (options: HookScope) => Promise<HookTrigger[]>;
  /** Adds what it can; `refused` are those that Procore does not want, for example a resource the company lacks. */
  addTriggers: (options: HookScope & { triggers: readonly WantedTrigger[] }) => Promise<{ refused: WantedTrigger[] }>;
  /** Removes what it can; `refused` are the ids of those that are still there. */
  removeTriggers: (options: HookScope & { triggerIds: readonly string[] }) => Promise<{ refused: string[] }>;
  /** What a hook of this payload version can have triggers for in the scope. */
  offers: (options: Scope & { payloadVersion: string }) => Promise<HookOffer[]>;
  /** Procore's log of what it sent, in whatever order. */
  deliveries: (options: LogQuery) => AsyncIterable<HookDelivery>;
  /** The same by pages, one call each, of at most a hundred; an empty log has none. */
  deliveryPages: (options: LogQuery) => AsyncIterable<readonly HookDelivery[]>;
};

/** `since` and `until` are days, `2026-06-30`. `onCut`: told why the log goes on, as far as is known, where reading ends. */
type LogQuery = HookScope & {
  status?: 'succeeded' | 'failed' | 'discarded' | 'enqueued' | 'retrying' | undefined;
  since?: string | undefined;
  until?: string | undefined;
  onCut?: ((issue: string) => void) | undefined;
};

/** The webhooks API through this client, its token and its budget. */
export function createHooksApi(client: ProcoreClient): HooksApi {
  /** v2 lists hold at most 100 items a page. */
  async function* rows<S extends z.ZodType>(
    options: Scope,
    path: string,
    row: S,
    searchParams: [string, string][] = [],
    onDoubt: (issue: string, isCut: boolean) => void = () => {},
  ): AsyncGenerator<{ answer: ProcoreAnswer; rows: z.infer<S>[] }> {
    const read = (answer: ProcoreAnswer) => {
      const { data } = readAnswer(path, answer, z.object({ data: z.array(row) }));
      const ids = readAnswer(path, answer, z.object({ data: z.array(z.object({ id: id.optional() })) })).data;
      const page = { ids: ids.flatMap((one) => one.id ?? []), records: data.length, groups: data.length };
      return { answer, rows: data, ...page };
    };
    yield* client.pages(path, { ...callOptions(options), searchParams, perPage: 100, read, onDoubt });
  }

  async function allRows<S extends z.ZodType>(...list: Parameters<typeof rows<S>>): Promise<z.infer<S>[]> {
    const all: z.infer<S>[] = [];
    for await (const page of rows(...list)) all.push(...page.rows);
    return all;
  }

  const listTriggers: HooksApi['listTriggers'] = (options) =>
    allRows(options, pathOf(options, '/hooks/{hook_id}/triggers'), trigger);

  /** Adds triggers with one call each, so that one which Procore does not want keeps no other from being added. */
  async function addOneByOne(options: HookScope & { triggers: readonly WantedTrigger[] }): Promise<void> {
    const path = pathOf(options, '/hooks/{hook_id}/triggers');
    for (const wanted of options.triggers) {
      try {
        using _ = await client.send('POST', path, { ...callOptions(options), body: triggerBody(wanted) });
      } catch (error) {
        if (!isRefusal(error)) throw error;
      }
    }
  }

  /** Adds up to 500; returns whether all were added, as far as the answer tells. */
  async function addInBulk(options: HookScope & { triggers: readonly WantedTrigger[] }): Promise<boolean> {
    const path = pathOf(options, '/hooks/{hook_id}/triggers/bulk');
    try {
      const body = options.triggers.map(triggerBody);
      using answer = await client.send('POST', path, { ...callOptions(options), body });
      return !isDoneInPart(answer.status);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      await addOneByOne(options);
      return false;
    }
  }

  async function* deliveryPages(options: LogQuery): AsyncGenerator<readonly HookDelivery[]> {
    const filters: [string, string | undefined][] = [
      ['filter[status]', options.status],
      ['filter[start]', options.since],
      ['filter[end]', options.until],
    ];
    const searchParams = filters.flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value] as [string, string]],
    );
    const onDoubt = (issue: string, isCut: boolean) => isCut && options.onCut?.(issue);
    const path = pathOf(options, '/hooks/{hook_id}/deliveries');
    for await (const page of rows(options, path, delivery, searchParams, onDoubt)) {
      const { data } = deliveredBodies.parse(parseForQuoting(page.answer.text.bytes.toString())); // the rows were read, so it fits
      page.answer[Symbol.dispose](); // who gets the rows may make other calls
      yield page.rows.map((row, at) => ({ ...row, body: JSON.stringify(data[at]?.payload ?? null) }));
    }
  }

  return {
    list: async (options) => {
      const hooks = await allRows(options, pathOf(options, '/hooks'), hook, [
        ['namespace', options.namespace],
        ['include_trigger_count', 'true'],
      ]);
      return hooks.filter(({ namespace }) => namespace === options.namespace);
    },
    create: async (options) => {
      const path = pathOf(options, '/hooks');
      const body = {
        namespace: options.namespace,
        payload_version: options.payloadVersion,
        destination_url: options.destinationUrl,
        destination_headers: { Authorization: options.authorization },
      };
      using answer = await client.send('POST', path, { ...callOptions(options), body });
      return readAnswer(path, answer, z.object({ data: hook })).data;
    },
    patch: async (options) => {
      const { status, destinationUrl, authorization, payloadVersion } = options.change;
      const path = pathOf(options, '/hooks/{hook_id}');
      const body = {
        ...{ status, destination_url: destinationUrl, payload_version: payloadVersion },
        ...(authorization !== undefined && { destination_headers: { Authorization: authorization } }),
      };
      using answer = await client.send('PATCH', path, { ...callOptions(options), body });
      return readAnswer(path, answer, z.object({ data: hook })).data;
    },
    remove: async (options) => {
      using _ = await client.send('DELETE', pathOf(options, '/hooks/{hook_id}'), callOptions(options));
    },
    listTriggers,
    addTriggers: async (options) => {
      let isWhole = true;
      for (const triggers of inBulk(options.triggers)) {
        if (!(await addInBulk({ ...options, triggers }))) isWhole = false;
      }
      if (isWhole) return { refused: [] };
      // Done in part. How an answer says which part is not documented, so what is there now counts.
      const present = new Set((await listTriggers(options)).map(triggerName));
      return { refused: options.triggers.filter((wanted) => !present.has(triggerName(wanted))) };
    },
    removeTriggers: async (options) => {
      const path = pathOf(options, '/hooks/{hook_id}/triggers/bulk');
      let isWhole = true;
      for (const body of inBulk(options.triggerIds)) {
        using answer = await client.send('DELETE', path, { ...callOptions(options), body });
        if (isDoneInPart(answer.status)) isWhole = false;
      }
      if (isWhole) return { refused: [] };
      const present = new Set((await listTriggers(options)).map((one) => one.id));
      return { refused: options.triggerIds.filter((one) => present.has(one)) };
    },
    offers: (options) =>
      allRows(options, pathOf(options, '/resources'), offer, [['payload_version', options.payloadVersion]]),
    deliveryPages,
    deliveries: async function* (options) {
      for await (const page of deliveryPages(options)) yield* page;
    },
  };
}

const id = z.string().min(1);

const hook = z
  .object({
    id,
    status: z.string(),
    namespace: z.string(),
    payload_version: z.string(),
    destination_url: z.string(),
    destination_headers: z.record(z.string(), z.unknown()).nullish(),
    project_id: id.nullish(),
    trigger_count: z.coerce.number().int().nullish().catch(null),
  })
  .transform(
    (row): Hook => ({
      id: row.id,
      status: row.status.toLowerCase(),
      namespace: row.namespace,
      payloadVersion: row.payload_version,
      destinationUrl: row.destination_url,
      projectId: row.project_id ?? null,
      triggerCount: row.trigger_count ?? null,
      authorizationTail: tailOf(row.destination_headers),
    }),
  );

const trigger = z.object({ id, resource_name: z.string(), event_type: z.string() }).transform(
  (row): HookTrigger => ({
    id: row.id,
    resource: row.resource_name,
    eventType: inOneSpelling(row.event_type),
  }),
);

const offer = z
  .object({ name: z.string(), actions: z.array(z.string()) })
  .transform(({ name, actions }): HookOffer => ({ resource: name, eventTypes: actions }));

const delivery = z.object({ id, status: z.string() });
const deliveredBodies = z.object({ data: z.array(z.object({ payload: z.unknown().optional() })) });

function pathOf(options: Scope & { hookId?: string }, path: string): string {
  const scope = options.projectId ? '/companies/{company_id}/projects/{project_id}' : '/companies/{company_id}';
  return expandPath(`/rest/v2.0${scope}/webhooks${path}`, {
    company_id: options.companyId,
    ...(options.projectId && { project_id: options.projectId }),
    ...(options.hookId !== undefined && { hook_id: options.hookId }),
  });
}

function callOptions({ companyId, projectId = null, signal }: Scope) {
  return { companyId, signal, purpose: { projectId, resource: null, lane: 'upkeep' as const } };
}

function readAnswer<S extends z.ZodType>(path: string, answer: ProcoreAnswer, schema: S): z.infer<S> {
  const read = schema.safeParse(
    parseWithTextIds(answer.text.bytes.length === 0 ? 'null' : answer.text.bytes.toString()),
  );
  if (read.success) return read.data;
  const issues = read.error.issues.slice(0, 5).map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new ProcoreFormatError(`the answer of ${path}`, { issues });
}

function triggerBody(wanted: WantedTrigger): { resource_name: string; event_type: string } {
  return { resource_name: wanted.resource, event_type: wanted.eventType };
}

/** The same for whatever spelling of resource and event type. */
export function triggerName({ resource, eventType }: WantedTrigger): string {
  return `${resource.toLowerCase()} ${inOneSpelling(eventType)}`;
}

/** The reference shows CREATED and DELETE next to create and delete. */
function inOneSpelling(eventType: string): string {
  return eventType.toLowerCase().replace(/^(create|update|delete)d$/, '$1');
}

/** Procore masks a value but for its last five characters (docs/procore.md: Webhooks API). */
function tailOf(headers: Record<string, unknown> | null | undefined): string | null | undefined {
  if (headers === undefined) return undefined;
  const value = Object.entries(headers ?? {}).find(([name]) => name.toLowerCase() === 'authorization')?.[1] ?? null;
  if (value === null) return null;
  if (typeof value !== 'string') return undefined;
  const tail = value.slice(value.lastIndexOf('*') + 1).slice(-SHOWN_OF_SECRET);
  return tail === '' ? undefined : tail;
}

function* inBulk<T>(all: readonly T[]): Generator<T[]> {
  for (let from = 0; from < all.length; from += MOST_IN_BULK) yield all.slice(from, from + MOST_IN_BULK);
}

/** What was asked for is not wanted, in contrast to: we may not ask, or nobody is there. */
function isRefusal(error: unknown): boolean {
  return error instanceof ProcoreResponseError && error.meaning === 'not understood';
}
