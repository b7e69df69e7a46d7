// One record, one resource in twenty projects, or one company of three is in trouble for good: how long do 600 other records take,
// compared with a run in which all is well?
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, type Asked, type ScriptedProcore, startScriptedProcore } from '@procore-mirror/testing';
import { describe, expect, test } from 'vitest';
import { aBody, deliver, startScriptedMirror } from './start-mirror.ts';

type Place = { company: string; project: number };
type Sickness = {
  /** The answers that fail. */
  isSick: (asked: Asked) => boolean;
  /** What is pending of it, before the others are. */
  news: (Place & { resource: string; id: number })[];
  /** Ten batches of others. */
  others: Place[];
};

const RECORDS_OF_A_BATCH = 60;
const ROUNDS = 3;
const LATENCY_MS = 20;

const projects = (company: string, first: number, count: number): Place[] =>
  Array.from({ length: count }, (_, index) => ({ company, project: first + index }));
const recordsOf = (places: Place[], resource: string, count: number): Sickness['news'] =>
  places.flatMap((place) =>
    Array.from({ length: count }, (_, index) => ({ ...place, resource, id: place.project * 1000 + index })),
  );

const sicknesses: Record<string, Sickness> = {
  'one record': {
    isSick: ({ path }) => path.endsWith('/rfis/5'),
    news: [{ company: '1', project: 700, resource: 'RFIs', id: 5 }],
    others: projects('1', 700, 10),
  },
  'one resource in 20 projects': {
    isSick: ({ path }) => path.includes('/locations'),
    news: recordsOf(projects('1', 700, 20), 'Locations', 10),
    others: projects('1', 700, 10),
  },
  'one company of three': {
    isSick: ({ companyId }) => companyId === '3',
    news: recordsOf(projects('3', 720, 10), 'RFIs', 10).concat(recordsOf(projects('3', 720, 10), 'Locations', 10)),
    others: [...projects('1', 700, 5), ...projects('2', 710, 5)],
  },
};

/** Locations are listed whole, RFIs are shown one by one. */
function answerTo({ path }: Asked): Answer {
  if (path.endsWith('/me')) return { body: { id: 1 } };
  const id = /\/(\d+)$/.exec(path)?.[1];
  if (id !== undefined) return { body: { id: Number(id), subject: 'well', name: 'well' } };
  const project = /\/projects\/(\d+)\/locations/.exec(path)?.[1];
  if (project === undefined) return { body: [] };
  return { body: Array.from({ length: 10 }, (_, index) => ({ id: Number(project) * 1000 + index, name: 'well' })) };
}

/** How long the others take from the first call on, in seconds, and how often trouble was met. */
async function timeOthers(
  { isSick, news, others }: Sickness,
  change: ((answer: Answer) => Answer | Promise<Answer>) | null,
): Promise<{ seconds: number; met: number }> {
  await using closing = new AsyncDisposableStack();
  const procore: ScriptedProcore = await startScriptedProcore();
  closing.defer(procore.close);
  procore.answer = answerTo;
  procore.intercept(
    ({ path }) => !path.endsWith('/me'),
    async (answer) => {
      await sleep(LATENCY_MS);
      return answer;
    },
  );
  let met = 0;
  if (change !== null)
    procore.intercept(isSick, (answer) => {
      met += 1;
      return change(answer);
    });
  const mirror = await startScriptedMirror('postgres', procore.url);
  closing.defer(mirror.close);
  const { system, database } = mirror;
  await system.startIngest();
  const tell = ({ company, project, resource, id }: Sickness['news'][number]) =>
    deliver(
      system,
      aBody({ company_id: company, project_id: String(project), resource_type: resource, resource_id: String(id) }),
    );
  for (const place of [null, ...others]) {
    const told = place === null ? news : recordsOf([place], 'RFIs', RECORDS_OF_A_BATCH);
    expect(new Set(await Promise.all(told.map(tell)))).toEqual(new Set([204]));
  }
  const wellRows = async () => {
    const { rows } = await database.pool.query(
      'select count(*)::int as count from procore.rfis where id >= 1000 and company_id = any($1)',
      [others.map(({ company }) => company)],
    );
    return rows[0]?.count;
  };
  await system.startWorker({ WORKER_CONCURRENCY: '16' });
  await expect.poll(wellRows, { timeout: 300_000, interval: 50 }).toBe(others.length * RECORDS_OF_A_BATCH);
  return { seconds: (performance.now() - (procore.asked[0]?.at ?? 0)) / 1000, met };
}

const ways: [string, (answer: Answer) => Answer | Promise<Answer>, number][] = [
  ['503', () => ({ status: 503 }), 0],
  ['500', () => ({ status: 500 }), 0],
  ['403', () => ({ status: 403 }), 0],
  [
    'resets',
    () => {
      throw new Error('reset');
    },
    0,
  ],
  ['hangs', () => new Promise<Answer>(() => {}), 30],
];

describe.each(Object.entries(sicknesses))('beside %s that is sick', (name, sickness) => {
  test.each(ways)('with %s, others take about as long as without it', async (way, change, timeOutSeconds) => {
    const without: number[] = [];
    const beside: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      without.push((await timeOthers(sickness, null)).seconds);
      const { seconds, met } = await timeOthers(sickness, change);
      expect(met).toBeGreaterThan(0);
      beside.push(seconds);
    }
    const [usual, seen] = [median(without), median(beside)];
    console.log(`${name}, ${way}: ${seen.toFixed(1)} s beside it, ${usual.toFixed(1)} s without`, { beside, without });
    expect(seen).toBeLessThanOrEqual(1.3 * usual + timeOutSeconds);
  });
});

function median(all: readonly number[]): number {
  return all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? Number.NaN;
}
