export { Counter, Gauge, Histogram, Registry } from 'prom-client';
export { addEnvSecrets } from './add-env-secrets.ts';
export { allConfigured, configured } from './configured.ts';
export { createLog, type Log } from './create-log.ts';
export { createRegistry } from './create-registry.ts';
export {
  adminEnv,
  companiesEnv,
  databaseEnv,
  environmentOf,
  ingestEnv,
  logEnv,
  mirrorEnv,
  pathWarning,
  procoreEnv,
  procoreHosts,
  queueAddress,
  queueEnv,
  WEBHOOK_PATH,
  webhookEnv,
  workerEnv,
} from './environment.ts';
export { ConfigError } from './errors.ts';
export { everyVariable } from './every-variable.ts';
export { fingerprint } from './fingerprint.ts';
export { followEnv } from './follow-env.ts';
export { isLoopback } from './is-loopback.ts';
export { loadDotEnv } from './load-dot-env.ts';
export { printable } from './printable.ts';
export { readEnv } from './read-env.ts';
export { type Lifetime, type MainLifetime, runMain } from './run-main.ts';
export { createSecrets, type Secrets } from './secrets.ts';
export { startAdmin } from './start-admin.ts';
export { tellBuild } from './tell-build.ts';
