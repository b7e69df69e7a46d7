import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'vitest';

const apps = path.join(import.meta.dirname, '../..');
/** All that are no commands: these are configured by their environment alone. */
const names = readdirSync(apps).filter((name) => name !== 'cli');

async function run(name: string, args: string[]) {
  const main = path.join(apps, name, 'src/main.ts');
  const child = spawn(process.execPath, [main, ...args], { env: { PATH: process.env.PATH }, cwd: '/tmp' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}

test.concurrent.for(names)('%s says what it is when it is asked, and refuses arguments', async (name, { expect }) => {
  const [asked, given] = await Promise.all([run(name, ['--help']), run(name, ['--', 'nonsense'])]);
  expect(asked).toEqual({ code: 0, stdout: expect.stringMatching(/^\S.+\. It takes no arguments\./), stderr: '' });
  expect(given).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringMatching(`^${name}: it takes no arguments`),
  });
  expect(given.stderr).toContain('"nonsense"');
});
