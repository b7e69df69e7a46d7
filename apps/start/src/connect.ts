// Connects the mirror to its Procore: hooks first, then the backfill, so that no change falls between the two.
import type { Catalogue } from '@procore-mirror/catalogue';
import type { Database } from '@procore-mirror/database';
import { appliedInWords, applyAllHooks, selectCompany, selectScopes, withResources } from '@procore-mirror/mirror';
import { fingerprint, type MainLifetime, mirrorEnv, pathWarning, readEnv, webhookEnv } from '@procore-mirror/runtime';
import { z } from 'zod';
import { checkCompanies } from './check-companies.ts';
import { fill } from './fill.ts';
import { openConfiguredProcore } from './open-configured-procore.ts';
import type { Settings } from './settings.ts';
import { folded, type Terminal } from './terminal.ts';

const schema = z.object({ ...webhookEnv, ...mirrorEnv });

type Options = {
  settings: Settings;
  catalogue: Catalogue;
  /** The mirror was backfilled before, and Procore still holds what it missed since. */
  continues: boolean;
  database: Database;
  lifetime: MainLifetime;
  terminal: Terminal;
  /** What begins once the hooks are made. */
  onHooked: () => Promise<void>;
};

/**
 * Applies hooks and has the worker fill the mirror. Throws an AuthError when Procore refuses the service account, and a ConfigError
 * before anything is done when that does not see a company.
 */
export async function connect({
  settings,
  catalogue,
  continues,
  database,
  lifetime,
  terminal,
  onHooked,
}: Options): Promise<void> {
  const { signal } = lifetime;
  const say = (line: string) => terminal.write(`${folded(line, terminal)}\n`);
  const env = readEnv(schema, settings);
  const resources = env.MIRROR_RESOURCES ?? null;
  const { client, companyIds, signIn } = openConfiguredProcore({ settings, database, lifetime, say });
  await signIn(signal);
  await checkCompanies({ client, companyIds, signal, say });
  const selected = await selectScopes({
    ...{ client, database, companyIds, wanted: env.MIRROR_PROJECTS, select: selectCompany, signal, say, note: say },
  });
  const [authorization = '', ...accepted] = env.WEBHOOK_AUTHORIZATION; // of several `hooks rotate-secret` gives the first one
  if (env.WEBHOOK_URL === undefined) {
    say(
      'Hooks: none applied, so changes do not arrive. Set WEBHOOK_URL to the public https address that leads to the receiver.',
    );
  } else {
    const warning = pathWarning(env.WEBHOOK_URL);
    if (warning !== null) say(`Hooks: ${warning}.`);
    const keys = new Map(env.WEBHOOK_AUTHORIZATION.map((value) => [value, fingerprint(value)]));
    const how = { namespace: env.WEBHOOK_NAMESPACE, destinationUrl: env.WEBHOOK_URL, authorization, accepted, keys };
    const { scopes } = selected;
    const applied = await applyAllHooks({ client, database, catalogue, scopes, resources, ...how, signal });
    for (const line of appliedInWords(applied)) say(line);
  }
  await onHooked();
  const scopes = selected.scopes.map((scope) => withResources(scope, { catalogue, resources }));
  await fill({ database, catalogue, companyIds, scopes, continues, terminal, signal });
}
