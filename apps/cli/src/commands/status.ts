import {
  type Database,
  readBackfillProgress,
  readDeliveryStatus,
  readOrigin,
  readShortages,
  readStatus,
  readUpkeep,
} from '@procore-mirror/database';
import { overwrittenOn } from '@procore-mirror/mirror';
import { allConfigured, ConfigError } from '@procore-mirror/runtime';
import type { Command } from 'commander';
import { checkPart, type PartOptions } from '../check-part.ts';
import type { Context } from '../context.ts';
import { environmentSchema, upkeepSchema } from '../env.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { openQueue } from '../open-queue.ts';
import { companyOrProjectId } from '../options.ts';
import type { Run } from '../run.ts';
import { type QueueStatus, type Status, statusInWords, totalsOf } from '../status-in-words.ts';
import { withRounds } from '../upkeep-in-words.ts';

type Options = PartOptions & { all?: boolean; json?: boolean };

export function addStatus(parent: Command, run: Run): void {
  parent
    .command('status')
    .description(
      'What the mirror, or a part of it, holds, how new it is, and what is wrong. Exit code 1 for dead letters, parked scopes and events that Procore could not deliver for two hours.',
    )
    .option('--company <id>', 'this company only', companyOrProjectId)
    .option('--project <id>', 'this project only', companyOrProjectId)
    .option('--resource <name>', 'this resource only')
    .option('--all', 'a line for each project, however many there are')
    .option('--json', 'print the result as JSON')
    .action((options: Options) =>
      run(options, async (context) => {
        const { company: companyId, project: projectId, resource } = options;
        const [mirror, queue] = await allConfigured(
          () =>
            context.withDatabase(async (database) => {
              await checkPart(context, database, options);
              const mirror = await readStatus(database.pool, { companyId, projectId, resource });
              const upkeep = context.read(upkeepSchema);
              const { PROCORE_ENVIRONMENT: environment } = context.read(
                environmentSchema.pick({ PROCORE_ENVIRONMENT: true }),
              );
              const overwritten = overwrittenOn(environment, await readOrigin(database.pool), context.now());
              const parts = {
                backfill: await readBackfill(database, options),
                deliveries: await readDeliveryStatus(database.pool, companyId ?? null),
                upkeep: withRounds(await readUpkeep(database.pool, companyId ?? null), upkeep),
              };
              return { ...mirror, ...parts, overwrittenOn: overwritten };
            }),
          () => readQueue(context),
        );
        if (queue.problem !== null) context.output.note(`error: ${queue.problem}`);
        const status: Status = { ...mirror, totals: totalsOf(mirror.freshness), queue };
        context.output.result(status, () => statusInWords(status, options.all === true, context.now()));
        return judge(status);
      }),
    );
}

async function readBackfill({ pool }: Database, { company, project, resource }: Options): Promise<Status['backfill']> {
  const companyIds = company === undefined ? undefined : [company];
  const progress = await readBackfillProgress(pool, { requests: null, companyIds, projectId: project, resource });
  if (progress.lists === progress.over) return null;
  const [shortage = null] = await readShortages(pool, companyIds ?? null);
  return { ...progress, shortage };
}

/** A queue that is down is part of the status, not the end of it. */
async function readQueue(context: Context): Promise<QueueStatus> {
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

function judge(status: Status): ExitCode {
  if (status.deadLetters.length + status.parked.length + status.deliveries.undelivered.length > 0)
    return exitCode.foundSomethingWrong;
  return status.queue.problem === null ? exitCode.fine : exitCode.serverUnreachable;
}
