// The worker's hooks: it looks after them where WEBHOOK_URL says where they lead. Projects it lists anyway, or a new one would get no fill.
import { type ScopeHooks, startHookLoop } from '@procore-mirror/mirror';
import { fingerprint, followEnv, type Log, pathWarning, type Secrets, webhookEnv } from '@procore-mirror/runtime';
import { z } from 'zod';
import { environment, type WorkerEnv } from './env.ts';

type Options = Pick<
  Parameters<typeof startHookLoop>[0],
  'database' | 'client' | 'catalogue' | 'resources' | 'holder'
> & {
  env: WorkerEnv;
  secrets: Secrets;
  log: Log;
};

/** How often projects are listed by a worker that never looks at hooks, ms. */
const LIST_EVERY_MS = 3_600_000;

/** Starts to look after the hooks, or says why it lists projects only. Null: there is no company to list them of. */
export function startHooks({ env, secrets, log, ...how }: Options): { close: () => Promise<void> } | null {
  const { CHECK_HOOKS_EVERY_MS: everyMs, PROCORE_COMPANY_IDS: companyIds = [] } = env;
  const destinationUrl = everyMs === 0 ? undefined : env.WEBHOOK_URL;
  if (destinationUrl === undefined) {
    const why = everyMs === 0 ? 'CHECK_HOOKS_EVERY_MS is 0' : 'WEBHOOK_URL is not set';
    log.info(`${why}: this worker does not look after hooks`);
    if (companyIds.length === 0) return null;
  }
  const warning = pathWarning(destinationUrl);
  if (warning !== null) log.warn(warning);
  return startHookLoop({
    ...how,
    ...{ companyIds, destinationUrl: destinationUrl ?? null, everyMs: everyMs === 0 ? LIST_EVERY_MS : everyMs, log },
    namespace: env.WEBHOOK_NAMESPACE,
    projects: env.MIRROR_PROJECTS,
    secrets: destinationUrl === undefined ? () => new Map() : followSecrets(secrets, log),
    onLook: (found) => logLook(log, found),
    onProjects: (companyId, { selected, come }) => {
      const about = { company_id: companyId, projects: selected.length, come };
      log[come.length === 0 ? 'debug' : 'info'](about, 'listed the projects of a company');
    },
  });
}

/** The accepted values and their fingerprints, each of which takes a moment to make, as they are now. */
function followSecrets(secrets: Secrets, log: Log): () => ReadonlyMap<string, string> {
  const { WEBHOOK_AUTHORIZATION } = webhookEnv;
  const values = followEnv(z.object({ WEBHOOK_AUTHORIZATION }), environment, {
    secrets,
    onChange: (variables) => log.info({ variables }, 'a secret was read anew from its file'),
    onProblem: (problems) => log.warn({ problems }, 'a secret cannot be read again; the last good one stays in use'),
  });
  let known: ReadonlyMap<string, string> = new Map();
  return () => {
    const now = values().WEBHOOK_AUTHORIZATION;
    if (now.join() !== [...known.keys()].join())
      known = new Map(now.map((value) => [value, known.get(value) ?? fingerprint(value)]));
    return known;
  };
}

function logLook(log: Log, found: ScopeHooks): void {
  const { companyId, projectId, actions, notOffered, refused, trouble, waits, isLeftAlone } = found;
  const about = { company_id: companyId, project_id: projectId };
  if (trouble !== null)
    log[isLeftAlone ? 'debug' : 'warn']({ ...about, reason: trouble }, 'a hook could not be looked after');
  if (refused.length > 0) log.warn({ ...about, refused }, 'Procore refused what it should take');
  if (waits !== null) log.info({ ...about, reason: waits }, 'a hook is as it was for now');
  if (actions.length > 0) log.info({ ...about, done: actions.map((action) => action.do) }, 'set a hook right');
  else log.debug({ ...about, not_offered: notOffered }, 'looked at a hook');
}
