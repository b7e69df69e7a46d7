// Procore answers everything with the same trouble for a while, with twenty batches of each of two resources in hand and edits
// going on: half a minute after a short outage, five minutes after a long one, everything is on its way; it ends right, nothing
// was given up, and the calls since are about those without an outage.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, type Asked, type ScriptedProcore, startScriptedProcore } from '@procore-mirror/testing';
import { expect, test } from 'vitest';
import { aBody, deliver, startScriptedMirror } from './start-mirror.ts';

const PROJECTS = Array.from({ length: 20 }, (_, index) => String(700 + index));
const RECORDS = 10;
const EDIT_EVERY_MS = 2000;
const LONG_SECONDS = 600;
/** To start ten mirrors, to wait for the end of the outage, and for what comes after. */
const LONG_TEST_MS = 2_700_000;
/** Time to fetch what is on its way. */
const FETCHED_WITHIN_SECONDS = 15;

type Outage = { trouble: (answer: Answer) => Answer; seconds: number };

type Seen = {
  /** Since the end of the outage. */
  calls: number;
  /** When each resource in each project had been asked for again, since the end of the outage. */
  onItsWaySeconds: number;
  /** When nothing was pending any more. */
  fetchedSeconds: number;
  /** Calls during the outage. */
  refused: number;
};

/** Locations are listed whole, RFIs are shown one by one. */
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

type Started = {
  /** Everything is edited, and fetched again, with an outage from the edits on, or without. */
  edit: (outage: Outage | null) => Promise<Seen>;
};

/** Starts a mirror of its own and has everything fetched once. `closing` gets what there is to close. */
async function start(closing: AsyncDisposableStack, concurrency: number): Promise<Started> {
  const procore: ScriptedProcore = await startScriptedProcore();
  closing.defer(procore.close);
  let state = 0;
  procore.answer = answerTo(() => state);
  const mirror = await startScriptedMirror('postgres', procore.url);
  closing.defer(mirror.close);
  const { system, database } = mirror;
  await system.startIngest();
  await system.startWorker({ WORKER_CONCURRENCY: String(concurrency) });
  let told = 0;
  const tell = async (number: number) => {
    const project = PROJECTS[Math.floor(number / RECORDS) % PROJECTS.length];
    const index = number % RECORDS;
    const record = { resource_type: index === 0 ? 'RFIs' : 'Locations', resource_id: `${project}00${index}` };
    const body = aBody({ company_id: '1', project_id: project, ...record });
    // Between edits the receiver gives up idle connections, perhaps just when the next event is sent.
    expect(await deliver(system, body, { connection: 'close' })).toBe(204);
    told += 1;
  };
  const tellAll = async () => {
    state += 1;
    for (let number = 0; number < PROJECTS.length * RECORDS; number += 1) await tell(number);
  };

  await tellAll();
  await mirror.untilQuiet(told);

  async function edit(outage: Outage | null): Promise<Seen> {
    const before = procore.asked.length;
    const interception = outage === null ? null : procore.intercept(() => true, outage.trouble);
    const until = performance.now() + (outage?.seconds ?? 0) * 1000;
    await tellAll();
    for (let number = 0; performance.now() + EDIT_EVERY_MS < until; number += 7) {
      await sleep(EDIT_EVERY_MS);
      state += 1;
      await tell(number);
    }
    await sleep(Math.max(0, until - performance.now()));
    interception?.end();
    const ended = performance.now();
    const atEnd = outage === null ? before : procore.asked.length;
    await mirror.untilQuiet(told);
    const fetchedSeconds = (performance.now() - ended) / 1000;
    const { rows } = await database.pool.query(
      `select (select count(*)::int from mirror.dead_letters) as letters,
        (select count(*)::int from mirror.scopes) as parked,
        (select count(*)::int from procore.rfis where subject = $1 and _hidden_at is null) as rfis,
        (select count(*)::int from procore.locations where name = $1 and _hidden_at is null) as locations`,
      [`state ${state}`],
    );
    const right = { letters: 0, parked: 0, rfis: PROJECTS.length, locations: PROJECTS.length * (RECORDS - 1) };
    expect(rows).toEqual([right]);
    const since = procore.asked.slice(atEnd);
    const askedAgain = PROJECTS.flatMap((project) =>
      ['rfis', 'locations'].map((resource) => {
        const found = since.find(({ path }) => path.includes(`/projects/${project}/${resource}`));
        return found?.at ?? Number.POSITIVE_INFINITY;
      }),
    );
    const onItsWaySeconds = (Math.max(...askedAgain) - ended) / 1000;
    return { calls: since.length, onItsWaySeconds, fetchedSeconds, refused: atEnd - before };
  }

  return { edit };
}

async function run(outage: Outage | null): Promise<Seen> {
  await using closing = new AsyncDisposableStack();
  const { edit } = await start(closing, 48);
  return await edit(outage);
}

/** Compares what was seen after an outage with what is usual. */
function expectSoonRight(
  what: string,
  { usual, after, withinSeconds }: { usual: Seen; after: Seen; withinSeconds: number },
): void {
  const times = `on its way after ${after.onItsWaySeconds.toFixed(1)} s, fetched after ${after.fetchedSeconds.toFixed(1)} s`;
  console.log(`${what}: ${times}, ${after.calls} calls (${usual.calls} without), ${after.refused} calls meanwhile`);
  expect(after.refused).toBeGreaterThan(0);
  expect(after.calls).toBeLessThanOrEqual(Math.max(usual.calls * 1.2, usual.calls + 10));
  expect(after.onItsWaySeconds).toBeLessThanOrEqual(withinSeconds);
  expect(after.fetchedSeconds).toBeLessThanOrEqual(withinSeconds + FETCHED_WITHIN_SECONDS);
}

const page = {
  status: 200,
  text: '<html><body>Down for maintenance</body></html>',
  headers: { 'content-type': 'text/html' },
};
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

/** How many calls it takes without an outage. */
let measured: Promise<Seen> | null = null;
function withoutOutage(): Promise<Seen> {
  measured ??= run(null);
  return measured;
}

test.each(troubles.flatMap(([name, trouble]) => [1, 5, 30].map((seconds) => [name, seconds, trouble] as const)))(
  '%s for everything for %i s',
  async (name, seconds, trouble) => {
    const usual = await withoutOutage();
    const after = await run({ trouble, seconds });
    expectSoonRight(`${name} for ${seconds} s`, { usual, after, withinSeconds: 30 });
  },
);

test('each of these for everything for 10 min', { timeout: LONG_TEST_MS }, async () => {
  const usual = await withoutOutage();
  await using closing = new AsyncDisposableStack();
  const started: Started[] = [];
  for (const _ of troubles) started.push(await start(closing, 24));
  // All at once, because they wait most of the time; and each to its end, whatever becomes of the others.
  const runs = await Promise.allSettled(
    troubles.map(async ([name, trouble], index) => {
      const after = await started[index]?.edit({ trouble, seconds: LONG_SECONDS });
      if (after === undefined) throw new Error(`no mirror was started for ${name}`);
      expectSoonRight(`${name} for ${LONG_SECONDS} s`, { usual, after, withinSeconds: 300 });
    }),
  );
  const failures = runs.flatMap((one, index) =>
    one.status === 'rejected' ? [`${troubles[index]?.[0]}: ${one.reason}`] : [],
  );
  expect(failures).toEqual([]);
});
