// The means of a history: deliveries, and runs of workers, of which some stand still.
import { backfillResource } from '../backfill-resource.ts';
import { fetchBatch } from '../fetch-batch.ts';
import { recordDelivery } from '../record-delivery.ts';
import type { FetchSettings } from '../run/fetch-settings.ts';
import { createNeighbours } from '../run/neighbours.ts';
import type { BatchPick, Hold } from './command.ts';
import type { Family } from './families.ts';
import { createResponder, type Responder } from './responder.ts';
import { ScriptedWorld } from './scripted-world.ts';
import type { Stage } from './stage.ts';
import { createRun, settingsOf, type WorkerRun } from './worker-run.ts';
import type { Payload, WorldEvent } from './world-events.ts';

type Work = 'fetch' | 'backfill';

export type Play = Pick<Responder, 'answerNonsense' | 'shiftNextList'> & {
  stage: Stage;
  world: ScriptedWorld;
  /** What happened so far, for who reads of a failure. */
  told: readonly string[];
  tell: (line: string) => void;
  deliver: (event: WorldEvent) => Promise<void>;
  run: (work: Work, batch: BatchPick) => Promise<void>;
  /** Resolves when the run stands still, or has ended without. */
  begin: (work: Work, batch: BatchPick, hold: Hold) => Promise<void>;
  /** Lets runs that stand still go on to their end: one, counted from the oldest, or all, oldest first. */
  finish: (which: number | 'all') => Promise<void>;
  /** Fetches whatever is pending, so many times at most. */
  fetchAll: (rounds: number) => Promise<void>;
  setCalls: (are: 'short' | 'plenty') => Promise<void>;
  /** Lets all runs end. */
  close: () => Promise<void>;
};

/** A fill looks back for a year from here. */
const FILLED_AT = new Date('2026-06-02T00:00:00Z');
const RUN_TIMEOUT_MS = 20_000;

/** Sets the stage for a new history of the family. */
export async function openPlay(stage: Stage, family: Family, payload: Payload): Promise<Play> {
  const { pool } = stage.database;
  await pool.query(emptied(family));
  const world = new ScriptedWorld(family, stage.nextCompany(), payload);
  const settings = settingsFor(stage, family);
  const told: string[] = [];
  const tell = (line: string) => void told.push(`  ${line}`);
  const runs = new Map<number, WorkerRun>();
  const slow: { run: WorkerRun; ended: Promise<unknown> }[] = [];
  const { respond, ...responder } = createResponder(world, runs, tell);
  stage.respond = respond;

  function createNext(hold: Hold | null): WorkerRun {
    const run = createRun(runs.size + 1, hold);
    runs.set(run.number, run);
    return run;
  }

  async function work(kind: Work, { member, projectId, lane }: BatchPick, run: WorkerRun): Promise<void> {
    const entry = family.members[member];
    if (entry === undefined) return;
    const scope = {
      companyId: world.companyId,
      projectId: entry.scope === 'project' ? projectId : null,
      resource: entry.resource,
    };
    const own = settingsOf(run, settings);
    const signal = AbortSignal.timeout(RUN_TIMEOUT_MS);
    world.beginRun(run.number);
    try {
      if (kind === 'fetch') await fetchBatch(own, { ...scope, lane }, signal);
      else await backfillResource(own, scope, { signal, now: FILLED_AT }).catch(unlessProcore);
    } finally {
      world.endRun(run.number);
    }
  }

  const makeReady = () =>
    pool.query('update mirror.pending set ready_at = now(), not_before = null where company_id = $1', [
      world.companyId,
    ]);

  async function deliver(event: WorldEvent): Promise<void> {
    tell(`  delivered: ${event.body}`);
    world.deliver(event);
    const selection = { companyIds: null, resources: null };
    await recordDelivery({ ...settings, selection }, { body: event.body, receivedAt: new Date() });
  }

  async function run(kind: Work, batch: BatchPick): Promise<void> {
    await makeReady();
    await work(kind, batch, createNext(null));
  }

  async function begin(kind: Work, batch: BatchPick, hold: Hold): Promise<void> {
    await makeReady();
    const next = createNext(hold);
    const ended = work(kind, batch, next).then(
      () => null,
      (error: unknown) => error ?? 'it threw nothing',
    );
    slow.push({ run: next, ended });
    await Promise.race([ended, next.gate.reached]);
  }

  async function finish(which: number | 'all'): Promise<void> {
    const chosen = which === 'all' ? slow.splice(0) : slow.splice(which % Math.max(1, slow.length), 1);
    for (const { run: held, ended } of chosen) {
      held.gate.open();
      const error = await ended;
      if (error !== null) throw error;
    }
  }

  async function fetchAll(rounds: number): Promise<void> {
    for (let round = 0; round < rounds; round += 1) {
      await makeReady();
      const { rows } = await pool.query<BatchPick & { resource: string }>(
        `select distinct project_id::text as "projectId", resource, lane from mirror.pending where company_id = $1
          order by lane, "projectId", resource`,
        [world.companyId],
      );
      if (rows.length === 0) return;
      for (const { resource, ...batch } of rows) {
        const member = family.members.findIndex((one) => one.resource === resource);
        await work('fetch', { ...batch, member }, createNext(null));
      }
    }
  }

  const setCalls = async (are: 'short' | 'plenty') => {
    await pool.query('update mirror.budget set remaining = $1', [are === 'plenty' ? 1_000_000 : 1]);
  };

  async function close(): Promise<void> {
    for (const { run: held } of slow) held.gate.open();
    await Promise.all(slow.map(({ ended }) => ended));
    await setCalls('plenty');
  }

  return { ...responder, stage, world, told, tell, deliver, run, begin, finish, fetchAll, setCalls, close };
}

function settingsFor({ database, client }: Stage, { catalogue }: Family): FetchSettings {
  return {
    ...{ database, client, catalogue },
    delayMs: 0,
    maxWaitMs: 60_000,
    absencePauseMs: 0,
    lateEventsMs: 0,
    pageSize: 2,
    parking: { firstPauseMs: 1, longestPauseMs: 1 },
    random: () => 0.5,
    neighbours: createNeighbours(),
    keepsWalks: true,
  };
}

/** Deleting a few rows is quicker than truncating; each history has a company of its own anyway. */
function emptied({ members }: Family): string {
  const mirror = ['events', 'pending', 'batches', 'dead_letters', 'scopes', 'absences', 'walks'].map(
    (name) => `mirror.${name}`,
  );
  const tables = [...mirror, ...members.map(({ table }) => `procore.${table.name}`)];
  return tables.map((name) => `delete from ${name}`).join('; ');
}

/** What Procore answers may end a fill; whoever started it sees that, and starts it again some time. */
function unlessProcore(error: unknown): void {
  if (!(error instanceof Error && error.name.startsWith('Procore'))) throw error;
}
