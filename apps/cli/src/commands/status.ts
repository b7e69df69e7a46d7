import {
  checkDatabase,
  type Database,
  DatabaseVersionError,
  type FactsFilter,
  readCompleteness,
  readDeliveryStatus,
  readLately,
  readReceiverTimes,
  readStatus,
} from '@procore-mirror/database';
import {
  type GatheredFacts,
  gatherFacts,
  isSelected,
  type Judgement,
  judge,
  judgeLosses,
  judgeMisfit,
} from '@procore-mirror/mirror';
import { allConfigured, ConfigError } from '@procore-mirror/runtime';
import type { Command } from 'commander';
import { checkPart, type PartOptions } from '../check-part.ts';
import type { Context } from '../context.ts';
import { environmentSchema, upkeepSchema } from '../env.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { findingsInWords, verdictInWords } from '../findings-in-words.ts';
import { openQueue } from '../open-queue.ts';
import { companyOrProjectId, past } from '../options.ts';
import type { Run } from '../run.ts';
import { type QueueStatus, type Status, statusInWords } from '../status-in-words.ts';
import { paceOf } from '../upkeep-in-words.ts';

type Options = PartOptions & { since?: string; all?: boolean; json?: boolean };

/** What happened for so long is told where nobody says since when. */
const LATELY_MS = 12 * 3_600_000;
/** So many of the newest events are looked at then, and where somebody does. */
const MOST_EVENTS = { lately: 10_000, asked: 100_000 };

export function addStatus(parent: Command, run: Run): void {
  parent
    .command('status')
    .description(
      'Whether the mirror, or a part of it, is fine, heals by itself or needs you, and what is wrong or behind. Exit code 1 when it needs you, 3 when the queue cannot be reached.',
    )
    .option('--company <id>', 'this company only', companyOrProjectId)
    .option('--project <id>', 'this project only', companyOrProjectId)
    .option('--resource <name>', 'this resource only')
    .option('--since <time>', 'whether anything was lost since then: 12h, 20:00 (UTC) or 2026-06-30T20:00:00Z', past)
    .option('--all', 'all there is to tell, a line for each table')
    .option('--json', 'print the result as JSON')
    .action((options: Options) =>
      run(options, async (context) => {
        const [known, queue] = await allConfigured(
          () => context.withDatabase((database) => readUnlessMisfit(context, database, options), { anyVersion: true }),
          () => readQueue(context),
        );
        if (queue.problem !== null) context.output.note(`error: ${queue.problem}`);
        if ('problem' in known) {
          const judgement = { ...judgeMisfit(known.problem), queue };
          context.output.result(judgement, () => misfitInWords(judgement, context.now()));
          return codeOf(judgement, queue);
        }
        const judgement = judge({ ...known.facts, queue });
        const losses = judgeLosses({ ...judgement, ...known.lately });
        const status: Status = { ...judgement, ...known.status, queue, losses };
        const { behind, ...told } = status;
        context.output.result(told, () => statusInWords(status, options.all === true, context.now()));
        return codeOf(judgement, queue);
      }),
    );
}

/** All but the queue; or why nothing can be read. */
async function readUnlessMisfit(
  context: Context,
  database: Database,
  options: Options,
): Promise<Known | { problem: string }> {
  try {
    await checkDatabase(database);
  } catch (error) {
    if (error instanceof DatabaseVersionError) return { problem: error.message };
    throw error;
  }
  return await readAll(context, database, options);
}

type Known = {
  facts: GatheredFacts;
  status: Omit<Status, keyof Judgement | 'queue' | 'losses'>;
  lately: Omit<Parameters<typeof judgeLosses>[0], 'findings'>;
};

async function readAll(context: Context, database: Database, options: Options): Promise<Known> {
  const { pool } = database;
  const { company: companyId, project: projectId, resource } = options;
  await checkPart(context, database, options);
  const part = { companyId, projectId, resource };
  const facts = await readToJudge(context, database, part);
  const { backfill, rounds: upkeep, overwrittenOn } = facts;
  const mirror = await readStatus(pool, part, { isBrief: options.all !== true && options.json !== true });
  const deliveries = await readDeliveryStatus(pool, companyId ?? null);
  const since = options.since ?? new Date(context.now().getTime() - LATELY_MS).toISOString();
  const mostEvents = options.since === undefined ? MOST_EVENTS.lately : MOST_EVENTS.asked;
  const lately = {
    ...{
      since,
      lately: await readLately(pool, since, part, { mostEvents, notShown: notShownOf(context) }),
      receivers: await readReceiverTimes(pool),
    },
    complete: options.since === undefined ? null : await readCompleteness(pool, since, part),
  };
  return { facts, status: { ...mirror, backfill, deliveries, upkeep, overwrittenOn }, lately };
}

/** Mirrored resources that no list shows, so that what no event told of stays unknown. */
function notShownOf(context: Context): string[] {
  const { catalogue, resources } = context.catalogue();
  return catalogue.mirrored
    .filter((entry) => isSelected(entry, { resources }) && entry.table?.filledBy?.length === 0)
    .map(({ resource }) => resource);
}

/** What the judge goes by, but for the queue. */
export async function readToJudge(
  context: Pick<Context, 'read' | 'now' | 'catalogue'>,
  database: Database,
  part: FactsFilter,
): Promise<GatheredFacts> {
  const { PROCORE_ENVIRONMENT: environment } = context.read(environmentSchema.pick({ PROCORE_ENVIRONMENT: true }));
  const pace = paceOf(context.read(upkeepSchema));
  const { catalogue } = context.catalogue();
  return gatherFacts(database, { part, pace, environment, catalogue, now: context.now() });
}

/** A queue that is down is part of the status, not the end of it. */
export async function readQueue(context: Context): Promise<QueueStatus> {
  try {
    const queue = await openQueue(context);
    try {
      return { waiting: await queue.waiting(), problem: null };
    } finally {
      await queue.close();
    }
  } catch (error) {
    if (error instanceof ConfigError) throw error; // a wrong address is reported, not shown as a queue that is down
    return { waiting: null, problem: error instanceof Error ? error.message : String(error) };
  }
}

function misfitInWords(judgement: Judgement, now: Date): string {
  return `${verdictInWords(judgement, now)}\n\n${findingsInWords(judgement.findings, now)}`;
}

function codeOf({ verdict }: Judgement, queue: QueueStatus): ExitCode {
  if (queue.problem !== null) return exitCode.serverUnreachable;
  return verdict === 'needs you' ? exitCode.foundSomethingWrong : exitCode.fine;
}
