import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import type {} from './global-setup.ts';

export type TestDatabase = { url: string; pool: pg.Pool; drop: () => Promise<void> };

/** What databases are copies of; made once in a run by whoever needs it first. */
export type Template = {
  /** The same name stands for the same content. */
  name: string;
  /** Fills an empty database; has no connection to it afterwards. */
  make: (url: string) => Promise<unknown>;
};

/**
 * A database of its own, empty or a copy, on the newest or the oldest Postgres we support; `drop` it when done. Its files are copied, for half
 * of the time that it takes to write them to the log.
 */
export async function createTestDatabase(
  version: 'postgres18' | 'postgres15' = 'postgres18',
  template?: Template,
): Promise<TestDatabase> {
  const serverUrl = inject('servers')[version];
  const name = `test_${randomBytes(6).toString('hex')}`;
  await onServer(serverUrl, async (client) => {
    if (template !== undefined) await makeOnce(client, serverUrl, template);
    await client.query(`create database ${name} template ${template?.name ?? 'template1'} strategy file_copy`);
  });
  const url = urlOf(serverUrl, name);
  const pool = new pg.Pool({ connectionString: url, max: 10 });
  pool.on('error', () => {}); // dropping the database ends idle connections
  return {
    url,
    pool,
    drop: async () => {
      await pool.end();
      await onServer(serverUrl, (client) => client.query(`drop database if exists ${name} with (force)`));
    },
  };
}

/** Files of tests run side by side: one makes it, the others wait. One that was killed meanwhile leaves nothing that counts. */
async function makeOnce(client: pg.Client, serverUrl: string, { name, make }: Template): Promise<void> {
  const isMade = async () =>
    (await client.query('select from pg_database where datname = $1 and datistemplate', [name])).rowCount === 1;
  if (await isMade()) return;
  await client.query('select pg_advisory_lock(1)');
  try {
    if (await isMade()) return;
    await client.query(`drop database if exists ${name} with (force)`);
    await client.query(`create database ${name}`);
    await make(urlOf(serverUrl, name));
    await client.query(`alter database ${name} with is_template true allow_connections false`);
  } finally {
    await client.query('select pg_advisory_unlock(1)');
  }
}

function urlOf(serverUrl: string, name: string): string {
  return Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href;
}

async function onServer(url: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
