import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { freePort } from '@procore-mirror/embedded';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runApp } from './run-app.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp('/tmp/procore-mirror-run-');
});

afterEach(() => rm(directory, { recursive: true }));

async function simulator(env: Record<string, string>) {
  const port = await freePort();
  const app = runApp({
    name: 'simulator',
    env: { PATH: process.env.PATH, SIMULATOR_PORT: String(port), SIMULATOR_PROJECTS: '0', ...env },
    logFile: path.join(directory, 'simulator.log'),
    readyUrl: `http://127.0.0.1:${port}/control/clock`,
    signal: AbortSignal.timeout(60_000),
  });
  return { port, app };
}

test('an app that does not start is reported in its own words', async () => {
  const { app } = await simulator({ SIMULATOR_SEED: 'x' });
  await expect(app).rejects.toThrow(/simulator has ended \(exit code 2\):\n.*SIMULATOR_SEED/);
});

test('an app is ready when it answers, and gone when it is closed, which is no failure', async () => {
  const { port, app } = await simulator({});
  const { close, failed } = await app;
  let hasFailed = false;
  failed.catch(() => {
    hasFailed = true;
  });
  await close();
  await expect(fetch(`http://127.0.0.1:${port}/control/clock`)).rejects.toThrow();
  expect(hasFailed).toBe(false);
});
