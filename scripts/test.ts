// `npm test`: format, lint, types, unused code, layers and all tests. Every step runs, so that one run shows everything
// that is wrong; the exit code is 0 only if all of them passed and no test was skipped.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { countTests, slowestFiles } from './test-counts.ts';
import { ensureServers } from './test-servers.ts';

type Step = { name: string; command: string[]; report?: string };
type Done = { name: string; ok: boolean; seconds: number };

const reports = mkdtempSync(path.join(tmpdir(), 'procore-mirror-reports-'));
const reporters = (report: string) => ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
const checkReport = path.join(reports, 'check.json');
const testReport = path.join(reports, 'test.json');
const steps: Step[] = [
  { name: 'format and lint', command: ['biome', 'check', '.'] },
  { name: 'types', command: ['tsc', '--noEmit'] },
  { name: 'unused code', command: ['knip'] },
  { name: 'layers', command: ['vitest', 'run', '--config', '.ci/vitest.check.ts', ...reporters(checkReport)] },
  { name: 'tests', command: ['vitest', 'run', ...reporters(testReport)] },
];

let interrupted = false;
const missing = ensureServers((line) => console.log(line));
if (missing === null) await runAll();
else {
  console.error(missing);
  process.exitCode = 1;
}
rmSync(reports, { recursive: true, force: true });

async function runAll(): Promise<void> {
  const done: Done[] = [];
  for (const step of steps) {
    if (interrupted) return;
    done.push(await run(step));
  }
  const files = [checkReport, testReport].filter((file) => existsSync(file));
  const reported = files.map((file) => readFileSync(file, 'utf8'));
  const counts = countTests(reported);
  if (counts.skipped > 0) done.push({ name: `no test skipped (${counts.skipped} were)`, ok: false, seconds: 0 });
  console.log('');
  for (const { name, ok, seconds } of done)
    console.log(`${ok ? 'passed' : 'FAILED'}  ${name} (${seconds.toFixed(1)} s)`);
  const named = (text: string) => text.replace(`${process.cwd()}/`, '');
  for (const { name, seconds } of slowestFiles(reported, 10)) console.log(`slow    ${named(name)} (${seconds} s)`);
  for (const failure of counts.failures) console.log(`FAILED  ${named(failure)}`);
  console.log(`${counts.passed} passed, ${counts.failed} failed`);
  process.exitCode = done.every(({ ok }) => ok) && counts.failed === 0 ? 0 : 1;
}

async function run({ name, command: [program = '', ...args] }: Step): Promise<Done> {
  console.log(
    `\n── ${name}: ${program} ${args.filter((arg) => !arg.startsWith('--report') && !arg.startsWith('--outputFile')).join(' ')}`,
  );
  const startedAt = performance.now();
  const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const pass = (signal: NodeJS.Signals) => {
    interrupted = true;
    process.exitCode = 130;
    child.kill(signal);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, pass);
  const code = await new Promise<number | null>((resolve) => {
    child.once('error', (error) => {
      console.error(error.message);
      resolve(null);
    });
    child.once('exit', resolve);
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, pass);
  return { name, ok: code === 0, seconds: (performance.now() - startedAt) / 1000 };
}
