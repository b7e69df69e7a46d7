// How many deliveries a second the receiver answers 204, each durably stored, next to an express app that stores nothing:
// (a) the baseline, (b) the receiver on a Redis that syncs every write, (c) the receiver on a Postgres with its defaults.
// `node apps/ingest/bench/ingest.bench.ts [--json] [--seconds n]`, n seconds of load on each.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { startPostgres } from '@procore-mirror/embedded';
import { openDeliveryQueue } from '@procore-mirror/queue';
import { startRedis } from '@procore-mirror/queue/test-servers';
import autocannon from 'autocannon';

const authorization = 'Bearer a-value-that-is-long-enough';
const connections = 16;
const rounds = 5;

type Subject = { name: string; port: number; stored: () => Promise<number | null>; close: () => Promise<void> };
type Round = { answered: number; perSecond: number; p50Ms: number; p99Ms: number };
type Measured = Omit<Round, 'answered'> & { name: string; ratio: number; stored: number | null };

const { values } = parseArgs({ options: { json: { type: 'boolean' }, seconds: { type: 'string', default: '15' } } });
const secondsPerRound = Math.max(1, Math.round(Number(values.seconds) / rounds));
// Not under the home of root: the user that Postgres runs as must be able to enter every parent directory.
const directory = await mkdtemp('/tmp/procore-mirror-bench-');
const subjects: Subject[] = [];
try {
  for (const start of [startBaseline, startOnRedis, startOnPostgres]) subjects.push(await start());
  const measured = await measureInTurn(subjects);
  if (values.json) console.log(JSON.stringify({ connections, rounds, secondsPerRound, measured }));
  else console.table(measured.map(inWords));
} finally {
  for (const subject of subjects) await subject.close();
  await rm(directory, { recursive: true, force: true });
}

/** In turn, several times, because what else the machine does at the moment must not hit one of them only. */
async function measureInTurn(all: readonly Subject[]): Promise<Measured[]> {
  const results = all.map((subject) => ({ subject, rounds: [] as Round[] }));
  for (const { subject } of results) await fire(subject, 2); // warm
  const before = await Promise.all(all.map((subject) => subject.stored()));
  for (let n = 0; n < rounds; n += 1) {
    for (const result of results) result.rounds.push(await fire(result.subject, secondsPerRound));
  }
  const after = await Promise.all(all.map((subject) => subject.stored()));
  const baseline = results[0]?.rounds ?? [];
  return results.map(({ subject, rounds: own }, index) => ({
    name: subject.name,
    perSecond: median(own.map(({ perSecond }) => perSecond)),
    p50Ms: median(own.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(own.map(({ p99Ms }) => p99Ms)),
    ratio: median(own.map(({ perSecond }, n) => perSecond / (baseline[n]?.perSecond ?? Number.NaN))),
    stored: check(subject, own, before[index] ?? null, after[index] ?? null),
  }));
}

/** What was answered under way at the end of a round may be stored and not counted as answered, but never the other way round. */
function check(subject: Subject, own: readonly Round[], before: number | null, after: number | null): number | null {
  if (before === null || after === null) return null;
  const answered = own.reduce((sum, round) => sum + round.answered, 0);
  if (after - before < answered) {
    throw new Error(`${subject.name}: ${answered} were answered 204 and only ${after - before} are stored`);
  }
  return after - before;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

function inWords(measured: Measured): Record<string, string | number> {
  return {
    what: measured.name,
    '204s per second': Math.round(measured.perSecond),
    'p50 ms': measured.p50Ms,
    'p99 ms': measured.p99Ms,
    'of the baseline': measured.ratio.toFixed(2),
    'found stored': measured.stored ?? '–',
  };
}

async function fire(subject: Subject, duration: number): Promise<Round> {
  let number = 0;
  const run = process.hrtime.bigint();
  const result = await autocannon({
    url: `http://127.0.0.1:${subject.port}/webhooks/procore`,
    connections,
    duration,
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    requests: [{ setupRequest }],
  });
  function setupRequest(request: autocannon.Request): autocannon.Request {
    number += 1; // each body is another one, or the queue would fold them into one job
    return { ...request, body: anEvent(`${run}-${number}`) };
  }
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(`${subject.name}: ${result.non2xx} answers other than 204, ${result.errors} errors`);
  }
  const { p50, p99 } = result.latency;
  return { answered: result['2xx'], perSecond: result['2xx'] / result.duration, p50Ms: p50, p99Ms: p99 };
}

function anEvent(id: string): string {
  return `{"id":"${id}","timestamp":"2026-06-01T10:00:00.123456Z","reason":"update","company_id":"562949953425831","project_id":"562949953421320","user_id":"562949953461092","resource_type":"RFIs","resource_id":"562949953567479","payload_version":"v4.0","data":{"links":[{"rel":"self","href":"https://api.procore.com/rest/v1.0/projects/562949953421320/rfis/562949953567479"}]}}`;
}

async function startBaseline(): Promise<Subject> {
  const child = startChild(path.join(import.meta.dirname, 'baseline.ts'), {});
  return {
    name: 'express, JSON parsed, nothing stored',
    port: await portOf(child),
    stored: async () => null,
    close: () => end(child),
  };
}

async function startOnRedis(): Promise<Subject> {
  const redis = await startRedis(['--appendonly', 'yes', '--appendfsync', 'always']);
  return await startReceiver('receiver on Redis, appendfsync always', redis.url, redis.close);
}

async function startOnPostgres(): Promise<Subject> {
  const postgres = await startPostgres({ directory: path.join(directory, 'postgres') });
  return await startReceiver('receiver on Postgres', postgres.url('postgres'), postgres.close);
}

async function startReceiver(name: string, url: string, closeServer: () => Promise<void>): Promise<Subject> {
  const child = startChild(path.join(import.meta.dirname, '../src/main.ts'), {
    QUEUE_URL: url,
    WEBHOOK_AUTHORIZATION: authorization,
    INGEST_HOST: '127.0.0.1',
    INGEST_PORT: '0',
    ADMIN_PORT: '0',
    INGEST_SPOOL_DIR: path.join(directory, 'spool'),
  });
  const port = await portOf(child);
  const queue = await openDeliveryQueue({ url, allowVolatile: false, timeoutMs: 10_000, onWarning: () => {} });
  return {
    name,
    port,
    stored: () => queue.waiting(),
    async close() {
      await queue.close();
      await end(child);
      await closeServer();
    },
  };
}

function startChild(script: string, env: Record<string, string>): ChildProcess {
  return spawn(process.execPath, [script], { env, stdio: ['ignore', 'pipe', 'inherit'] });
}

/** The port that the child names in one of its lines. */
async function portOf(child: ChildProcess): Promise<number> {
  if (child.stdout === null) throw new Error('the child has no output');
  for await (const line of createInterface({ input: child.stdout })) {
    const port = /"port":(\d+)/.exec(line)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error('the child ended before it listened');
}

async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}
