import { type EarlierFills, readEarlierFills } from '@procore-mirror/database';
import { at, counted, requestFills, watchFills } from '@procore-mirror/mirror';
import { type Command, Option } from 'commander';
import { watchWorkers, withScopes } from '../ask-workers.ts';
import { backfillAsJson, backfillInWords } from '../backfill-in-words.ts';
import type { PartOptions } from '../check-part.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { companyOrProjectId } from '../options.ts';
import type { Run } from '../run.ts';
import { planBackfill } from './backfill-plan.ts';

type Options = PartOptions & { plan?: boolean; detach?: boolean; json?: boolean };

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
  return withScopes(context, options, async ({ database, part, scopes, unlisted }) => {
    const wanted = scopes.flatMap(({ resources, ...place }) => resources.map((resource) => ({ ...place, resource })));
    const lists = wanted.length;
    const earlier = await readEarlierFills(database.pool, wanted);
    const requests = await requestFills(database, { catalogue: part.catalogue, scopes });
    const words = earlierInWords(earlier, lists);
    if (words !== null) output.note(words);
    const watched = await watchWorkers(context, {
      ...{ database, command: 'backfill', detach: options.detach },
      answer: {
        json: { requests, lists, unlisted },
        words: `Backfill: ${lists} lists are asked for; the workers read them`,
      },
      watch: () => watchFills({ ...part, database, display: output, signal, requests }),
    });
    if (watched === null) return exitOf(unlisted, 0);
    const { progress } = watched;
    output.result(backfillAsJson({ ...watched, requests, unlisted }), () => backfillInWords(progress, watched.end));
    return watched.end === 'done' ? exitOf(unlisted, progress.failed) : exitCode.foundSomethingWrong;
  });
}

/** Who types it to look is told that it works. */
function earlierInWords({ open, openSince, done, doneAt }: EarlierFills, lists: number): string | null {
  const of = `of these ${counted(lists, 'list')}`;
  const others = open + done < lists ? ' Others of them begin now.' : '';
  if (open > 0) return `A fill of ${open} ${of} is under way since ${at(openSince)}: this shows it.${others}`;
  if (done === 0) return null;
  const [were, are] = done === 1 ? ['was', 'it is'] : ['were', 'they are'];
  return `${done} ${of} ${were} filled before, the last ${at(doneAt)}: ${are} read again now. To look only: \`pnpm mirror status\`; what it costs: \`pnpm mirror backfill --plan\`.`;
}

function exitOf(unlisted: readonly string[], failed: number): ExitCode {
  return unlisted.length > 0 || failed > 0 ? exitCode.foundSomethingWrong : exitCode.fine;
}
