// How much memory a worker takes, start to end a process of its own, while lists and records come that are far larger than
// usual. Sizes are MB of 1,000,000 bytes; what the kernel says of the process (resident, and its highest) are MiB.
// `node apps/worker/bench/memory.bench.ts [--json] [--only words]`
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { catalogue } from '@procore-mirror/catalogue';
import { inTransaction, markPending, migrateDatabase, openDatabase } from '@procore-mirror/database';
import { startPostgres } from '@procore-mirror/embedded';
import { prepareProduct } from '@procore-mirror/testing';
import { type LargeAnswers, startLargeAnswers } from './large-answers.ts';

/** `batches` at once, each a listing of `pages` with `records` of so many bytes; one record alone is shown, not listed. */
type Load = LargeAnswers & { what: string; batches: number; bound: number | null };

type Measured = { what: string; bound: number | null; idle: number; highest: number; after: number; seconds: number };

const GIVE_UP_AFTER_MS = 10 * 60_000;
const page15 = { batches: 16, pages: 3, records: 1000, recordBytes: 15_000, bound: 300 };
const page60 = { batches: 16, pages: 1, records: 1000, recordBytes: 60_000, bound: null };
const loads: readonly Load[] = [
  { ...page15, what: '16 listings, pages of 15 MB, with Content-Length', isChunked: false },
  { ...page15, what: '16 listings, pages of 15 MB, chunked', isChunked: true },
  { ...page15, what: '16 listings, pages of 3 MB', pages: 10, recordBytes: 3_000, isChunked: false },
  { ...page60, what: '16 listings, pages of 60 MB, with Content-Length', isChunked: false },
  { ...page60, what: '16 listings, pages of 60 MB, chunked', isChunked: true },
  {
    ...{ what: 'one record of 60 MB, with Content-Length', batches: 1, pages: 1, records: 1, recordBytes: 60_000_000 },
    ...{ bound: 500, isChunked: false },
  },
  {
    ...{ what: 'one record of 60 MB, chunked', batches: 1, pages: 1, records: 1, recordBytes: 60_000_000 },
    ...{ bound: 500, isChunked: true },
  },
];

const { values } = parseArgs({ options: { json: { type: 'boolean' }, only: { type: 'string' } } });

// Not under the home of root: the user that Postgres runs as must be able to enter every parent directory.
const directory = await mkdtemp('/tmp/procore-mirror-bench-');
const server = await startPostgres({ directory, throwaway: true, settings: ['shared_buffers=128MB'] });
const url = server.url('postgres');
const database = openDatabase({ url, applicationName: 'bench', max: 2 });
try {
  await migrateDatabase({ url, tables: catalogue.tables });
  const measured: Measured[] = [];
  for (const load of loads.filter(({ what }) => what.includes(values.only ?? ''))) measured.push(await measure(load));
  if (values.json) console.log(JSON.stringify(measured));
  else console.table(measured.map(inWords));
  if (measured.some(({ highest, bound }) => bound !== null && highest > bound)) process.exitCode = 1;
} finally {
  await database.close();
  await server.close();
  await rm(directory, { recursive: true, force: true });
}

async function measure(load: Load): Promise<Measured> {
  const procore = await startLargeAnswers(load);
  const product = await prepareProduct({ databaseUrl: url, queueUrl: url, procoreUrl: procore.url, fetchDelayMs: 0 });
  try {
    const worker = await product.startWorker();
    const pid = String((await worker.line('holder')).holder).split('/')[1] ?? '';
    await sleep(2000);
    const idle = (await memoryOf(pid)).resident;
    await makePending(load);
    const since = performance.now();
    await untilStored(load, product.output);
    const seconds = (performance.now() - since) / 1000;
    const { highest } = await memoryOf(pid);
    await sleep(5000);
    const { resident: after } = await memoryOf(pid);
    return { what: load.what, bound: load.bound, idle, highest, after, seconds };
  } finally {
    await product.close();
    await procore.close();
    await database.pool.query('truncate procore.tasks, mirror.pending, mirror.batches');
  }
}

/** What each worker is to fetch: more records than pages, so that the listing is cheapest, or the one there is. */
async function makePending({ batches, pages, records }: Load): Promise<void> {
  const wanted = Math.min(records, 10 * pages);
  const news = Array.from({ length: batches }, (_, batch) => batch).flatMap((batch) =>
    Array.from({ length: wanted }, (_, index) => ({
      // One company alone gets no more than a part of a worker.
      companyId: batch % 2 === 0 ? '101' : '102',
      projectId: String(1001 + batch),
      resource: 'Tasks',
      recordId: String((1001 + batch) * 1_000_000 + index),
      parentId: null,
      isDelete: false,
      isRelative: false,
    })),
  );
  const note = { news, lane: 'live', pace: { delayMs: 0, maxWaitMs: 60_000 } } as const;
  await inTransaction(database, (client) => markPending(client, note));
}

async function untilStored({ batches, pages, records }: Load, output: () => string): Promise<void> {
  const until = Date.now() + GIVE_UP_AFTER_MS;
  for (;;) {
    const { rows } = await database.pool.query<{ stored: number; open: number }>(
      `select (select count(*)::int from procore.tasks where _complete) as stored,
        (select count(*)::int from mirror.pending) as open`,
    );
    const [{ stored, open } = { stored: 0, open: 1 }] = rows;
    if (stored === batches * pages * records && open === 0) return;
    if (Date.now() > until)
      throw new Error(`${stored} records are stored, ${open} are open:\n${output().slice(-5000)}`);
    await sleep(100);
  }
}

async function memoryOf(pid: string): Promise<{ resident: number; highest: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const mebibytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024;
  return { resident: mebibytes('VmRSS'), highest: mebibytes('VmHWM') };
}

function inWords({ what, bound, idle, highest, after, seconds }: Measured): Record<string, string | number> {
  return {
    what,
    'idle, MiB': Math.round(idle),
    'at most, MiB': Math.round(highest),
    bound: bound ?? '',
    '5 s later': Math.round(after),
    seconds: Math.round(seconds),
  };
}
