// Every environment variable of the product, once. An app picks the groups it needs:
// `z.object({ ...logEnv, ...databaseEnv })`, then `readEnv`. `.env.example` is generated from here.
import { AddressError, isPostgres, readPostgresAddress, readRedisAddress } from '@procore-mirror/address';
import { z } from 'zod';
import { ConfigError } from './errors.ts';
import { isLoopback } from './is-loopback.ts';

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** docs/procore.md: Environments. The monthly sandbox is overwritten from production each month. */
const procoreEnvironments = {
  production: { loginUrl: 'https://login.procore.com', apiUrl: 'https://api.procore.com' },
  sandbox: { loginUrl: 'https://login-sandbox.procore.com', apiUrl: 'https://sandbox.procore.com' },
  'monthly-sandbox': {
    loginUrl: 'https://login-sandbox-monthly.procore.com',
    apiUrl: 'https://api-monthly.procore.com',
  },
  federal: { loginUrl: 'https://login.procoregov.com', apiUrl: 'https://api.procoregov.com' },
} as const;
type ProcoreEnvironment = keyof typeof procoreEnvironments;
const procoreEnvironmentNames = Object.keys(procoreEnvironments) as ProcoreEnvironment[]; // keys of a const object

const MUST_BE_ORIGIN = 'must be an https:// address without a path (http:// for loopback hosts only)';

export const logEnv = {
  LOG_LEVEL: z
    .enum(logLevels, { error: `must be one of ${logLevels.join(', ')}` })
    .default('info')
    .meta({ description: `How much is logged: ${logLevels.join(', ')}.` }),
};

/** The group of /healthz, /readyz and /metrics; the port differs from app to app. */
export const adminEnv = (defaultPort: number) => ({
  ADMIN_HOST: z
    .string()
    .default('127.0.0.1')
    .meta({ description: 'Address of /healthz, /readyz and /metrics; never a public one.' }),
  ADMIN_PORT: port()
    .default(defaultPort)
    .meta({ description: 'Port of /healthz, /readyz and /metrics: 9464 for the ingest, 9465 for the worker.' }),
});

export const databaseEnv = {
  DATABASE_URL: address(readPostgresAddress).meta({
    description: 'Postgres for the mirror, postgres://…; `npm start` supplies an embedded one.',
    secret: true,
  }),
  DATABASE_URL_DIRECT: address(readPostgresAddress).optional().meta({
    description:
      'The same Postgres without a pooler in between, where DATABASE_URL leads to one that shares sessions; DATABASE_URL when unset.',
    secret: true,
  }),
};

export const queueEnv = {
  QUEUE_URL: address((url) => (isPostgres(url) ? readPostgresAddress(url) : readQueueRedis(url)))
    .optional()
    .meta({
      description:
        'Where the queue lives, postgres://… or redis://…; DATABASE_URL_DIRECT, else DATABASE_URL when unset.',
      secret: true,
    }),
  QUEUE_ALLOW_VOLATILE: z
    .enum(['0', '1'], { error: 'must be 1, 0 or unset' })
    .transform((value) => value === '1')
    .default(false)
    .meta({ description: '1: accept a Redis without append-only file or with eviction. It can lose events.' }),
};

export const procoreEnv = {
  PROCORE_ENVIRONMENT: z
    .enum(procoreEnvironmentNames, { error: `must be one of ${procoreEnvironmentNames.join(', ')}` })
    .default('production')
    .meta({ description: `Which Procore: ${procoreEnvironmentNames.join(', ')}.` }),
  PROCORE_LOGIN_URL: origin()
    .optional()
    .meta({ description: 'Login server; when unset, that of PROCORE_ENVIRONMENT.' }),
  PROCORE_API_URL: origin().optional().meta({ description: 'API server; when unset, that of PROCORE_ENVIRONMENT.' }),
  PROCORE_CLIENT_ID: z.string().meta({ description: 'Client id of the service account (DMSA).' }),
  PROCORE_CLIENT_SECRET: z
    .string()
    .meta({ description: 'Client secret of the service account (DMSA).', file: true, secret: true }),
  PROCORE_COMPANY_IDS: list(z.string().regex(/^[1-9]\d{0,18}$/, 'must be a company id (digits)'))
    .optional()
    .meta({ description: 'Ids of the companies to mirror, separated by commas; all that send events when unset.' }),
};

/** Of what is done company by company. */
export const companiesEnv = {
  PROCORE_COMPANY_IDS: procoreEnv.PROCORE_COMPANY_IDS.nonoptional().meta({
    description: 'Ids of the companies to mirror, separated by commas.',
  }),
};

export const webhookEnv = {
  // Procore signs nothing: these values, set by us on the hook and sent back verbatim, are the only proof of the sender.
  WEBHOOK_AUTHORIZATION: list(
    z
      .string()
      .min(16, 'must have at least 16 characters')
      .regex(/^[\x20-\x7e]*$/, 'must hold printable ASCII characters only'),
  ).meta({
    description:
      'Accepted Authorization values of deliveries, separated by commas, newest first; each at least 16 characters.',
    file: true,
    secret: true,
  }),
  WEBHOOK_URL: z
    .string()
    .refine(isHttpsOrLoopback, 'must be an https:// address (http:// for loopback hosts only)')
    .optional()
    .meta({
      description:
        'Public https address of the receiver; workers, `pnpm mirror hooks apply` and `npm start` make the hooks that lead to it.',
    }),
  // The characters are Procore's choice (docs/procore.md: Webhooks API).
  WEBHOOK_NAMESPACE: z
    .string()
    .regex(/^[a-z0-9-]+$/, 'must hold a-z, 0-9 and - only')
    .default('procore-mirror')
    .meta({ description: 'Namespace of our hooks at Procore; one for each installation.' }),
};

export const ingestEnv = {
  INGEST_HOST: z.string().default('0.0.0.0').meta({ description: 'Address the receiver listens on.' }),
  INGEST_PORT: port().default(3000).meta({ description: 'Port the receiver listens on.' }),
  INGEST_SPOOL_DIR: z
    .string()
    .default('.data/spool')
    .meta({ description: 'Directory where events wait while the queue is down; on a disk that survives.' }),
};

export const workerEnv = {
  // For a second or two Procore may answer with what was before (docs/procore.md: Reading after an event).
  FETCH_DELAY_MS: wholeNumber(0, 999_999_999)
    .default(2000)
    .meta({ description: 'Pause between an event and its fetch, in milliseconds.' }),
  WORKER_CONCURRENCY: wholeNumber(1, 256)
    .default(16)
    .meta({ description: 'Batches in hand at once in each worker, 1 to 256.' }),
  CHECK_HOOKS_EVERY_MS: wholeNumber(0, 999_999_999).default(3_600_000).meta({
    description:
      'How often the worker makes hooks as they should be where WEBHOOK_URL is set, in milliseconds, as far as its share of calls allows; 0: never.',
  }),
  REPAIR_EVERY_MS: wholeNumber(0, 999_999_999).default(900_000).meta({
    description:
      'How often the worker looks whether deliveries were missed, in milliseconds; what it reads of Procore’s log then is within its share of calls; 0: only when `pnpm mirror repair` asks.',
  }),
  VERIFY_EVERY_MS: wholeNumber(0, 999_999_999).default(86_400_000).meta({
    description:
      'How often the worker compares each table with Procore by cheap calls, in milliseconds, and by whole lists every seventh time, as far as its share of calls allows; what differs is repaired; 0: only when `pnpm mirror verify` asks.',
  }),
  DELETE_CAP: wholeNumber(0, 999_999_999).optional().meta({
    description:
      'How many rows of a resource in a company or project a proof of deletion may bury at most in one run; when unset the larger of 20 and 1 % of them.',
  }),
  KEEP_EVENTS_DAYS: wholeNumber(1, 99_999).default(90).meta({
    description:
      'How many days events and dead letters are kept; with less than 9 repairs may bring in again what Procore’s log of deliveries still has.',
  }),
  RETRY_DEAD_LETTERS_AFTER_MS: list(z.string().regex(/^[1-9]\d{0,9}$/, 'must be a whole number from 1 up'))
    .transform((times) => times.map(Number))
    .refine((times) => times.every((time, index) => time > (times[index - 1] ?? 0)), 'must grow from one to the next')
    .default([3_600_000, 86_400_000])
    .meta({
      description:
        'When a record that was given up is tried again by itself, in milliseconds from then, separated by commas.',
    }),
};

export const mirrorEnv = {
  MIRROR_PROJECTS: list(z.string().regex(/^(active|[1-9]\d{0,18})$/, 'must be a project id (digits), or active'))
    .transform((names): 'active' | string[] => (names.includes('active') ? 'active' : names))
    .default('active')
    .meta({
      description:
        'Ids of the projects to mirror, separated by commas; active: all active ones that the service account may see.',
    }),
  MIRROR_RESOURCES: list(z.string())
    .optional()
    .meta({ description: 'Names of the resources to mirror, separated by commas; all when unset.' }),
  MIRROR_CATALOGUE: z
    .string()
    .optional()
    .meta({ description: 'JSON file of resources to add or to read otherwise (docs/operations.md).' }),
};

/** What the receiver serves. */
export const WEBHOOK_PATH = '/webhooks/procore';

/** What to know of a WEBHOOK_URL whose path is not the one that is served, for some proxies rewrite paths; else null. */
export function pathWarning(webhookUrl: string | undefined): string | null {
  const path = webhookUrl === undefined ? WEBHOOK_PATH : new URL(webhookUrl).pathname;
  if (path === WEBHOOK_PATH || path === `${WEBHOOK_PATH}/`) return null;
  return `WEBHOOK_URL has the path ${path}, and the receiver serves ${WEBHOOK_PATH}: let the proxy in between rewrite it, or name that path`;
}

/** The queue's address, QUEUE_URL, else DATABASE_URL_DIRECT, else DATABASE_URL, and which of them it is. */
export function queueAddress(env: {
  QUEUE_URL?: string | undefined;
  DATABASE_URL_DIRECT?: string | undefined;
  DATABASE_URL?: string | undefined;
}): { variable: string; url: string } {
  for (const variable of ['QUEUE_URL', 'DATABASE_URL_DIRECT', 'DATABASE_URL'] as const) {
    const url = env[variable];
    if (url !== undefined) return { variable, url };
  }
  throw new ConfigError(['QUEUE_URL and DATABASE_URL are both not set: set one of them']);
}

/** The servers to talk to. Throws a ConfigError for plain http to a host that is not loopback. */
export function procoreHosts(env: {
  PROCORE_ENVIRONMENT: ProcoreEnvironment;
  PROCORE_LOGIN_URL?: string | undefined;
  PROCORE_API_URL?: string | undefined;
}): { loginUrl: URL; apiUrl: URL } {
  const defaults = procoreEnvironments[env.PROCORE_ENVIRONMENT];
  const login = env.PROCORE_LOGIN_URL ?? defaults.loginUrl;
  const api = env.PROCORE_API_URL ?? defaults.apiUrl;
  const problems = Object.entries({ PROCORE_LOGIN_URL: login, PROCORE_API_URL: api })
    .filter(([, url]) => !isOrigin(url))
    .map(([key]) => `${key}: ${MUST_BE_ORIGIN}`);
  if (problems.length > 0) throw new ConfigError(problems);
  return { loginUrl: new URL(login), apiUrl: new URL(api) };
}

/** The environment of Procore whose login or API server this is; null: it is none of them. */
export function environmentOf(server: URL): string | null {
  const isOf = ({ loginUrl, apiUrl }: { loginUrl: string; apiUrl: string }) =>
    [loginUrl, apiUrl].some((url) => new URL(url).host === server.host);
  return procoreEnvironmentNames.find((name) => isOf(procoreEnvironments[name])) ?? null;
}

/** Text that `read` takes; each problem of its AddressError becomes one of the variable. */
function address(read: (url: string) => unknown) {
  return z.string().superRefine((url, context) => {
    try {
      read(url);
    } catch (error) {
      if (!(error instanceof AddressError)) throw error;
      for (const message of error.problems) context.addIssue({ code: 'custom', message });
    }
  });
}

function readQueueRedis(url: string): void {
  if (/^(redis|valkey)s?(\+\w+)?:/i.test(url)) readRedisAddress(url);
  else throw new AddressError(['must start with postgres://, redis:// or rediss:// (+cluster and +sentinel also)']);
}

function origin() {
  return z.string().refine(isOrigin, MUST_BE_ORIGIN);
}

function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && isHttpsOrLoopback(text) && url.href === `${url.origin}/`;
}

function isHttpsOrLoopback(text: string): boolean {
  const url = URL.parse(text);
  return url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname));
}

function list<T extends z.ZodString>(item: T) {
  return z
    .string()
    .transform((text) => [...new Set(text.split(',').map((entry) => entry.trim()))].filter((entry) => entry !== ''))
    .pipe(z.array(item).min(1, 'must name at least one'));
}

function port() {
  return wholeNumber(0, 65_535);
}

function wholeNumber(min: number, max: number) {
  const message =
    max > 99_999 ? `must be a whole number from ${min} up` : `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, { error: message, abort: true })
    .transform(Number)
    .refine((value) => value >= min && value <= max, message);
}
