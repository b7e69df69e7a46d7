import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import type {} from './global-setup.ts';

export type TestDatabase = { url: string; pool: pg.Pool; drop: () => Promise<void> };

/** A database of its own, empty, on the newest or the oldest Postgres we support; `drop` it when done. */
export async function createTestDatabase(version: 'postgres18' | 'postgres15' = 'postgres18'): Promise<TestDatabase> {
  const serverUrl = inject('servers')[version];
  const name = `test_${randomBytes(6).toString('hex')}`;
  await onServer(serverUrl, `create database ${name}`);
  const url = Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href;
  const pool = new pg.Pool({ connectionString: url, max: 10 });
  pool.on('error', () => {}); // dropping the database ends idle connections
  return {
    url,
    pool,
    drop: async () => {
      await pool.end();
      await onServer(serverUrl, `drop database if exists ${name} with (force)`);
    },
  };
}

async function onServer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(statement);
  await client.end();
}
