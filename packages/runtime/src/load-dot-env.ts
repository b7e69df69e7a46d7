import path from 'node:path';
import { loadEnvFile } from 'node:process';
import { ConfigError } from './errors.ts';

/** Adds the variables of `.env` in this directory, if there is one, to the process; what is set already wins. */
export function loadDotEnv(directory: string): void {
  const file = path.join(directory, '.env');
  try {
    loadEnvFile(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'not readable';
    if (code !== 'ENOENT') throw new ConfigError([`${file} cannot be read (${code})`], { cause: error });
  }
}
