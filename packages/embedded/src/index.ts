export { freePort, isFree } from './free-port.ts';
export { type PostgresOptions, type PostgresServer, startPostgres } from './start-postgres.ts';
