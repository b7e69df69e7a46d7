import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import type { AuthError } from '@procore-mirror/auth';
import { type CallTrouble, createLoginWatch, openProcore } from '@procore-mirror/calls';
import {
  checkDatabase,
  noteOrigin,
  openSessions,
  readFunctions,
  readMigrations,
  type WorkerReport,
} from '@procore-mirror/database';
import {
  createDriftWatch,
  createNeighbours,
  type FetchSettings,
  type JudgeLoop,
  judgeProcess,
  keysOf,
  recordDelivery,
  recordReport,
  startCountLoop,
  startFetchLoop,
  startFillLoop,
  startJudgeLoop,
  startProofSchedule,
  startRetentionLoop,
  startVerifyLoop,
  usualPace,
} from '@procore-mirror/mirror';
import { consumeDeliveries } from '@procore-mirror/queue';
import {
  addEnvSecrets,
  ConfigError,
  configured,
  createLog,
  followEnv,
  type Log,
  loadDotEnv,
  procoreEnv,
  queueAddress,
  runMain,
  startAdmin,
} from '@procore-mirror/runtime';
import { z } from 'zod';
import { environment, readWorkerEnv, workerSchema } from './env.ts';
import { startHeartbeat } from './heartbeat.ts';
import { createMetricsPage } from './metrics-page.ts';
import { watchShortCalls } from './short-calls.ts';
import { startHooks } from './start-hooks.ts';
import { startRepair } from './start-repair.ts';
import { startUpkeep } from './upkeep-loop.ts';
import { startVersionWatch } from './version-watch.ts';
import { createWorkerMetrics } from './worker-metrics.ts';

const NOT_WHOLE = 'not all of a batch was fetched; the rest is tried again';
const NEW_DEAD_LETTER = 'a new dead letter; `pnpm mirror dead-letters show` tells more';

await runMain({
  name: 'worker',
  about: 'The worker: records events, fetches records, and keeps the mirror right.',
  start: async (lifetime) => {
    loadDotEnv(process.cwd());
    const { env, loginUrl, apiUrl, catalogue, resources } = await readWorkerEnv(environment);
    addEnvSecrets(lifetime.secrets, workerSchema, env);
    const log = createLog({ name: 'worker', level: env.LOG_LEVEL, secrets: lifetime.secrets });
    lifetime.useLog(log);
    const softwareVersion = readVersion();
    const metrics = createWorkerMetrics({
      version: softwareVersion,
      resources: catalogue.tables.map(({ resource }) => resource),
      callsWaiting: () => procore.waiting(),
    });
    const holder = `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`;

    const database = await configured('DATABASE_URL', () =>
      openSessions({
        url: env.DATABASE_URL,
        directUrl: env.DATABASE_URL_DIRECT,
        applicationName: 'procore-mirror worker',
        max: env.WORKER_CONCURRENCY + 8,
        onError: (error) => log.warn({ error }, 'a database connection broke; it is replaced'),
        onPooler: () => log.info('DATABASE_URL leads to a pooler that shares sessions; DATABASE_URL_DIRECT is used'),
      }),
    );
    lifetime.defer('database', () => database.close());
    const { tables } = catalogue;
    // Once: an update may replace the files while this version runs.
    const [migrations, functions] = [readMigrations(), readFunctions()];
    const check = () => checkDatabase(database, tables, migrations, functions);
    await check();
    const mirrored = await noteOrigin(database, env.PROCORE_ENVIRONMENT);
    if (mirrored !== env.PROCORE_ENVIRONMENT) throw new ConfigError([otherEnvironment(mirrored)]);
    const version = startVersionWatch({ check, log, fail: lifetime.fail });
    lifetime.defer('version watch', () => version.close());

    const account = followEnv(z.object(procoreEnv), environment, {
      secrets: lifetime.secrets,
      onChange: (variables) => log.info({ variables }, 'a secret was read anew from its file'),
      onProblem: (problems) => log.warn({ problems }, 'a secret cannot be read again; the last good one stays in use'),
    });
    let refused: WorkerReport['login'] = null;
    const procore = openProcore({
      account: {
        ...{ loginUrl, apiUrl },
        credentials: () => ({ clientId: account().PROCORE_CLIENT_ID, clientSecret: account().PROCORE_CLIENT_SECRET }),
      },
      ...{ database, holder },
      onSecret: (token) => lifetime.secrets.add(token),
      onCall: metrics.called,
      onTokenRefused: metrics.tokenRefused,
      onTrouble: (trouble) => {
        if (trouble.kind === 'login') refused = loginReport(trouble.error, new Date());
        logTrouble(log, trouble);
      },
    });
    lifetime.defer('Procore', () => procore.close());

    const login = createLoginWatch({ database, login: procore.login });
    const short = watchShortCalls({ database, log });
    lifetime.defer('short calls', () => short.close());
    const settings: FetchSettings = {
      database,
      client: procore.client,
      catalogue,
      delayMs: env.FETCH_DELAY_MS,
      ...usualPace,
      deleteCap: env.DELETE_CAP,
      neighbours: createNeighbours(),
      random: Math.random,
      keepsWalks: true,
      retryDeadLettersAfterMs: env.RETRY_DEAD_LETTERS_AFTER_MS,
      onNewsSettled: (companyId, settled) => {
        for (const news of settled) metrics.settled(news, short.wasShort(companyId, news.ms));
      },
      onDeadLetter: ({ id, companyId, projectId, resource, recordId, reason }) =>
        log.warn(
          { dead_letter: id, company_id: companyId, project_id: projectId, resource, record_id: recordId, reason },
          NEW_DEAD_LETTER,
        ),
      driftWatch: createDriftWatch({
        database,
        onNew: (resource, { field, kind, jsonType, exampleRecordId }) =>
          log.info(
            { resource, field, kind, json_type: jsonType, record_id: exampleRecordId },
            kind === 'unknown'
              ? 'Procore sends a field that no column holds; it is in _data'
              : 'Procore does not send a field any more that has a column',
          ),
        onError: (error) => log.warn({ error }, 'records could not be searched for new fields'),
      }),
    };
    const loop = startFetchLoop({
      settings,
      holder,
      concurrency: env.WORKER_CONCURRENCY,
      log,
      canSignIn: login.canSignIn,
      onReport: (batch, report) => {
        metrics.fetched(batch.resource, report);
        const { error, unparked, parked, ...counts } = report;
        for (const { companyId, projectId, resource, reason, detail } of parked) {
          log.warn(
            { company_id: companyId, project_id: projectId, resource, reason, detail },
            'parked until a probe is answered (null stands for all)',
          );
        }
        if (unparked > 0) log.info({ ...keysOf(batch), unparked }, 'what was parked answers again');
        if (error === null) log.info({ ...keysOf(batch), ...counts }, 'fetched a batch');
        else log[counts.outcome === 'wait' ? 'info' : 'warn']({ ...keysOf(batch), ...counts, error }, NOT_WHOLE);
      },
    });
    lifetime.defer('fetch loop', () => loop.close());
    const fills = startFillLoop({ settings, holder, resources, log, canSignIn: login.canSignIn });
    lifetime.defer('fill loop', () => fills.close());
    const everyMs = env.VERIFY_EVERY_MS;
    const verify = startVerifyLoop({ settings, everyMs, holder, log, canSignIn: login.canSignIn });
    lifetime.defer('verify loop', () => verify.close());
    const proofs = everyMs === 0 ? null : startProofSchedule({ database, catalogue, resources, everyMs, holder, log });
    lifetime.defer('proofs', async () => proofs?.close());
    let judge: JudgeLoop | null = null;
    const report = (): WorkerReport => ({
      version: softwareVersion,
      looksAfterHooks: env.WEBHOOK_URL !== undefined && env.CHECK_HOOKS_EVERY_MS !== 0,
      login: refused,
      procoreAheadMs: procore.client.clockAheadMs(),
      told: judge?.told() ?? null,
    });
    const heartbeat = startHeartbeat({ database, holder, report, log });
    lifetime.defer('heartbeat', () => heartbeat.close());

    const hooks = startHooks({
      ...{ env, database, catalogue, resources, holder, log, client: procore.client, secrets: lifetime.secrets },
    });
    lifetime.defer('hooks', async () => hooks?.close());

    const repair = startRepair({ env, database, holder, log, client: procore.client });
    lifetime.defer('repair', () => repair.close());

    const counts = startCountLoop({ database, holder, log });
    lifetime.defer('counts', () => counts.close());

    const retention = startRetentionLoop({ database, holder, log, keepDays: env.KEEP_EVENTS_DAYS });
    lifetime.defer('retention', () => retention.close());

    const upkeep = startUpkeep({ database, url: database.url, holder, log });
    lifetime.defer('upkeep', () => upkeep.close());

    const queue = queueAddress(env);
    const consumer = await configured(queue.variable, () =>
      consumeDeliveries({
        url: queue.url,
        allowVolatile: env.QUEUE_ALLOW_VOLATILE,
        concurrency: env.WORKER_CONCURRENCY,
        record: async (envelope) => {
          const recording = {
            database,
            catalogue,
            selection: { companyIds: env.PROCORE_COMPANY_IDS ?? null, resources },
            delayMs: env.FETCH_DELAY_MS,
            maxWaitMs: usualPace.maxWaitMs,
          };
          const isReport = envelope.kind === 'report';
          const recorded = await (isReport ? recordReport(database, envelope) : recordDelivery(recording, envelope));
          const { trace } = envelope;
          if (!isReport) metrics.recorded(recorded);
          const { event, outcome, reason, newDeadLetter } = recorded;
          if (newDeadLetter !== null) {
            log.warn(
              {
                dead_letter: newDeadLetter,
                trace,
                event_ulid: event?.id,
                resource: event?.resource,
                record_id: event?.recordId,
                reason,
              },
              NEW_DEAD_LETTER,
            );
          }
          log.debug(
            { trace, event_ulid: event?.id, resource: event?.resource, record_id: event?.recordId, outcome, reason },
            isReport ? 'recorded a report of a receiver' : 'recorded a delivery',
          );
        },
        onWarning: (warning) => log.warn(warning),
        onError: (error) => log.error({ error }, 'a delivery could not be recorded; it is tried again'),
      }),
    );
    lifetime.defer('queue', () => consumer.close());

    judge = startJudgeLoop({
      ...{
        database,
        holder,
        log,
        catalogue,
        environment: env.PROCORE_ENVIRONMENT,
        queueDepth: () => consumer.waiting(),
      },
      pace: {
        checkHooksEveryMs: env.CHECK_HOOKS_EVERY_MS,
        repairEveryMs: env.REPAIR_EVERY_MS,
        verifyEveryMs: env.VERIFY_EVERY_MS,
      },
    });
    lifetime.defer('judge', async () => judge?.close());

    const admin = await startAdmin({
      host: env.ADMIN_HOST,
      port: env.ADMIN_PORT,
      registry: createMetricsPage({ registry: metrics.registry, database, judged: () => judge?.judged() ?? null }),
      log,
      ready: async () => {
        const schema = version.problem();
        if (schema === null) await database.pool.query('select 1');
        const queue = schema === null ? await consumer.problems() : [];
        return judgeProcess({ login: procore.login.trouble(), queue, schema }).map(({ message }) => message);
      },
    });
    lifetime.defer('admin server', () => admin.close());
    log.info({ admin_port: admin.port, holder }, 'the worker is ready');
  },
});

function readVersion(): string {
  const file = path.join(import.meta.dirname, '../../../package.json');
  return z.object({ version: z.string() }).parse(JSON.parse(readFileSync(file, 'utf8'))).version;
}

/** What others are to know of it; null: there is none. */
function loginReport(trouble: AuthError | null, now: Date): WorkerReport['login'] {
  return trouble && { reason: trouble.reason, since: now.toISOString(), message: trouble.message };
}

function otherEnvironment(mirrored: string): string {
  return `PROCORE_ENVIRONMENT: the database of DATABASE_URL mirrors ${mirrored}, whose ids mean something else elsewhere: set ${mirrored}, or give each environment a database of its own`;
}

function logTrouble(log: Log, trouble: CallTrouble): void {
  if (trouble.kind === 'login') logLogin(log, trouble.error);
  else if (trouble.kind === 'pause') {
    const { companyId, status, pauseMs } = trouble;
    const about = { company_id: companyId, status, pause_ms: pauseMs };
    log.warn(about, 'Procore allows no more calls for now; the company pauses');
  } else {
    const what =
      trouble.kind === 'budget' ? 'the call budget could not be read' : 'calls could not be counted in the database';
    log.warn({ error: trouble.error }, `${what}; trying again`);
  }
}

function logLogin(log: Log, trouble: AuthError | null): void {
  if (trouble === null) log.info('signing in works again');
  else {
    const level = trouble.reason === 'rejected' ? 'error' : 'warn';
    log[level]({ error: trouble }, 'signing in fails; it is tried again by itself, and events are recorded meanwhile');
  }
}
