import type { Catalogue } from '@procore-mirror/catalogue';
import { createHooksApi, type ProcoreClient } from '@procore-mirror/procore';
import { applyHooks } from './apply-hooks.ts';
import { tryCalls } from './ask/try-calls.ts';
import { nameOf, type Scope } from './list-scopes.ts';

type Options = {
  client: ProcoreClient;
  catalogue: Catalogue;
  scopes: readonly Scope[];
  resources: readonly string[] | null;
  namespace: string;
  destinationUrl: string;
  authorization: string;
  signal: AbortSignal;
  say: (line: string) => void;
};

const PAYLOAD_VERSION = 'v4.0';

/** Gives every scope its hook; those that are there stay as they are. A scope that refuses is named, and left out. */
export async function applyAllHooks({ client, scopes, resources, signal, say, ...how }: Options): Promise<void> {
  const hooks = createHooksApi(client);
  const count = { created: 0, triggers: 0, refused: new Set<string>() };
  for (const { companyId, projectId } of scopes) {
    const selection = { companyIds: null, resources };
    const applied = await tryCalls(
      () => applyHooks({ ...how, payloadVersion: PAYLOAD_VERSION, hooks, companyId, projectId, selection, signal }),
      {
        signal,
      },
    );
    if ('refused' in applied) {
      say(`No hook in ${nameOf({ companyId, projectId })}: ${applied.refused}`);
      continue;
    }
    count.created += applied.done.created ? 1 : 0;
    count.triggers += applied.done.added;
    for (const { resource } of applied.done.refused) count.refused.add(resource);
  }
  say(`Hooks: ${scopes.length} scopes, ${count.created} hooks created, ${count.triggers} triggers added`);
  if (count.refused.size > 0) {
    const names = [...count.refused].join(', ');
    say(`Procore offers no events of ${names}: what is mirrored of them is as old as its last backfill`);
  }
}
