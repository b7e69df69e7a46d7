// How many records a second the worker stores, next to two other ways to write the same rows into the same tables, each
// table empty at first and with all its indexes: COPY of rows that are in COPY's text form already, and one upsert per row.
// `node packages/mirror/bench/store.bench.ts [--json] [--rounds n] [--only kind]`
import { mkdtemp, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { catalogue } from '@procore-mirror/catalogue';
import {
  inTransaction,
  type MirroredTable,
  migrateDatabase,
  openDatabase,
  storeRecords,
  takeVersion,
} from '@procore-mirror/database';
import { startPostgres } from '@procore-mirror/embedded';
import { from, to } from 'pg-copy-streams';
import { type Inside, makeRecord } from './make-page.ts';
import { type Upsert, upsert } from './upsert.ts';

/** What a list sends: records of one resource, some with those of another inside. */
type Kind = { table: MirroredTable; inside: Inside | null };
type Page = Kind & { json: string; records: number; copied: { table: MirroredTable; text: Buffer }[] };
type Way = {
  name: string;
  pages: 'large' | 'small' | 'odd';
  write: (page: Page, version: string) => Promise<void>;
  /** On top of what the way before wrote. */
  isAgain?: true;
  /** Without the triggers that keep counts (docs/decisions/031-counters.md). */
  isUncounted?: true;
};
type Measured = {
  what: string;
  columns: number;
  how: string;
  perSecond: number;
  ofCopy: number;
  ofUpsert: number;
  timesStored: number;
  /** NaN: it is not written without counts, too. */
  ofUncounted: number;
};

const companyId = '562949953425831';
const projectId = '562949953421320';
/** Row by row it takes so long that fewer must do. */
const sizes = {
  large: { pages: 3, records: 1000, isOdd: false },
  odd: { pages: 3, records: 1000, isOdd: true },
  small: { pages: 1, records: 200, isOdd: false },
};

const { values } = parseArgs({
  options: { json: { type: 'boolean' }, rounds: { type: 'string', default: '5' }, only: { type: 'string' } },
});
const rounds = Number(values.rounds);
const tableOf = (resource: string) => catalogue.get(resource).table;
const kinds: readonly Kind[] = [
  { table: tableOf('Locations'), inside: null },
  { table: tableOf('RFIs'), inside: null },
  { table: tableOf('Purchase Order Contract Line Items'), inside: null },
  {
    table: tableOf('Change Events'),
    inside: { table: tableOf('Change Event Line Items'), field: 'change_items', each: 3 },
  },
];
const counted: readonly Way[] = [
  { name: 'stored', pages: 'large', write: store },
  { name: 'stored again, each a newer state', pages: 'large', write: store, isAgain: true },
];
const uncounted = counted.map((way): Way => ({ ...way, name: `${way.name}, not counted`, isUncounted: true }));
const others: readonly Way[] = [
  { name: 'stored, one value of each page does not fit', pages: 'odd', write: store },
  { name: 'COPY', pages: 'large', write: copy },
  { name: 'upsert per row, a transaction each', pages: 'small', write: upsertEach },
  { name: 'upsert per row, one transaction', pages: 'small', write: upsertTogether },
];

// Not under the home of root: the user that Postgres runs as must be able to enter every parent directory.
const directory = await mkdtemp('/tmp/procore-mirror-bench-');
const server = await startPostgres({ directory });
const url = server.url('postgres');
const database = openDatabase({ url, applicationName: 'bench', max: 1 });
try {
  await migrateDatabase({ url, tables: catalogue.tables });
  const measured: Measured[] = [];
  for (const kind of kinds.filter(({ table }) => table.resource.includes(values.only ?? ''))) {
    measured.push(...(await measureInTurn(kind)));
  }
  if (values.json) console.log(JSON.stringify({ rounds, sizes, measured }));
  else console.table(measured.map(inWords));
} finally {
  await database.close();
  await server.close();
  await rm(directory, { recursive: true, force: true });
}

/** In turn, several times, because what else the machine does at the moment must not hit one of them only. */
async function measureInTurn(kind: Kind): Promise<Measured[]> {
  const pages = {
    large: await makePages(kind, sizes.large),
    odd: await makePages(kind, sizes.odd),
    small: await makePages(kind, sizes.small),
  };
  const results = [...counted, ...uncounted, ...others].map((way) => ({ way, rates: [] as number[] }));
  for (let round = 0; round <= rounds; round += 1) {
    // Each of the two goes first as often as the other.
    const order = round % 2 === 0 ? [...counted, ...uncounted, ...others] : [...uncounted, ...counted, ...others];
    for (const { way, rates } of order.flatMap((next) => results.filter((result) => result.way === next))) {
      if (way.isAgain !== true) await empty(kind);
      await database.pool.query(`set session_replication_role = ${way.isUncounted ? 'replica' : 'origin'}`);
      const rate = await rateOf(way, pages[way.pages]);
      await database.pool.query('reset session_replication_role');
      if (round > 0) rates.push(rate); // the first one warms
    }
  }
  const ratesOf = (write: Way['write']) => results.find(({ way }) => way.write === write)?.rates ?? [];
  return results.map(({ way, rates }) => ({
    what: tablesOf(kind)
      .map(({ resource }) => resource)
      .join(', '),
    columns: kind.table.columns.length,
    how: way.name,
    perSecond: median(rates),
    ofCopy: medianRatio(rates, ratesOf(copy)),
    ofUpsert: medianRatio(rates, ratesOf(upsertEach)),
    timesStored: medianRatio(ratesOf(store), rates),
    ofUncounted: medianRatio(
      rates,
      results.find((other) => other.way.name === `${way.name}, not counted`)?.rates ?? [],
    ),
  }));
}

async function rateOf({ write }: Way, pages: readonly Page[]): Promise<number> {
  let records = 0;
  let took = 0;
  for (const page of pages) {
    const version = await takeVersion(database); // the worker does it before its request
    const since = performance.now();
    await write(page, version);
    took += performance.now() - since;
    records += page.records;
  }
  return (records * 1000) / took;
}

async function makePages(kind: Kind, size: (typeof sizes)[keyof typeof sizes]): Promise<Page[]> {
  const pages: Page[] = [];
  for (let number = 0; number < size.pages; number += 1) pages.push(await makePage(kind, number, size));
  return pages;
}

/** The rows for COPY are those that storing the page makes. */
async function makePage(
  kind: Kind,
  number: number,
  { records, isOdd }: (typeof sizes)[keyof typeof sizes],
): Promise<Page> {
  const parents = records / (1 + (kind.inside?.each ?? 0));
  const ids = Array.from({ length: parents }, (_, index) => 562949953000000 + number * parents + index);
  const made = ids.map((id) => makeRecord(kind.table, id, kind.inside));
  if (isOdd) Object.assign(made[Math.floor(parents / 2)] ?? {}, oddValue(kind));
  const json = JSON.stringify(made);
  const page: Page = { ...kind, json, records, copied: [] };
  await empty(kind);
  await store(page, await takeVersion(database));
  for (const table of tablesOf(kind)) {
    const text = await inTransaction(database, (client) =>
      buffer(client.query(to(`copy procore.${table.name} to stdout`))),
    );
    page.copied.push({ table, text });
  }
  return page;
}

/** A value that some column of the table does not take. */
function oddValue({ table }: Kind): Record<string, string> {
  const column = table.columns.find(({ type }) => type === 'date' || type === 'timestamptz');
  return column === undefined ? {} : { [column.name]: 'tomorrow' };
}

function tablesOf({ table, inside }: Kind): MirroredTable[] {
  return inside === null ? [table] : [table, inside.table];
}

async function empty(kind: Kind): Promise<void> {
  for (const { name } of tablesOf(kind)) await database.pool.query(`truncate procore.${name}`);
}

/** As the worker does it. */
async function store({ table, inside, json }: Page, version: string): Promise<void> {
  const answer = {
    companyId,
    projectId,
    version,
    json: Buffer.from(json),
    wrapper: 'none',
    parentId: null,
    only: null,
  } as const;
  await inTransaction(database, async (client) => {
    await storeRecords(client, { ...answer, table });
    if (inside === null) return;
    await storeRecords(client, { ...answer, table: inside.table, embedded: { field: inside.field } });
  });
}

async function copy({ copied }: Page): Promise<void> {
  await inTransaction(database, async (client) => {
    for (const { table, text } of copied) {
      await pipeline(Readable.from([text]), client.query(from(`copy procore.${table.name} from stdin`)));
    }
  });
}

/** As programs commonly do it. */
async function upsertEach(page: Page, version: string): Promise<void> {
  for (const statement of upsertsOf(page, version)) await database.pool.query(statement);
}

async function upsertTogether(page: Page, version: string): Promise<void> {
  await inTransaction(database, async (client) => {
    for (const statement of upsertsOf(page, version)) await client.query(statement);
  });
}

function* upsertsOf({ table, inside, json }: Page, version: string): Generator<Upsert> {
  const scope = { companyId, projectId, version };
  for (const record of JSON.parse(json)) {
    yield upsert(table, record, null, scope);
    if (inside === null) continue;
    for (const child of record[inside.field]) yield upsert(inside.table, child, record.id, scope);
  }
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

function medianRatio(numbers: readonly number[], others: readonly number[]): number {
  return median(numbers.map((number, index) => number / (others[index] ?? Number.NaN)));
}

function inWords(measured: Measured): Record<string, string | number> {
  return {
    what: measured.what,
    columns: measured.columns,
    how: measured.how,
    'records per second': Math.round(measured.perSecond),
    'of COPY': measured.ofCopy.toFixed(2),
    'of upsert per row': measured.ofUpsert.toFixed(1),
    'times as long as stored': measured.timesStored.toFixed(2),
    'of not counted': measured.ofUncounted.toFixed(2),
  };
}
