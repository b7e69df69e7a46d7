import { runMain } from '@procore-mirror/runtime';
import { createSimulator } from './create-simulator.ts';
import { simulatorOptions } from './env.ts';

await runMain({
  name: 'simulator',
  about: 'A Procore of our own, for tests and demonstrations.',
  start: async ({ defer }) => {
    const simulator = await createSimulator({
      ...simulatorOptions(process.env),
      onError: (error) => process.stderr.write(`simulator: its state could not be kept: ${String(error)}\n`),
    });
    defer('simulator', simulator.close);
    process.stdout.write(`${JSON.stringify({ url: simulator.url })}\n`);
  },
});
