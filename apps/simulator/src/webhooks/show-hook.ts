// Hooks, triggers and deliveries as the Webhooks API v2.0 shows them (docs/procore.md: Webhooks API).
import { wholeSeconds } from '../clock.ts';
import type { Delivery } from './deliveries.ts';
import { eventBody, type PayloadVersion } from './event-body.ts';
import type { Hook, Trigger } from './hooks.ts';

// One set of words filters, another is shown, and older pages have a third.
const statusNames: Readonly<Record<string, readonly Delivery['status'][]>> = {
  any: ['enqueued', 'retrying', 'delivered', 'discarded'],
  succeeded: ['delivered'],
  successful: ['delivered'],
  // What makes a delivery `failed` is not published; here none is.
  delivered: [],
  failing: ['retrying'],
};

/** Does the delivery have the status that `filter[status]` asks for? */
export function hasStatus({ status }: Delivery, asked: string): boolean {
  return statusNames[asked]?.includes(status) ?? status === asked;
}

export function showHook(hook: Hook, counted = true): Record<string, unknown> {
  const mask = (value: string): string => `*****${value.slice(-5)}`;
  return {
    id: hook.id,
    status: hook.status,
    payload_version: hook.payloadVersion,
    namespace: hook.namespace,
    destination_headers: Object.fromEntries(
      Object.entries(hook.destinationHeaders).map(([name, value]) => [name, mask(value)]),
    ),
    destination_url: hook.destinationUrl,
    ...(counted && { trigger_count: hook.triggers.length }),
    company_id: hook.projectId === null ? hook.companyId : null,
    project_id: hook.projectId,
    created_at: wholeSeconds(hook.createdAt),
    updated_at: wholeSeconds(hook.updatedAt),
    hook_type: 'classic',
  };
}

export function showTrigger(
  { id: hookId, companyId, projectId }: Hook,
  { id, resource, kind }: Trigger,
): Record<string, unknown> {
  return {
    id,
    webhook_hook_id: hookId,
    resource_name: resource,
    event_type: kind,
    company_id: projectId === null ? companyId : null,
    project_id: projectId,
  };
}

/** `version`: of the body, if it is another one than was sent. */
export function showDelivery(
  { status, event, payloadVersion, attempts }: Delivery,
  version: PayloadVersion | null,
): Record<string, unknown> {
  return {
    id: event.ulid,
    status,
    payload: eventBody(event, version ?? payloadVersion),
    delivery_attempts: attempts.map((attempt) => ({
      id: attempt.id,
      success: attempt.success,
      response_status: attempt.responseStatus,
      response_body: attempt.responseBody,
      response_headers: attempt.responseHeaders,
      response_error: attempt.error,
      started_at: new Date(attempt.startedAt).toISOString(),
      completed_at: new Date(attempt.completedAt).toISOString(),
    })),
  };
}
