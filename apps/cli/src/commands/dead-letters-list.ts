import { listDeadLetters } from '@procore-mirror/database';
import type { Command } from 'commander';
import { checkPart } from '../check-part.ts';
import { type ChoiceOptions, choiceOf, withChoiceOptions } from '../dead-letter-choice.ts';
import { exitCode } from '../exit-code.ts';
import { limit } from '../options.ts';
import { ago, table } from '../output.ts';
import type { Run } from '../run.ts';

type Options = ChoiceOptions & { limit: number; json?: boolean };

export function addDeadLettersList(parent: Command, run: Run): void {
  withChoiceOptions(parent.command('list'))
    .description('Dead letters, the last seen first. Exit code 1 when there are any.')
    .option('--limit <count>', 'how many at most', limit, 20)
    .option('--json', 'print the result as JSON')
    .action((options: Options) =>
      run(options, (context) =>
        context.withDatabase(async (database) => {
          const { output, now } = context;
          await checkPart(context, database, options);
          const letters = await listDeadLetters(database.pool, choiceOf(options), options.limit);
          output.result(letters, () =>
            letters.length === 0
              ? 'There are no dead letters.'
              : table(
                  [
                    'dead letter',
                    'company',
                    'project',
                    'resource',
                    'record',
                    'last seen',
                    'attempts',
                    'next try',
                    'reason',
                    'detail',
                  ],
                  letters.map((letter) => [
                    letter.id,
                    ...[letter.companyId, letter.projectId, letter.resource, letter.recordId],
                    `${ago(letter.lastSeenAt, now())} ago`,
                    letter.attempts,
                    letter.nextTryAt,
                    letter.reason,
                    letter.detail,
                  ]),
                ),
          );
          return letters.length === 0 ? exitCode.fine : exitCode.foundSomethingWrong;
        }),
      ),
    );
}
