import { isWorkerThere, requestFills, type Scope, watchFills } from '@procore-mirror/mirror';
import { allConfigured, procoreHosts } from '@procore-mirror/runtime';
import { type Command, Option } from 'commander';
import { backfillAsJson, backfillInWords } from '../backfill-in-words.ts';
import type { PartOptions } from '../check-part.ts';
import type { Context } from '../context.ts';
import { backfillSchema, procoreSchema } from '../env.ts';
import { ServerUnreachableError } from '../errors.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { companiesOf, findScopes } from '../find-scopes.ts';
import { companyOrProjectId } from '../options.ts';
import type { Run } from '../run.ts';
import { planBackfill } from './backfill-plan.ts';

type Options = PartOptions & { plan?: boolean; detach?: boolean; json?: boolean };

const NO_WORKER = {
  fix: 'start one (`pnpm worker`): what was asked for is kept, and `pnpm mirror backfill` shows how far it is',
};

export function addBackfill(parent: Command, run: Run): void {
  parent
    .command('backfill')
    .description(
      "Has the workers fill the mirror from Procore's lists, and shows how far they are. May be cut off and repeated: the work goes on. Exit code 1 when something could not be filled, 3 without a worker.",
    )
    .option('--company <id>', 'this company only', companyOrProjectId)
    .option('--project <id>', 'this project only', companyOrProjectId)
    .option('--resource <name>', 'this resource only')
    .addOption(
      new Option(
        '--plan',
        'store nothing: ask what there is, and print calls, minutes and the share of an hour',
      ).conflicts('detach'),
    )
    .option('--detach', 'return when the work is asked for')
    .option('--json', 'print the result as JSON')
    .action((options: Options) =>
      run(options, (context) => (options.plan ? planBackfill(context, options) : backfill(context, options))),
    );
}

async function backfill(context: Context, options: Options): Promise<ExitCode> {
  const { output, signal } = context;
  const [env, { catalogue, resources }] = await allConfigured(
    () => context.read(backfillSchema),
    () => context.catalogue(),
    () => procoreHosts(context.read(procoreSchema)),
  );
  const part = {
    companyIds: companiesOf(env.PROCORE_COMPANY_IDS, options.company),
    projectId: options.project,
    resource: options.resource,
  };
  return context.withDatabase(async (database) => {
    const { scopes, unlisted } = await context.withProcore(database, (client) =>
      findScopes(context, {
        ...{ client, database, catalogue, resources, wanted: env.MIRROR_PROJECTS },
        ...part,
      }),
    );
    const requests = await requestFills(database, { catalogue, scopes });
    const lists = countLists(scopes);
    if (options.detach === true) {
      if (!(await isWorkerThere(database))) throw new ServerUnreachableError('no worker was seen for 30 s', NO_WORKER);
      output.result(
        { state: 'under way', requests, lists, unlisted },
        () => `Backfill: ${lists} lists are asked for; the workers read them`,
      );
      return exitOf(unlisted, 0);
    }
    const watched = await watchFills({ ...part, database, display: output, signal, requests }).catch((cause) => {
      signal.throwIfAborted();
      throw new ServerUnreachableError('the database does not answer any more', { cause });
    });
    if (watched.end === 'no worker') throw new ServerUnreachableError('no worker was seen for 30 s', NO_WORKER);
    const { progress } = watched;
    output.result(backfillAsJson({ ...watched, requests, unlisted }), () => backfillInWords(progress, watched.end));
    return watched.end === 'done' ? exitOf(unlisted, progress.failed) : exitCode.foundSomethingWrong;
  });
}

function countLists(scopes: readonly Scope[]): number {
  return scopes.reduce((sum, { resources }) => sum + resources.length, 0);
}

function exitOf(unlisted: readonly string[], failed: number): ExitCode {
  return unlisted.length > 0 || failed > 0 ? exitCode.foundSomethingWrong : exitCode.fine;
}
