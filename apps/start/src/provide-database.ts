import { existsSync } from 'node:fs';
import { startPostgres } from '@procore-mirror/embedded';
import type { Lifetime } from '@procore-mirror/runtime';
import type { Crew } from './crew.ts';
import type { DataDirectory } from './data-directory.ts';
import type { Wanted } from './env.ts';

type Options = {
  wanted: Wanted;
  data: DataDirectory;
  lifetime: Lifetime;
  crew: Crew;
  say: (line: string) => void;
};

/** The configured database, else one on the embedded Postgres, which then runs as long as we do. Returns its URL. */
export async function provideDatabase({ wanted, data, lifetime, crew, say }: Options): Promise<string> {
  if (wanted.isReal && wanted.env.DATABASE_URL !== undefined) return wanted.env.DATABASE_URL;
  say('Postgres: starting');
  const server = await startPostgres({ directory: data.postgres });
  let isClosing = false;
  lifetime.defer('Postgres', async () => {
    isClosing = true;
    await server.close();
  });
  void server.ended.then(() => {
    if (!isClosing) crew.fail(new Error(`Postgres has ended; its log is ${data.postgres}/postgres.log`));
  });
  // Two databases, lest a simulated company and a real one ever meet.
  const name = wanted.isReal ? 'mirror' : 'simulated';
  // Without the company that it was a mirror of, its rows would be of nobody.
  if (!wanted.isReal && !existsSync(data.company)) await server.dropDatabase(name);
  await server.createDatabase(name);
  return server.url(name);
}
