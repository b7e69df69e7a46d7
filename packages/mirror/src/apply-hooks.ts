// Procore sends events only where a hook has triggers for them: one hook in the company, one in each project
// (docs/procore.md: Webhooks API).
import type { Catalogue } from '@procore-mirror/catalogue';
import type { Hook, HooksApi, HookTrigger } from '@procore-mirror/procore';
import { isSelected, type Selection } from './plan/news-of-event.ts';

type WantedTrigger = Omit<HookTrigger, 'id'>;

export type HookPlan = {
  /** The hook to use, or null when one must be created. */
  hookId: string | null;
  missing: readonly WantedTrigger[];
};

export type HookOptions = {
  hooks: HooksApi;
  companyId: string;
  /** null: the company's own hook. */
  projectId: string | null;
  namespace: string;
  destinationUrl: string;
  authorization: string;
  /** Format of the bodies; the receiver reads all of them. v4.0 is the one Procore recommends. */
  payloadVersion: 'v2.0' | 'v3.0' | 'v4.0';
  signal: AbortSignal;
};

export type AppliedHooks = { created: boolean; added: number; refused: readonly WantedTrigger[] };

/** What a scope's hooks lack, given those of our namespace with their triggers. Pure. */
export function planHooks(
  existing: readonly { hook: Hook; triggers: readonly HookTrigger[] }[],
  wanted: readonly WantedTrigger[],
  destinationUrl: string,
): HookPlan {
  const ours = existing.find(({ hook }) => hook.destinationUrl === destinationUrl && hook.status === 'active');
  const has = new Set(ours?.triggers.map(nameOf));
  return { hookId: ours?.hook.id ?? null, missing: wanted.filter((trigger) => !has.has(nameOf(trigger))) };
}

/** The triggers that the mirror needs in a company or in a project. */
export function wantedTriggers(
  catalogue: Catalogue,
  scope: 'company' | 'project',
  selection: Selection,
): WantedTrigger[] {
  return catalogue.entries
    .filter((entry) => entry.scope === scope && isSelected(entry, selection))
    .flatMap(({ resource, events }) => events.filter(isTriggerType).map((eventType) => ({ resource, eventType })));
}

/** Creates the scope's hook and its triggers where they are missing. Repeating it changes nothing. */
export async function applyHooks(
  options: HookOptions & { catalogue: Catalogue; selection: Selection },
): Promise<AppliedHooks> {
  const { hooks, companyId, projectId, namespace, destinationUrl, authorization, payloadVersion, signal } = options;
  const scope = { companyId, projectId, signal };
  const existing = [];
  for (const hook of await hooks.list({ ...scope, namespace })) {
    existing.push({ hook, triggers: await hooks.listTriggers({ ...scope, hookId: hook.id }) });
  }
  const wanted = wantedTriggers(options.catalogue, projectId === null ? 'company' : 'project', options.selection);
  const plan = planHooks(existing, wanted, destinationUrl);
  const created = { ...scope, namespace, destinationUrl, authorization, payloadVersion };
  const hookId = plan.hookId ?? (await hooks.create(created)).id;
  const { refused } = await hooks.addTriggers({ ...scope, hookId, triggers: plan.missing });
  return { created: plan.hookId === null, added: plan.missing.length - refused.length, refused };
}

/** The types that a trigger is known to take. */
function isTriggerType(eventType: string): boolean {
  return ['create', 'update', 'delete'].includes(eventType);
}

function nameOf({ resource, eventType }: WantedTrigger): string {
  return `${resource.toLowerCase()}/${eventType.toLowerCase()}`;
}
