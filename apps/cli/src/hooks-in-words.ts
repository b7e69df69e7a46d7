import { callsOf, type HookAction, type ScopeHooks } from '@procore-mirror/mirror';
import type { FoundHooks } from './look-after-hooks.ts';
import { counted, table } from './output.ts';

/** The result of a command as JSON; no secret is in it. */
export function hooksAsJson({ scopes, unlisted }: FoundHooks): object {
  return {
    calls: scopes.reduce((sum, scope) => sum + callsOf(scope.actions), 0),
    scopes: scopes.map((scope) => ({
      company_id: scope.companyId,
      project_id: scope.projectId,
      actions: scope.actions.map(actionAsJson),
      calls: callsOf(scope.actions),
      not_offered: scope.notOffered,
      refused: scope.refused,
      trouble: scope.trouble,
      waits: scope.waits,
    })),
    unlisted,
  };
}

/** A line for each scope of which there is something to say: `say` says it of an action. */
export function hooksTable(scopes: readonly ScopeHooks[], title: string, say: (action: HookAction) => string): string {
  const rows = scopes.flatMap((scope) => {
    const refused = scope.refused.map((name) => `Procore does not take ${name}`);
    const what = [...scope.actions.map(say), ...refused, ...(scope.trouble === null ? [] : [scope.trouble])];
    return what.length === 0
      ? []
      : [[scope.companyId, scope.projectId ?? '', what.join('; '), callsOf(scope.actions)] as const];
  });
  return rows.length === 0 ? '' : `${table(['company', 'project', title, 'calls'], rows)}\n\n`;
}

/** What is to be done, or was. */
export function actionInWords(action: HookAction): string {
  switch (action.do) {
    case 'create':
      return `create a hook with ${counted(action.triggers.length, 'trigger')}`;
    case 'patch':
      return `set right ${Object.keys(patched(action)).join(', ')}`;
    case 'add triggers':
      return `add ${counted(action.triggers.length, 'trigger')}`;
    case 'remove triggers':
      return `remove ${counted(action.triggers.length, 'superfluous trigger')}`;
    case 'remove':
      return action.because === 'second'
        ? `remove the second hook ${action.hookId}`
        : `remove the hook ${action.hookId}, for it is not mirrored any more`;
  }
}

/** What is wrong as long as it is not done. */
export function faultInWords(action: HookAction): string {
  switch (action.do) {
    case 'create':
      return 'no hook';
    case 'patch':
      return Object.values(patched(action)).join(', ');
    case 'add triggers':
      return counted(action.triggers.length, 'trigger missing', 'triggers missing');
    case 'remove triggers':
      return counted(action.triggers.length, 'superfluous trigger');
    case 'remove':
      return action.because === 'second'
        ? `a second hook, ${action.hookId}`
        : `a hook, ${action.hookId}, though it is not mirrored any more`;
  }
}

/** Resources without news, if there are any. */
export function notOfferedInWords(scopes: readonly ScopeHooks[]): string {
  const names = [...new Set(scopes.flatMap((scope) => scope.notOffered))];
  return names.length === 0 ? '' : `\nProcore offers no events of ${names.join(', ')} everywhere.`;
}

/** The parts that a patch sets right, as Procore calls them, and what is wrong with each. */
function patched({ change }: HookAction & { do: 'patch' }): Record<string, string> {
  return {
    ...(change.status !== undefined && { status: 'disabled' }),
    ...(change.destinationUrl !== undefined && { destination_url: 'leads elsewhere' }),
    ...(change.authorization !== undefined && { destination_headers: 'carries another secret' }),
    ...(change.payloadVersion !== undefined && { payload_version: 'has another payload version' }),
  };
}

function actionAsJson(action: HookAction): unknown {
  return {
    do: action.do.replaceAll(' ', '_'),
    ...('hookId' in action && { hook_id: action.hookId }),
    ...(action.do === 'patch' && { change: Object.keys(patched(action)) }),
    ...('triggers' in action && {
      triggers: action.triggers.map(({ resource, eventType }) => ({ resource_name: resource, event_type: eventType })),
    }),
  };
}
