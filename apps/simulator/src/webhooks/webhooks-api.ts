// The Webhooks API v2.0, on companies and on projects: hooks, triggers, deliveries, resources
// (docs/procore.md: Webhooks API).
import { z } from 'zod';
import { type Answer, type Call, errorAnswer, jsonAnswer } from '../api/http-exchange.ts';
import { cutPage } from '../api/pages.ts';
import { NOT_FOUND } from '../api/records-api.ts';
import { catalogue } from '../catalogue.ts';
import { type Clock, dateOf } from '../clock.ts';
import type { Ids } from '../ids.ts';
import type { Settings } from '../settings.ts';
import type { Deliveries, Delivery } from './deliveries.ts';
import type { PayloadVersion } from './event-body.ts';
import type { Events } from './events.ts';
import type { Hook, Hooks, Scope, Trigger } from './hooks.ts';
import { hasStatus, showDelivery, showHook, showTrigger } from './show-hook.ts';

/** `rest` is what the path says after `/webhooks`. */
export type AnswerWebhooks = (call: Call, scope: Scope, rest: readonly string[]) => Answer;

const versions: Readonly<Record<string, PayloadVersion>> = {
  v2: 'v2.0',
  'v2.0': 'v2.0',
  v3: 'v3.0',
  'v3.0': 'v3.0',
  v4: 'v4.0',
  'v4.0': 'v4.0',
};

const version = z.string().refine((text) => text in versions, 'is not a payload version');
const namespace = z.string().regex(/^[a-z0-9-]+$/, 'may hold a-z, 0-9 and - only');
const changeHook = z.object({
  payload_version: version.optional(),
  namespace: namespace.optional(),
  destination_url: z.url({ protocol: /^https?$/ }).optional(),
  destination_headers: z.record(z.string(), z.string()).optional(),
  status: z.enum(['active', 'disabled']).optional(),
});
const newHook = changeHook.required({ payload_version: true, namespace: true, destination_url: true });
const newTrigger = z.object({ resource_name: z.string(), event_type: z.string() });
// Ids may come as numbers, too.
const idList = z.array(z.union([z.string(), z.number()]).transform(String));
const MOST_IN_BULK = 500;

type Options = {
  hooks: Hooks;
  events: Events;
  deliveries: Deliveries;
  clock: Clock;
  ids: Ids;
  settings: () => Settings;
};

export function createAnswerWebhooks({ hooks, events, deliveries, clock, ids, settings }: Options): AnswerWebhooks {
  return (call, scope, [area, hookId, part, partId]) => {
    if (area === 'resources' && hookId === undefined) return listResources(call, scope);
    if (area !== 'hooks') return none(call);
    if (hookId === undefined) return onHooks(call, scope);
    const hook = hooks.within(scope).find(({ id }) => id === hookId);
    return hook === undefined ? none(call) : onPart(call, hook, part, partId);
  };

  function onPart(call: Call, hook: Hook, part: string | undefined, id: string | undefined): Answer {
    if (part === undefined) return onHook(call, hook);
    if (part === 'triggers') return onTriggers(call, hook, id);
    return part === 'deliveries' && id === undefined ? listDeliveries(call, hook) : none(call);
  }

  function onHooks(call: Call, scope: Scope): Answer {
    if (call.method === 'GET') return listHooks(call, scope);
    return call.method === 'POST' ? withBody(call, newHook, (asked) => addHook(scope, asked)) : none(call);
  }

  function onHook(call: Call, hook: Hook): Answer {
    switch (call.method) {
      case 'GET':
        return jsonAnswer(200, { data: showHook(hook) });
      case 'PATCH':
        return withBody(call, changeHook, (change) => {
          applyChange(hook, change);
          return jsonAnswer(200, { data: showHook(hook) });
        });
      case 'DELETE':
        hooks.remove(hook);
        deliveries.forget(hook);
        return { status: 204, body: '' };
      default:
        return none(call);
    }
  }

  function onTriggers(call: Call, hook: Hook, id: string | undefined): Answer {
    const of = `${call.method} ${id ?? ''}`;
    if (of === 'GET ')
      return page(
        call,
        hook.triggers.map((trigger) => showTrigger(hook, trigger)),
      );
    if (of === 'POST ') return withBody(call, newTrigger, (asked) => addOne(call, hook, asked));
    if (of === 'POST bulk')
      return withBody(call, z.array(newTrigger).max(MOST_IN_BULK), (asked) => addMany(call, hook, asked));
    if (of === 'DELETE bulk') return withBody(call, idList.max(MOST_IN_BULK), (asked) => removeMany(hook, asked));
    if (call.method !== 'DELETE' || id === undefined) return none(call);
    return removeTrigger(hook, id) ? { status: 204, body: '' } : none(call);
  }

  function listHooks(call: Call, scope: Scope): Answer {
    const asked = call.query.get('namespace');
    if (asked === null && scope.projectId === null) return errorAnswer(call, 400, 'namespace is required');
    const wanted = call.query.get('payload_version');
    const counted = call.query.get('include_trigger_count') === 'true';
    const found = hooks
      .within(scope)
      .filter((hook) => asked === null || hook.namespace === asked)
      .filter((hook) => wanted === null || versions[wanted] === hook.payloadVersion);
    return page(
      call,
      found.map((hook) => showHook(hook, counted)),
    );
  }

  function addHook(scope: Scope, asked: z.infer<typeof newHook>): Answer {
    const hook: Hook = {
      ...scope,
      id: ids.next(),
      namespace: asked.namespace,
      payloadVersion: versions[asked.payload_version] ?? 'v2.0',
      destinationUrl: asked.destination_url,
      destinationHeaders: {},
      status: 'active',
      createdAt: clock.now(),
      updatedAt: clock.now(),
      triggers: [],
    };
    applyChange(hook, asked);
    hooks.add(hook);
    return jsonAnswer(201, { data: showHook(hook) });
  }

  function applyChange(hook: Hook, change: z.infer<typeof changeHook>): void {
    hook.payloadVersion = versions[change.payload_version ?? ''] ?? hook.payloadVersion;
    hook.namespace = change.namespace ?? hook.namespace;
    hook.destinationUrl = change.destination_url ?? hook.destinationUrl;
    hook.destinationHeaders = change.destination_headers ?? hook.destinationHeaders;
    hook.status = change.status ?? hook.status;
    hook.updatedAt = clock.now();
  }

  function addOne(call: Call, hook: Hook, asked: z.infer<typeof newTrigger>): Answer {
    const added = addTrigger(hook, asked);
    return typeof added === 'string'
      ? errorAnswer(call, 400, added)
      : jsonAnswer(201, { data: showTrigger(hook, added) });
  }

  function addMany(call: Call, hook: Hook, asked: readonly z.infer<typeof newTrigger>[]): Answer {
    const rows = asked.map((wanted) => {
      const added = addTrigger(hook, wanted);
      return typeof added === 'string' ? { ...wanted, errors: [added] } : showTrigger(hook, added);
    });
    const failed = rows.filter((row) => 'errors' in row);
    if (failed.length === rows.length && rows.length > 0) {
      return errorAnswer(call, 400, failed.flatMap(({ errors }) => errors).join('; '));
    }
    return jsonAnswer(failed.length > 0 ? 207 : 201, { data: rows });
  }

  /** The new trigger, or why there is none. */
  function addTrigger(hook: Hook, asked: z.infer<typeof newTrigger>): Trigger | string {
    const entry = offered(hook).find(({ resource }) => resource.toLowerCase() === asked.resource_name.toLowerCase());
    if (entry === undefined) {
      return `${asked.resource_name} is not a resource of this ${hook.projectId === null ? 'company' : 'project'}`;
    }
    const kind = entry.events.find((event) => event === asked.event_type.toLowerCase());
    if (kind === undefined) return `${entry.resource} has no event ${asked.event_type}`;
    if (hook.triggers.some((trigger) => trigger.resource === entry.resource && trigger.kind === kind)) {
      return `${entry.resource} ${kind} has a trigger already`;
    }
    const trigger = { id: ids.next(), resource: entry.resource, kind };
    hook.triggers.push(trigger);
    return trigger;
  }

  function removeMany(hook: Hook, asked: readonly string[]): Answer {
    const succeeded = asked.filter((id) => removeTrigger(hook, id));
    const failed = asked.filter((id) => !succeeded.includes(id));
    return failed.length === 0
      ? jsonAnswer(200, { data: { succeeded } })
      : jsonAnswer(207, { data: { succeeded, failed } });
  }

  function removeTrigger(hook: Hook, id: string): boolean {
    const kept = hook.triggers.filter((trigger) => trigger.id !== id);
    const removed = kept.length < hook.triggers.length;
    hook.triggers = kept;
    return removed;
  }

  function listDeliveries(call: Call, hook: Hook): Answer {
    const { query } = call;
    const { deliveryLogOrder: order, deliveryLogDays: days, deliveryLogVersion: version } = settings();
    const oldest = days === null ? '' : days === 0 ? '9999' : dateOf(clock.now() - (days - 1) * 86_400_000);
    const wanted = (delivery: Delivery): boolean =>
      hasStatus(delivery, query.get('filter[status]') ?? 'any') &&
      (query.get('filter[resource_name]') ?? delivery.event.resource) === delivery.event.resource &&
      (query.get('filter[event_type]') ?? delivery.event.kind) === delivery.event.kind &&
      delivery.event.occurredAt.slice(0, 10) >= oldest &&
      delivery.event.occurredAt.slice(0, 10) >= (query.get('filter[start]') ?? '') &&
      delivery.event.occurredAt.slice(0, 10) <= (query.get('filter[end]') ?? '9999');
    const found = inOrder(events.ofHook(hook.id).filter(wanted), order);
    return page(
      call,
      found.map((delivery) => showDelivery(delivery, version)),
    );
  }

  /** What has events in this company or project. */
  function offered({ companyId, projectId }: Scope): typeof catalogue.mirrored {
    const scope = projectId === null ? 'company' : 'project';
    const without = settings().withoutEvents[projectId ?? companyId] ?? [];
    return catalogue.mirrored.filter((entry) => entry.scope === scope && !without.includes(entry.resource));
  }

  function listResources(call: Call, place: Scope): Answer {
    const asked = versions[call.query.get('payload_version') ?? ''];
    if (asked === undefined) return errorAnswer(call, 400, 'payload_version is required');
    const rows = offered(place).map(({ tool, resource, events: actions }) => ({
      category: tool,
      tool,
      name: resource,
      payload_version: asked,
      actions,
    }));
    return page(call, rows);
  }

  function page(call: Call, rows: readonly unknown[]): Answer {
    const { items, headers } = cutPage(rows, call, { version2: true });
    return jsonAnswer(200, { data: items }, headers);
  }
}

/** `found` come oldest first. Without an order they come in one of their own, the same each time. */
function inOrder(found: readonly Delivery[], order: Settings['deliveryLogOrder']): readonly Delivery[] {
  if (order === 'oldest first') return found;
  if (order === 'newest first') return found.toReversed();
  const own = ({ id }: Delivery): string => [...id].toReversed().join('');
  return found.toSorted((one, other) => (own(one) < own(other) ? -1 : 1));
}

function none(call: Call): Answer {
  return errorAnswer(call, 404, NOT_FOUND);
}

function withBody<S extends z.ZodType>(call: Call, schema: S, use: (body: z.infer<S>) => Answer): Answer {
  const parsed = schema.safeParse(parseOrNull(call.body));
  return parsed.success ? use(parsed.data) : errorAnswer(call, 400, z.prettifyError(parsed.error));
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
