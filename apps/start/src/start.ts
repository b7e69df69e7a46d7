// `npm start`, from the database up:
//
//   Postgres ─▶ migrate ─▶ ingest ─▶ (simulator) ─▶ hooks ─▶ worker ─▶ backfill ─▶ a live line, until Ctrl-C
import path from 'node:path';
import { type Catalogue, chooseResources, loadCatalogue } from '@procore-mirror/catalogue';
import { migrateDatabase, openSessions } from '@procore-mirror/database';
import {
  addEnvSecrets,
  allConfigured,
  configured,
  type MainLifetime,
  mirrorEnv,
  readEnv,
} from '@procore-mirror/runtime';
import { z } from 'zod';
import { choosePorts, usualPorts } from './choose-ports.ts';
import { connect } from './connect.ts';
import { createCrew } from './crew.ts';
import { openDataDirectory } from './data-directory.ts';
import { type Env, hasCredentials, readWanted, realSchema, simulatedSchema } from './env.ts';
import { introduction } from './introduction.ts';
import { aliveAt, continues } from './last-alive.ts';
import { showLive } from './live-line.ts';
import { provideDatabase } from './provide-database.ts';
import {
  type Ports,
  realSettings,
  type Settings,
  settingsToShare,
  simulatedSettings,
  simulatorSettings,
} from './settings.ts';
import { folded, type Terminal } from './terminal.ts';

type Options = {
  env: Env;
  directory: string;
  lifetime: MainLifetime;
  terminal: Terminal;
  /** Where the parts listen as long as nobody else does; the usual ones when left out. */
  ports?: Ports;
};

/** Runs until the lifetime ends, or throws when something it started has failed; the lifetime then closes the rest. */
export async function start({ env, directory, lifetime, ...options }: Options): Promise<void> {
  const terminal: Terminal = {
    ...options.terminal,
    write: (text) => options.terminal.write(lifetime.secrets.redact(text)),
  };
  const say = (line: string) => terminal.write(`${folded(line, terminal)}\n`);
  const [wanted, catalogue] = await allConfigured(
    () => readWanted(env),
    () => readCatalogue(env),
  );
  if (wanted.isReal) addEnvSecrets(lifetime.secrets, realSchema, wanted.env);
  else addEnvSecrets(lifetime.secrets, simulatedSchema, wanted.env);
  const data = await openDataDirectory(directory);
  const crew = createCrew({ env, data, signal: lifetime.signal });

  const databaseUrl = await provideDatabase({ wanted, data, lifetime, crew, say });
  const directUrl = wanted.isReal ? wanted.env.DATABASE_URL_DIRECT : undefined;
  const sessions = { url: databaseUrl, directUrl, applicationName: 'procore-mirror start', max: 8 };
  const database = await configured('DATABASE_URL', () => openSessions(sessions));
  lifetime.defer('database', () => database.close());
  const { applied } = await migrateDatabase({
    url: database.url,
    tables: catalogue.tables,
    onWait: (line) => say(`Database: ${line}`),
  });
  if (applied.length > 0) say(`Database: ${applied.length} migrations applied`);

  const ports = await choosePorts({ wanted, usual: options.ports ?? usualPorts, say });
  const known = { databaseUrl, remembered: data.remembered, spool: data.spool };
  const settings = wanted.isReal
    ? realSettings({ env, known: wanted.env, ...known })
    : simulatedSettings({ ports, ...known, authorization: wanted.env.WEBHOOK_AUTHORIZATION });
  await data.writeStartEnv(settingsToShare(wanted, settings));

  lifetime.defer('ingest, worker and simulator', () => crew.close());
  await crew.run('ingest', { ...settings, ...admin(ports.ingestAdmin) }, readyUrl(ports.ingestAdmin));
  if (!wanted.isReal) {
    say('Procore: a simulated company at work (set PROCORE_CLIENT_ID for your own)');
    await crew.run('simulator', simulatorSettings(ports, data), `${settings.PROCORE_API_URL}/control/clock`);
  }

  const goesOn = continues(wanted, data.remembered, Date.now());
  // The worker makes hooks, too: what this start did is told here.
  const onHooked = () => crew.run('worker', { ...settings, ...admin(ports.workerAdmin) }, readyUrl(ports.workerAdmin));
  await Promise.race([
    connect({ settings, catalogue, continues: goesOn, database, lifetime, terminal, onHooked }),
    crew.failed,
  ]);

  const rememberAlive = () => data.remember(aliveAt(wanted, Date.now()));
  const alive = setInterval(() => rememberAlive().catch(crew.fail), 60_000);
  lifetime.defer('note of being alive', () => clearInterval(alive));
  await rememberAlive();
  // Not redacted: it shows no password of the operator's, and one that is an everyday word would spoil it.
  options.terminal.write(
    introduction({
      ...{ databaseUrl, isEmbedded: !wanted.isReal || wanted.env.DATABASE_URL === undefined },
      receiver: `http://127.0.0.1:${ports.ingest}/webhooks/procore`,
      procore: wanted.isReal ? (settings.WEBHOOK_URL ?? 'no hooks') : `${settings.PROCORE_API_URL} (simulated)`,
      health: [readyUrl(ports.ingestAdmin), readyUrl(ports.workerAdmin)],
      logs: shortest(path.dirname(data.logFile('worker'))),
    }),
  );
  await Promise.race([showLive({ ...terminal, database, signal: lifetime.signal }), crew.failed]);
}

function readCatalogue(env: Env): Catalogue {
  if (!hasCredentials(env)) return loadCatalogue(undefined);
  const { MIRROR_CATALOGUE: file, MIRROR_RESOURCES: names } = readEnv(z.object(mirrorEnv), env);
  const catalogue = configured('MIRROR_CATALOGUE', () => loadCatalogue(file));
  configured('MIRROR_RESOURCES', () => chooseResources(catalogue, names));
  return catalogue;
}

/** How the path is named from here. */
function shortest(absolute: string): string {
  const relative = path.relative('', absolute);
  return relative.length < absolute.length ? relative : absolute;
}

function admin(port: number): Settings {
  return { ADMIN_HOST: '127.0.0.1', ADMIN_PORT: String(port) };
}

function readyUrl(adminPort: number): string {
  return `http://127.0.0.1:${adminPort}/readyz`;
}
