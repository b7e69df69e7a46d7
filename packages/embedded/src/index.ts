export { freePort, type PostgresServer, startPostgres } from './start-postgres.ts';
