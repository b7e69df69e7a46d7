// Procore answers everything with the same trouble for a while, with twenty batches in hand and edits going on: afterwards
// everything is on its way within half a minute, ends right, nothing was given up, and the calls are about those without an outage.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, type Asked, type ScriptedProcore, startScriptedProcore } from '@procore-mirror/testing';
import { afterEach, expect, test } from 'vitest';
import { aBody, deliver, startScriptedMirror } from './start-mirror.ts';

const PROJECTS = Array.from({ length: 20 }, (_, index) => String(700 + index));
const RECORDS = 10;
const ON_ITS_WAY_MS = 30_000;

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Locations are listed whole, RFIs are shown one by one, line items live inside change events. */
function answerTo(state: () => number): (asked: Asked) => Answer {
  return ({ path }) => {
    if (path === '/rest/v1.0/me') return { body: { id: 1 } };
    const id = /\/(\d+)$/.exec(path)?.[1];
    const record = (number: number) => ({ id: number, name: `state ${state()}`, subject: `state ${state()}` });
    if (id !== undefined) return { body: record(Number(id)) };
    const project = Number(/\/projects\/(\d+)\//.exec(path)?.[1] ?? 0);
    const body = Array.from({ length: RECORDS }, (_, index) => record(project * 1000 + index));
    return { body, headers: { total: String(RECORDS), 'per-page': '1000' } };
  };
}

async function run(
  trouble: ((answer: Answer) => Answer) | null,
  seconds: number,
): Promise<{ calls: number; seconds: number }> {
  const procore: ScriptedProcore = await startScriptedProcore();
  closing.push(procore.close);
  let state = 0;
  procore.answer = answerTo(() => state);
  const mirror = await startScriptedMirror('postgres', procore.url);
  closing.push(mirror.close);
  const { system, database } = mirror;
  await system.startIngest();
  await system.startWorker();
  const tell = (project: string, resource: string, index: number) =>
    deliver(
      system,
      aBody({
        company_id: '1',
        project_id: project,
        resource_type: resource,
        resource_id: String(Number(project) * 1000 + index),
      }),
    );
  const tellAll = async () => {
    state += 1;
    for (const project of PROJECTS)
      for (let index = 0; index < RECORDS; index += 1) await tell(project, index === 0 ? 'RFIs' : 'Locations', index);
  };
  await tellAll();
  await mirror.untilQuiet(PROJECTS.length * RECORDS);
  const before = procore.asked.length;
  const outage = trouble === null ? null : procore.intercept(() => true, trouble);
  const until = performance.now() + seconds * 1000;
  await tellAll();
  await sleep(Math.max(0, until - performance.now()));
  outage?.end();
  const ended = performance.now();
  const atEnd = trouble === null ? before : procore.asked.length;
  await mirror.untilQuiet(2 * PROJECTS.length * RECORDS);
  const tookSeconds = (performance.now() - ended) / 1000;
  const { rows } = await database.pool.query(
    `select (select count(*)::int from mirror.dead_letters) as letters,
      (select count(*)::int from mirror.scopes) as parked,
      (select count(*)::int from procore.rfis where subject = 'state 2' and _hidden_at is null) as rfis,
      (select count(*)::int from procore.locations where name = 'state 2' and _hidden_at is null) as locations`,
  );
  const right = { letters: 0, parked: 0, rfis: PROJECTS.length, locations: PROJECTS.length * (RECORDS - 1) };
  expect(rows).toEqual([right]);
  return { calls: procore.asked.length - atEnd, seconds: tookSeconds };
}

const page = { status: 200, body: '<html>', headers: { 'content-type': 'text/html' } };
const troubles: [string, (answer: Answer) => Answer][] = [
  ...[302, 401, 403, 404, 405, 409, 500, 503].map((status): [string, () => Answer] => [
    String(status),
    () => ({ status }),
  ]),
  ['HTML', () => page],
  [
    'resets',
    () => {
      throw new Error('reset');
    },
  ],
];

test.each(troubles.flatMap(([name, trouble]) => [1, 5, 30].map((seconds) => [name, seconds, trouble] as const)))(
  '%s for everything for %i s',
  async (name, seconds, trouble) => {
    const usual = await run(null, 0);
    const after = await run(trouble, seconds);
    console.log(`${name} for ${seconds} s: ${after.calls} calls (${usual.calls}), ${after.seconds.toFixed(1)} s`);
    expect(after.calls).toBeLessThanOrEqual(Math.max(usual.calls * 1.2, usual.calls + 10));
    expect(after.seconds * 1000).toBeLessThan(ON_ITS_WAY_MS + 15_000);
  },
);

/** How long 600 RFIs of ten projects take, beside those of the answers that are sick. */
async function secondsBeside(
  sick: ((asked: Asked) => boolean) | null,
  change: (answer: Answer) => Answer | Promise<Answer>,
) {
  const procore: ScriptedProcore = await startScriptedProcore();
  closing.push(procore.close);
  procore.answer = ({ path }) => {
    const id = /\/rfis\/(\d+)$/.exec(path)?.[1];
    return id === undefined
      ? { body: path.endsWith('/me') ? { id: 1 } : [] }
      : { body: { id: Number(id), subject: 'well' } };
  };
  procore.intercept(
    ({ path }) => !path.endsWith('/me'),
    async (answer) => {
      await sleep(20);
      return answer;
    },
  );
  if (sick !== null) procore.intercept(sick, change);
  const mirror = await startScriptedMirror('postgres', procore.url);
  closing.push(mirror.close);
  const { system, database } = mirror;
  await system.startIngest();
  for (let project = 700; project < 710; project += 1)
    for (let index = 0; index < 60; index += 1) {
      const recordId = String(project * 1000 + index);
      await deliver(
        system,
        aBody({ company_id: '1', project_id: String(project), resource_type: 'RFIs', resource_id: recordId }),
      );
    }
  await deliver(system, aBody({ company_id: '1', project_id: '700', resource_type: 'RFIs', resource_id: '5' }));
  const since = performance.now();
  await system.startWorker({ WORKER_CONCURRENCY: '16' });
  const wellRows = async () => {
    const { rows } = await database.pool.query('select count(*)::int as count from procore.rfis where id >= 1000');
    return rows[0]?.count;
  };
  await expect.poll(wellRows, { timeout: 300_000, interval: 50 }).toBe(600);
  return (performance.now() - since) / 1000;
}

const isSick = ({ path }: Asked) => path.endsWith('/rfis/5');
test.each([
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
  ['hangs for ever', () => new Promise<Answer>(() => {}), 30],
] as [string, (answer: Answer) => Answer | Promise<Answer>, number][])(
  'beside one record that %s, others take about as long as without it',
  async (what, change, timeOut) => {
    const seconds: Record<'without' | 'beside', number[]> = { without: [], beside: [] };
    for (let round = 0; round < 3; round += 1) {
      seconds.without.push(await secondsBeside(null, change));
      seconds.beside.push(await secondsBeside(isSick, change));
    }
    const median = (all: number[]) => all.toSorted((a, b) => a - b)[1] ?? 0;
    console.log(
      `${what}: ${median(seconds.beside).toFixed(1)} s beside it, ${median(seconds.without).toFixed(1)} s without`,
    );
    expect(median(seconds.beside)).toBeLessThanOrEqual(1.3 * median(seconds.without) + timeOut);
  },
);
