// One worker at a time judges the mirror, tells of findings in its log, and knows what `/metrics` tells of the whole database. It has the duty
// `judge`; another worker takes it when that one stops, and half a minute after it died.
import type { Catalogue } from '@procore-mirror/catalogue';
import {
  type Database,
  type MetricFacts,
  noteWorker,
  readMetricFacts,
  type ToldFinding,
} from '@procore-mirror/database';
import { type GatheredFacts, gatherFacts } from './gather-facts.ts';
import type { Facts } from './judge/facts.ts';
import { findAll, type Judgement, judgementOf } from './judge/judge.ts';
import type { Judged } from './judge/judged.ts';
import { planAlarms, type Told } from './judge/plan-alarms.ts';
import type { UpkeepPace } from './plan/rounds-of-upkeep.ts';
import { type Clock, realTime } from './run/clock.ts';
import { leaveDuty, withDuty } from './with-duty.ts';

/** The mirror as it was judged last, a few seconds ago. */
export type JudgedMirror = Judgement & { facts: Facts; metrics: MetricFacts };

type JudgeLoopOptions = {
  database: Database;
  holder: string;
  pace: UpkeepPace;
  environment: string;
  catalogue: Pick<Catalogue, 'mirrored'>;
  /** How many deliveries wait in the queue. */
  queueDepth: () => Promise<number>;
  log: Record<'info' | 'warn' | 'error', (about: object, message: string) => void>;
  everyMs?: number;
  leaseMs?: number;
  clock?: Clock;
};

export type JudgeLoop = {
  /** Null: another worker judges, or it could not lately. */
  judged: () => JudgedMirror | null;
  /** What this worker tells of, for its report; null: another one does. */
  told: () => readonly ToldFinding[] | null;
  close: () => Promise<void>;
};

const DUTY = 'judge';

/** Starts to judge every `everyMs` (10 s) while it has the duty. */
export function startJudgeLoop(options: JudgeLoopOptions): JudgeLoop {
  const { database, holder, log, everyMs = 10_000, leaseMs = 30_000, clock = realTime } = options;
  const closing = new AbortController();
  const duty = { database, duty: DUTY, holder, leaseMs, log, clock };
  /** What is older than the lease another worker may tell of by now. */
  let last: { mirror: JudgedMirror; begunAt: number } | null = null;
  let told: readonly Told[] | null = null;

  async function loop(): Promise<void> {
    while (!closing.signal.aborted) {
      await round();
      await clock.sleep(everyMs, closing.signal).catch(() => null);
    }
    await leaveDuty(duty);
  }

  async function round(): Promise<void> {
    try {
      const begunAt = clock.now();
      const mirror = await withDuty(duty, () => judgeNow(options));
      last = mirror && { mirror, begunAt };
      told = mirror && tell(mirror);
    } catch (error) {
      log.warn({ error }, 'the mirror could not be judged; trying again');
    }
  }

  function tell({ judged, facts }: JudgedNow): readonly Told[] {
    const before = told ?? toldByOthers(facts, { holder, nowMs: clock.now() });
    const alarms = planAlarms(before, judged, clock.now());
    for (const finding of alarms.raised) log[LEVELS[finding.severity]](keysOf(finding), finding.message);
    for (const finding of alarms.gone) log.info(keysOf(finding), 'what was found is gone');
    return alarms.told;
  }

  const running = loop();
  return {
    judged: () => (last !== null && clock.now() - last.begunAt < leaseMs ? last.mirror : null),
    told: () => told?.map(({ seenMs: _, ...finding }) => finding) ?? null,
    close: async () => {
      closing.abort(new Error('the worker is stopping'));
      await running;
    },
  };
}

type JudgedNow = JudgedMirror & { judged: readonly Judged[] };

async function judgeNow({ queueDepth, holder, ...options }: JudgeLoopOptions): Promise<JudgedNow> {
  const { database } = options;
  await noteWorker(database, holder); // it runs, whether it said so yet or not
  const gathered: GatheredFacts = await gatherFacts(database, { ...options, part: {}, now: new Date() });
  const facts: Facts = { ...gathered, queue: await readQueue(queueDepth) };
  const judged = findAll(facts);
  return { ...judgementOf(judged), judged, facts, metrics: await readMetricFacts(database.pool) };
}

async function readQueue(queueDepth: () => Promise<number>): Promise<Facts['queue']> {
  try {
    return { waiting: await queueDepth(), problem: null };
  } catch (error) {
    return { waiting: null, problem: error instanceof Error ? error.message : String(error) };
  }
}

/** What the worker told that judged before, as it last said. */
function toldByOthers({ workers }: Facts, { holder, nowMs }: { holder: string; nowMs: number }): readonly Told[] {
  const newestFirst = workers.toSorted((one, other) => Date.parse(other.seenAt) - Date.parse(one.seenAt));
  const others = newestFirst.flatMap((worker) => (worker.holder === holder ? [] : [worker.report?.told ?? null]));
  return others.find((one) => one !== null)?.map((one) => ({ ...one, seenMs: nowMs })) ?? [];
}

const LEVELS = { error: 'error', warning: 'warn', info: 'info' } as const;

function keysOf(finding: Told | Judged): object {
  const { code, companyId, projectId, resource } = finding;
  const about = { code, company_id: companyId, project_id: projectId, resource };
  return 'message' in finding
    ? { ...about, severity: finding.severity, since: finding.since, fix: finding.fix }
    : about;
}
