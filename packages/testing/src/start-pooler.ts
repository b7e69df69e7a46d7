import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '@procore-mirror/embedded';
import pg from 'pg';

/** A CA, and a certificate and key of its for `localhost`. */
export const certificates = Object.fromEntries(
  ['ca.pem', 'server.pem', 'server.key'].map((name) => [name, path.join(import.meta.dirname, '../fixtures', name)]),
) as Record<'ca.pem' | 'server.pem' | 'server.key', string>; // these names

export type Pooler = { url: string; close: () => Promise<void> };

/**
 * A PgBouncer before the database of this URL. Its `url` leads to the same database, and signs in as the same user. `settings` are
 * lines of its section `[pgbouncer]`. As it comes, it refuses start-up parameters that it does not know.
 */
export async function startPooler(options: {
  url: string;
  mode: 'session' | 'transaction' | 'statement';
  settings?: readonly string[];
}): Promise<Pooler> {
  const target = new URL(options.url);
  const directory = await mkdtemp(path.join(tmpdir(), 'procore-mirror-pooler-'));
  await chmod(directory, 0o755);
  const port = await freePort();
  const quoted = (text: string) => `'${decodeURIComponent(text).replaceAll("'", "''")}'`;
  const [server, user, password] = [target.hostname, target.username, target.password].map(quoted);
  const config = [
    '[databases]',
    `* = host=${server} port=${target.port} user=${user} password=${password}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = any',
    `pool_mode = ${options.mode}`,
    'default_pool_size = 40',
    ...(options.settings ?? []),
  ];
  const file = path.join(directory, 'pgbouncer.ini');
  await writeFile(file, `${config.join('\n')}\n`, { mode: 0o644 });
  // It refuses to run as root; 65534 is nobody everywhere.
  const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  const env = { PATH: `${process.env.PATH}:/usr/sbin` };
  const child = spawn('pgbouncer', [file], { ...nobody, env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const url = Object.assign(new URL(options.url), { port: String(port) }).href;
  const pooler = { url, close: () => close(child, directory) };
  try {
    await answers(child, url, () => said);
  } catch (error) {
    await pooler.close();
    throw error;
  }
  return pooler;
}

async function answers(child: ChildProcess, url: string, said: () => string): Promise<void> {
  const failed = once(child, 'error').then(([error]) => {
    throw new Error('PgBouncer is needed for the tests; on Debian: apt-get install -y pgbouncer', { cause: error });
  });
  failed.catch(() => {}); // it may fail when nobody waits any more
  const { port } = new URL(url);
  for (let tries = 0; ; tries += 1) {
    const client = new pg.Client({ host: '127.0.0.1', port: Number(port), user: 'any', database: 'pgbouncer' });
    client.on('error', () => {});
    try {
      await Promise.race([client.connect(), failed]);
      await client.end();
      return;
    } catch (error) {
      // An answer of any kind will do: it listens.
      if (error instanceof pg.DatabaseError) return;
      if (tries === 200 || child.exitCode !== null)
        throw new Error(`PgBouncer did not start: ${said()}`, { cause: error });
    }
    await Promise.race([sleep(25), failed]);
  }
}

async function close(child: ChildProcess, directory: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await rm(directory, { recursive: true, force: true });
}
