import { isPostgres } from '@procore-mirror/address';
import type { Backend, BackendOptions } from './backend.ts';
import { openPostgresBackend } from './postgres-backend.ts';
import { openRedisBackend } from './redis-backend.ts';

/** Connects to the server that the URL names and checks that it keeps what it acknowledges. */
export function openBackend(options: BackendOptions): Promise<Backend> {
  return isPostgres(options.url) ? openPostgresBackend(options) : openRedisBackend(options);
}
