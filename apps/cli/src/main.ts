import { readFileSync } from 'node:fs';
import path from 'node:path';
import { loadDotEnv, runMain } from '@procore-mirror/runtime';
import { mirrorCommand } from './mirror-command.ts';

const root = path.resolve(import.meta.dirname, '../../..');

await runMain({
  name: 'mirror',
  isCommand: true,
  start: (lifetime) => {
    loadDotEnv(root);
    return mirrorCommand(process.argv.slice(2), {
      env: process.env,
      version: JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')).version,
      startFile: path.join(root, '.data/start.env'),
      secrets: lifetime.secrets,
      signal: lifetime.signal,
      write: (text) => process.stdout.write(text),
      writeError: (text) => process.stderr.write(text),
      ...(process.stderr.isTTY && { columns: () => process.stderr.columns }),
    });
  },
});
