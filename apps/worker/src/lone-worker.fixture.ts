import { type AppProcess, startApp } from '@procore-mirror/testing';

/** A worker process beside nothing but its database: Procore is away, and the queue lives in the same Postgres. */
export function startLoneWorker(databaseUrl: string): AppProcess {
  return startApp('worker', {
    DATABASE_URL: databaseUrl,
    PROCORE_CLIENT_ID: 'client',
    PROCORE_CLIENT_SECRET: 'a-client-secret',
    PROCORE_API_URL: 'http://127.0.0.1:1',
    PROCORE_LOGIN_URL: 'http://127.0.0.1:1',
    ADMIN_PORT: '0',
  });
}
