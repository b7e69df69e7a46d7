// One part after the other; what cannot be looked at hides no other part.
import { type Database, openSessions } from '@procore-mirror/database';
import type { DoctorFacts, Facts } from '@procore-mirror/mirror';
import { ConfigError, queueAddress } from '@procore-mirror/runtime';
import type { PartOptions } from '../check-part.ts';
import { readQueue, readToJudge } from '../commands/status.ts';
import type { Context } from '../context.ts';
import {
  databaseSchema,
  directSchema,
  environmentSchema,
  procoreSchema,
  queueSchema,
  selectionSchema,
} from '../env.ts';
import { companiesOf } from '../find-scopes.ts';
import { accountOf } from '../with-procore.ts';
import { type Asked, askLogin, askProcore, NOT_ASKED } from './ask-procore.ts';
import type { Asking } from './asking.ts';
import { examineMirror, misfitOf } from './examine-mirror.ts';
import { type Addresses, examineDisks, examineQueue, examineServers } from './examine-servers.ts';
import { orNull } from './or-null.ts';
import { readSettings } from './read-settings.ts';

type Options = Pick<PartOptions, 'company' | 'project'>;

export type Examination = {
  facts: DoctorFacts;
  /** Null: the database gave no answer, or does not fit. */
  mirror: Facts | null;
  /** That were made to Procore. */
  calls: number;
  /** Which servers could not be reached, and why. */
  unreached: readonly string[];
};

/** Looks at everything. Throws a ConfigError without a DATABASE_URL, for there is nothing to look at, and a UsageError. */
export async function examineAll(context: Context, options: Options): Promise<Examination> {
  const settings = readSettings(context);
  const addresses = readAddresses(context, settings);
  const selection = orNull(() => context.read(selectionSchema));
  const companyIds = companiesOf(selection?.PROCORE_COMPANY_IDS ?? [], options.company);
  context.output.live('servers');
  const servers = await examineServers(addresses);
  const { queue, waiting, problems } = await examineWaiting(context, servers);
  const database = await openMirror(addresses, servers);
  try {
    const misfit = database === null ? undefined : await misfitOf(database);
    const fitting = misfit === null ? database : null;
    const asked = await ask(context, {
      fitting,
      companyIds,
      projectId: options.project,
      wanted: selection?.MIRROR_PROJECTS,
    });
    const known = fitting === null ? null : await readMirror(context, fitting, options, waiting);
    const { disks, notLooked } = await examineDisks(context, servers);
    const facts: DoctorFacts = {
      ...{ settings: { ...settings, problems: [...settings.problems, ...problems] }, servers, queue, waiting },
      ...{ login: asked.login, companies: asked.companies, tools: asked.tools, hooks: asked.hooks },
      ...{ procoreAheadMs: asked.procoreAheadMs, disks },
      ...(known?.own ?? { rights: null, counts: null, deprecated: null, otherOrigin: null }),
      ...(misfit !== undefined && { misfit }),
      notLooked: [
        ...[...asked.notLooked, ...notLooked],
        ...(known === null ? [{ check: 'the mirror', why: 'its database cannot be read' }] : []),
        ...(known !== null && known.facts === null ? [{ check: 'the mirror', why: WRONG_SETTINGS }] : []),
      ],
    };
    return { facts, mirror: known?.facts ?? null, calls: asked.calls, unreached: unreachedIn(facts) };
  } finally {
    await database?.close();
  }
}

const WRONG_SETTINGS = 'settings that it takes are missing or wrong';

function readAddresses(context: Context, settings: DoctorFacts['settings']): Addresses {
  const url = readUrl(context, settings);
  const { DATABASE_URL_DIRECT } = orNull(() => context.read(directSchema)) ?? {};
  const { QUEUE_URL } = orNull(() => context.read(queueSchema.pick({ QUEUE_URL: true }))) ?? {};
  return { DATABASE_URL: url, DATABASE_URL_DIRECT, QUEUE_URL };
}

function readUrl(context: Context, { problems, unset }: DoctorFacts['settings']): string {
  try {
    return context.read(databaseSchema).DATABASE_URL;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const missing = unset.flatMap(({ name, isNeeded }) => (isNeeded ? [`${name} is not set`] : []));
    throw new ConfigError([...new Set([...error.problems, ...problems, ...missing])]);
  }
}

/** What lies in the queue, and where it is. `problems`: why there can be none. */
async function examineWaiting(
  context: Context,
  servers: DoctorFacts['servers'],
): Promise<Pick<DoctorFacts, 'queue' | 'waiting'> & { problems: readonly string[] }> {
  const env = orNull(() => context.read(queueSchema));
  if (env === null) return { queue: null, waiting: null, problems: [] };
  const queue = await examineQueue(context);
  try {
    return { queue, waiting: await readQueue(context), problems: [] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const { variable } = queueAddress(env);
    const isToldOf = servers.some((server) => server.variable === variable && server.facts?.keepsSessions === false);
    return { queue, waiting: null, problems: isToldOf ? [] : error.problems };
  }
}

/** As every process opens it; null where that fails, which is told of the server. */
async function openMirror(addresses: Addresses, servers: DoctorFacts['servers']): Promise<Database | null> {
  const { DATABASE_URL: url, DATABASE_URL_DIRECT: directUrl } = addresses;
  if (servers.some(({ isMirror, facts }) => isMirror && facts === null)) return null;
  const sessions = { url, directUrl, applicationName: 'procore-mirror doctor', max: 4 };
  return await openSessions(sessions).catch(() => null);
}

type Chosen = {
  fitting: Database | null;
  companyIds: readonly string[];
  projectId: string | undefined;
  wanted: Asking['wanted'] | undefined;
};

async function ask(context: Context, { fitting, wanted, ...part }: Chosen): Promise<Asked> {
  const env = orNull(() => context.read(procoreSchema));
  if (env === null || orNull(() => accountOf(env)) === null)
    return { ...NOT_ASKED, login: null, notLooked: [{ check: 'Procore', why: WRONG_SETTINGS }] };
  context.output.live('login');
  const chosen = orNull(() => context.catalogue());
  if (fitting !== null && chosen !== null && wanted !== undefined)
    return await askProcore({ context, env, database: fitting, wanted, ...part, ...chosen });
  const why = fitting === null ? 'the database, by which calls are shared, cannot be used' : WRONG_SETTINGS;
  return { ...(await askLogin(context, env)), notLooked: [{ check: 'companies, permissions and hooks', why }] };
}

async function readMirror(
  context: Context,
  database: Database,
  options: Options,
  waiting: DoctorFacts['waiting'],
): Promise<{ own: Awaited<ReturnType<typeof examineMirror>> | null; facts: Facts | null }> {
  const chosen = orNull(() => context.catalogue());
  const environment = orNull(() => context.read(environmentSchema))?.PROCORE_ENVIRONMENT;
  const own =
    chosen === null || environment === undefined ? null : await examineMirror(database, { ...chosen, environment });
  const { company } = options; // a project that Procore has and the mirror does not know yet is no slip of the pen
  const known = await readToJudge(context, database, { companyId: company }).catch((error: unknown) => {
    if (error instanceof ConfigError) return null;
    throw error;
  });
  return { own, facts: known && { ...known, queue: waiting ?? { waiting: null, problem: null } } };
}

function unreachedIn({ servers, waiting, login, companies }: DoctorFacts): string[] {
  return [
    ...servers.flatMap(({ variable, problem }) => (problem === null ? [] : [`${variable}: ${problem}`])),
    ...(waiting?.problem ? [waiting.problem] : []),
    ...(login?.trouble?.reason === 'unreachable' ? [login.trouble.message] : []),
    ...companies.flatMap(({ answer, message }) => (answer === 'no answer' && message !== null ? [message] : [])),
  ];
}
