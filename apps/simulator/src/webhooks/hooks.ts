// The hooks and triggers that integrations have set up.
import type { PayloadVersion } from './event-body.ts';

export type Trigger = { id: string; resource: string; kind: string };

export type Hook = {
  readonly id: string;
  readonly companyId: string;
  /** Null for a hook on the company. */
  readonly projectId: string | null;
  namespace: string;
  payloadVersion: PayloadVersion;
  destinationUrl: string;
  destinationHeaders: Readonly<Record<string, string>>;
  status: 'active' | 'disabled';
  readonly createdAt: number;
  updatedAt: number;
  triggers: Trigger[];
};

export type Scope = { companyId: string; projectId: string | null };

export type Hooks = {
  all: () => readonly Hook[];
  add: (hook: Hook) => void;
  remove: (hook: Hook) => void;
  within: (scope: Scope) => readonly Hook[];
  /** Active hooks of exactly this scope that have the trigger. */
  hearing: (event: Scope & { resource: string; kind: string }) => readonly Hook[];
};

export function createHooks(): Hooks {
  const byScope = new Map<string, Hook[]>();
  const keyOf = ({ companyId, projectId }: Scope): string => `${companyId}/${projectId ?? ''}`;
  const within = (scope: Scope): readonly Hook[] => byScope.get(keyOf(scope)) ?? [];

  return {
    all: () => [...byScope.values()].flat(),
    add: (hook) => byScope.set(keyOf(hook), [...within(hook), hook]),
    remove: (hook) =>
      byScope.set(
        keyOf(hook),
        within(hook).filter((other) => other !== hook),
      ),
    within,
    hearing: (event) =>
      within(event).filter(
        ({ status, triggers }) =>
          status === 'active' &&
          triggers.some(({ resource, kind }) => resource === event.resource && kind === event.kind),
      ),
  };
}
