// What the processes that `npm start` runs are told, as environment variables.
import type { DataDirectory, Remembered } from './data-directory.ts';
import type { Env, RealEnv, Wanted } from './env.ts';

export type Settings = Record<string, string>;

export type Ports = { ingest: number; ingestAdmin: number; workerAdmin: number; simulator: number };

/** Set to nothing, lest an app takes them from `.env`: that speaks of another Procore than the simulated one. */
const none = [
  'DATABASE_URL_DIRECT',
  'QUEUE_URL',
  'QUEUE_ALLOW_VOLATILE',
  'PROCORE_ENVIRONMENT',
  'PROCORE_CLIENT_SECRET_FILE',
  'WEBHOOK_AUTHORIZATION_FILE',
  'WEBHOOK_NAMESPACE',
  'MIRROR_PROJECTS',
  'MIRROR_RESOURCES',
  'MIRROR_CATALOGUE',
];

const SIMULATED_COMPANY = '598134325683880';

/** The mirror of a simulated Procore. */
export function simulatedSettings(options: {
  databaseUrl: string;
  ports: Ports;
  remembered: Remembered;
  spool: string;
  /** Secrets of hooks that were set, to rehearse how one takes the place of another; else the one that is remembered. */
  authorization?: readonly string[] | undefined;
}): Settings {
  const simulator = `http://127.0.0.1:${options.ports.simulator}`;
  return {
    ...Object.fromEntries(none.map((name) => [name, ''])),
    DATABASE_URL: options.databaseUrl,
    PROCORE_LOGIN_URL: simulator,
    PROCORE_API_URL: simulator,
    PROCORE_CLIENT_ID: 'simulated',
    PROCORE_CLIENT_SECRET: options.remembered.clientSecret,
    PROCORE_COMPANY_IDS: SIMULATED_COMPANY,
    WEBHOOK_AUTHORIZATION: (options.authorization ?? [options.remembered.webhookAuthorization]).join(','),
    WEBHOOK_URL: `http://127.0.0.1:${options.ports.ingest}/webhooks/procore`,
    INGEST_HOST: '127.0.0.1',
    INGEST_PORT: String(options.ports.ingest),
    INGEST_SPOOL_DIR: options.spool,
  };
}

/** The mirror of a real Procore: what is configured, completed. */
export function realSettings(options: {
  env: Env;
  known: RealEnv;
  databaseUrl: string;
  remembered: Remembered;
  spool: string;
}): Settings {
  return {
    ...(Object.fromEntries(Object.entries(options.env).filter(([, value]) => value !== undefined)) as Settings),
    DATABASE_URL: options.databaseUrl,
    ...(options.known.WEBHOOK_AUTHORIZATION === undefined && {
      WEBHOOK_AUTHORIZATION: options.remembered.webhookAuthorization,
    }),
    ...(!options.env.INGEST_SPOOL_DIR?.trim() && { INGEST_SPOOL_DIR: options.spool }),
  };
}

/** What the simulator is told: a small company at work that survives the end, generous with calls so that the first backfill is short. */
export function simulatorSettings(ports: Ports, data: Pick<DataDirectory, 'remembered' | 'company'>): Settings {
  return {
    SIMULATOR_HOST: '127.0.0.1',
    SIMULATOR_PORT: String(ports.simulator),
    SIMULATOR_CLIENT_ID: 'simulated',
    SIMULATOR_CLIENT_SECRET: data.remembered.clientSecret,
    SIMULATOR_STATE_FILE: data.company,
    SIMULATOR_COMPANY_ID: SIMULATED_COMPANY,
    SIMULATOR_LIFE: 'on',
    SIMULATOR_EDITS_PER_MINUTE: '60',
    SIMULATOR_SETTINGS: JSON.stringify({ callsPerHour: 360_000, callsPerTenSeconds: 1000, duplicateShare: 0.1 }),
  };
}

/** What commands that are run beside `npm start` need to know: of a real Procore only what is not configured. */
export function settingsToShare(wanted: Wanted, settings: Settings): Settings {
  if (!wanted.isReal) return settings;
  const shared = ['DATABASE_URL', 'PROCORE_CLIENT_ID'];
  if (wanted.env.DATABASE_URL_DIRECT !== undefined) shared.push('DATABASE_URL_DIRECT');
  if (wanted.env.WEBHOOK_AUTHORIZATION === undefined) shared.push('WEBHOOK_AUTHORIZATION');
  return Object.fromEntries(shared.map((name) => [name, settings[name] ?? '']));
}
