// The worker's hooks: it looks after them where WEBHOOK_URL says where they lead.
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

/** Starts to look after the hooks, or says why not. Null: there is nothing to close. */
export function startHooks({ env, secrets, log, ...how }: Options): { close: () => Promise<void> } | null {
  const { WEBHOOK_URL: destinationUrl, CHECK_HOOKS_EVERY_MS: everyMs, PROCORE_COMPANY_IDS: companyIds = [] } = env;
  if (destinationUrl === undefined || everyMs === 0) {
    const why = destinationUrl === undefined ? 'WEBHOOK_URL is not set' : 'CHECK_HOOKS_EVERY_MS is 0';
    log.info(`${why}: this worker does not look after hooks`);
    return null;
  }
  const warning = pathWarning(destinationUrl);
  if (warning !== null) log.warn(warning);
  return startHookLoop({
    ...how,
    ...{ companyIds, destinationUrl, everyMs, log },
    namespace: env.WEBHOOK_NAMESPACE,
    projects: env.MIRROR_PROJECTS,
    secrets: followSecrets(secrets, log),
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

function logLook(log: Log, { companyId, projectId, actions, notOffered, refused, trouble, waits }: ScopeHooks): void {
  const about = { company_id: companyId, project_id: projectId };
  if (trouble !== null) log.warn({ ...about, reason: trouble }, 'a hook could not be looked after');
  if (refused.length > 0) log.warn({ ...about, refused }, 'Procore refused what it should take');
  if (waits !== null) log.info({ ...about, reason: waits }, 'a hook of what is not mirrored any more stays for now');
  if (actions.length > 0) log.info({ ...about, done: actions.map((action) => action.do) }, 'set a hook right');
  else log.debug({ ...about, not_offered: notOffered }, 'looked at a hook');
}
