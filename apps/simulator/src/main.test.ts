import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));
let child: ChildProcess | undefined;
afterEach(() => {
  child?.kill('SIGKILL');
});

function start(env: Record<string, string>): ChildProcess {
  child = spawn(process.execPath, [main], { env: { ...process.env, SIMULATOR_PORT: '0', ...env } });
  return child;
}

test('the process says where it is, answers, and ends when told to', async () => {
  const running = start({
    SIMULATOR_SEED: '7',
    SIMULATOR_PROJECTS: '1',
    SIMULATOR_CLIENT_ID: 'me',
    SIMULATOR_LIFE: 'on',
    SIMULATOR_SETTINGS: '{"callsPerHour":null}',
  });
  const [line] = await once(running.stdout!, 'data');
  const { url } = JSON.parse(String(line)) as { url: string };
  const body = { grant_type: 'client_credentials', client_id: 'me', client_secret: 'simulator-secret' };
  const answer = await fetch(`${url}/oauth/token`, { method: 'POST', body: new URLSearchParams(body) });
  expect(answer.status).toBe(200);
  const settings = await (await fetch(`${url}/control/settings`)).json();
  expect(settings).toMatchObject({ callsPerHour: null, editsPerMinute: 20 });
  running.kill('SIGTERM');
  const [code] = await once(running, 'exit');
  expect(code).toBe(0);
});

test('every wrong variable is named, and nothing is started', async () => {
  const running = start({ SIMULATOR_LIFE: 'perhaps', SIMULATOR_SETTINGS: '{nonsense', SIMULATOR_COMPANY_ID: 'x' });
  let errors = '';
  running.stderr!.on('data', (part) => {
    errors += part;
  });
  const [code] = await once(running, 'exit');
  expect(code).toBe(2);
  for (const name of ['SIMULATOR_LIFE', 'SIMULATOR_SETTINGS', 'SIMULATOR_COMPANY_ID']) expect(errors).toContain(name);
});
