export { AddressError } from './errors.ts';
export { keepSessions, poolerProblem } from './keep-sessions.ts';
export { passwordsIn, signInOf, withoutPasswords } from './passwords.ts';
export { type PostgresAddress, readPostgresAddress } from './postgres-address.ts';
export { type RedisAddress, readRedisAddress } from './redis-address.ts';
export { isPostgres, serverOf } from './show-address.ts';
