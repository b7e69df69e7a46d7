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
};

/** `eventType` is lower case: create, update, delete. */
export type HookTrigger = { id: string; resource: string; eventType: string };
type WantedTrigger = Omit<HookTrigger, 'id'>;

/** `status` is Procore's: delivered, failed, discarded, enqueued or retrying. */
export type HookDelivery = {
  id: string;
  status: string;
  /** What was or was to be sent, number for number, fit for parseWebhookEvent. */
  body: string;
};

type Scope = { companyId: string; projectId?: string | null | undefined; signal?: AbortSignal | undefined };
type HookScope = Scope & { hookId: string };

/** All calls throw what `ProcoreClient` throws, and ProcoreFormatError when an answer lacks what we rely on. */
export type HooksApi = {
  /** The hooks of one namespace, and of no other, whatever Procore answers. */
  list: (options: Scope & { namespace: string }) => Promise<Hook[]>;
  create: (
    options: Scope & { namespace: string; payloadVersion: string; destinationUrl: string; authorization: string },
  ) => Promise<Hook>;
  /** Removes the hook and its triggers; throws ProcoreResponseError 404 when there is none. */
  remove: (options: HookScope) => Promise<void>;
  listTriggers: (options: HookScope) => Promise<HookTrigger[]>;
  /** Adds what it can; `refused` are those that Procore does not want, for example a resource the company lacks. */
  addTriggers: (options: HookScope & { triggers: readonly WantedTrigger[] }) => Promise<{ refused: WantedTrigger[] }>;
  /** Procore's log of what it sent. `since` and `until` are days, `2026-06-30`. */
  deliveries: (
    options: HookScope & {
      status?: 'succeeded' | 'failed' | 'discarded' | 'enqueued' | 'retrying' | undefined;
      since?: string | undefined;
      until?: string | undefined;
    },
  ) => AsyncIterable<HookDelivery>;
};

/** The webhooks API through this client, its token and its budget. */
export function createHooksApi(client: ProcoreClient): HooksApi {
  /** v2 lists hold at most 100 items a page. */
  async function* rows<S extends z.ZodType>(
    options: Scope,
    path: string,
    row: S,
    searchParams: [string, string][] = [],
  ): AsyncGenerator<{ answer: ProcoreAnswer; rows: z.infer<S>[] }> {
    const read = (answer: ProcoreAnswer) => {
      const { data } = readAnswer(path, answer, z.object({ data: z.array(row) }));
      const ids = readAnswer(path, answer, z.object({ data: z.array(z.object({ id: id.optional() })) })).data;
      const page = { ids: ids.flatMap((one) => one.id ?? []), records: data.length, groups: data.length };
      return { answer, rows: data, ...page };
    };
    yield* client.pages(path, { ...callOptions(options), searchParams, perPage: 100, read });
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

  return {
    list: async (options) => {
      const hooks = await allRows(options, pathOf(options, '/hooks'), hook, [['namespace', options.namespace]]);
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
    remove: async (options) => {
      using _ = await client.send('DELETE', pathOf(options, '/hooks/{hook_id}'), callOptions(options));
    },
    listTriggers,
    addTriggers: async (options) => {
      if (options.triggers.length === 0) return { refused: [] };
      try {
        const path = pathOf(options, '/hooks/{hook_id}/triggers/bulk');
        using answer = await client.send('POST', path, {
          ...callOptions(options),
          body: options.triggers.map(triggerBody),
        });
        if (!isDoneInPart(answer.status)) return { refused: [] };
      } catch (error) {
        if (!isRefusal(error)) throw error;
        await addOneByOne(options);
      }
      // Done in part. How an answer says which part is not documented, so what is there now counts.
      const present = new Set((await listTriggers(options)).map(triggerKey));
      return { refused: options.triggers.filter((wanted) => !present.has(triggerKey(wanted))) };
    },
    deliveries: async function* (options) {
      const filters: [string, string | undefined][] = [
        ['filter[status]', options.status],
        ['filter[start]', options.since],
        ['filter[end]', options.until],
      ];
      const searchParams = filters.flatMap(([name, value]) =>
        value === undefined ? [] : [[name, value] as [string, string]],
      );
      for await (const page of rows(options, pathOf(options, '/hooks/{hook_id}/deliveries'), delivery, searchParams)) {
        const { data } = deliveredBodies.parse(parseForQuoting(page.answer.text.bytes.toString())); // the rows were read, so it fits
        page.answer[Symbol.dispose](); // who gets the rows may make other calls
        yield* page.rows.map((row, at) => ({ ...row, body: JSON.stringify(data[at]?.payload ?? null) }));
      }
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
    project_id: id.nullish(),
  })
  .transform(
    (row): Hook => ({
      id: row.id,
      status: row.status,
      namespace: row.namespace,
      payloadVersion: row.payload_version,
      destinationUrl: row.destination_url,
      projectId: row.project_id ?? null,
    }),
  );

const trigger = z.object({ id, resource_name: z.string(), event_type: z.string() }).transform(
  (row): HookTrigger => ({
    id: row.id,
    resource: row.resource_name,
    // The reference shows CREATED and DELETE next to create and delete.
    eventType: row.event_type.toLowerCase().replace(/^(create|update|delete)d$/, '$1'),
  }),
);

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

function callOptions({ companyId, signal }: Scope): { companyId: string; signal: AbortSignal | undefined } {
  return { companyId, signal };
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

function triggerKey({ resource, eventType }: WantedTrigger): string {
  return `${resource} ${eventType}`;
}

/** What was asked for is not wanted, in contrast to: we may not ask, or nobody is there. */
function isRefusal(error: unknown): boolean {
  return error instanceof ProcoreResponseError && error.meaning === 'not understood';
}
