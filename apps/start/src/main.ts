import path from 'node:path';
import { loadDotEnv, runMain } from '@procore-mirror/runtime';
import { start } from './start.ts';

const root = path.resolve(import.meta.dirname, '../../..');

await runMain({
  name: 'start',
  about:
    'Runs the whole mirror on this machine: Postgres, receiver and worker, and without credentials a simulated Procore.',
  start: async (lifetime) => {
    loadDotEnv(root);
    await start({
      env: process.env,
      directory: path.join(root, '.data'),
      lifetime,
      terminal: {
        isTerminal: process.stdout.isTTY === true,
        columns: () => process.stdout.columns || 80,
        write: (text) => process.stdout.write(text),
      },
    });
  },
});
