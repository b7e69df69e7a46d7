// What `npm start` leaves behind in `.data/`: the database, the simulated company, the logs, and what the next start needs to be the same again.
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';

const remembered = z.object({
  /** Authorization value of our hooks, when none is configured. */
  webhookAuthorization: z.string().min(32),
  /** The simulator's client secret. */
  clientSecret: z.string().min(16),
  /** When the mirror was last seen complete and running, ms epoch. */
  lastAliveAt: z.number().optional(),
  /** The same of that of a simulated company. */
  simulatedLastAliveAt: z.number().optional(),
});

export type Remembered = z.infer<typeof remembered>;

export type DataDirectory = {
  path: string;
  postgres: string;
  spool: string;
  /** The state of the simulated company; no such file: there was none before. */
  company: string;
  logFile: (name: string) => string;
  remembered: Remembered;
  remember: (change: Partial<Remembered>) => Promise<void>;
  /** Says what runs, for the commands that are run beside it. Readable by its owner only: it holds secrets. */
  writeStartEnv: (env: Record<string, string>) => Promise<void>;
};

/** Opens, or makes, the data directory. Throws when what is remembered cannot be read. */
export async function openDataDirectory(directory: string): Promise<DataDirectory> {
  await mkdir(path.join(directory, 'logs'), { recursive: true });
  const file = path.join(directory, 'start.json');
  let current = (await readRemembered(file)) ?? {
    webhookAuthorization: `Bearer ${randomBytes(24).toString('base64url')}`,
    clientSecret: randomBytes(24).toString('base64url'),
  };
  const remember: DataDirectory['remember'] = async (change) => {
    current = { ...current, ...change };
    await writePrivately(file, `${JSON.stringify(current, null, 2)}\n`);
  };
  await remember({});
  return {
    path: directory,
    postgres: path.join(directory, 'postgres'),
    spool: path.join(directory, 'spool'),
    company: path.join(directory, 'simulator.ndjson'),
    logFile: (name) => path.join(directory, 'logs', `${name}.log`),
    get remembered() {
      return current;
    },
    remember,
    writeStartEnv: (env) =>
      writePrivately(
        path.join(directory, 'start.env'),
        Object.entries(env)
          .map(([name, value]) => `${name}=${quoted(value)}\n`)
          .join(''),
      ),
  };
}

/** As `.env` files take it: in whichever quotes the value does not hold. */
function quoted(value: string): string {
  const quote = [`'`, '"', '`'].find((one) => !value.includes(one));
  if (quote === undefined) throw new Error('a setting holds every kind of quote, which no .env file can hold');
  return `${quote}${value}${quote}`;
}

async function readRemembered(file: string): Promise<Remembered | null> {
  try {
    return remembered.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null;
    throw new Error(`${file} cannot be read; start as the user who made it, or remove it`, { cause });
  }
}

async function writePrivately(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text, { mode: 0o600 });
  await rename(`${file}.new`, file);
}
