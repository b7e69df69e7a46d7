import { discardDeadLetters } from '@procore-mirror/database';
import type { Command } from 'commander';
import { checkPart } from '../check-part.ts';
import { type ChoiceOptions, choiceToChange, noteUnknown, withChoiceOptions } from '../dead-letter-choice.ts';
import { exitCode } from '../exit-code.ts';
import { counted } from '../output.ts';
import type { Run } from '../run.ts';

type Options = ChoiceOptions & { all?: boolean; json?: boolean };

export function addDeadLettersDiscard(parent: Command, run: Run): void {
  withChoiceOptions(parent.command('discard [ids...]'))
    .description('Forgets dead letters for good. A record stays as the mirror has it until there is news of it.')
    .option('--all', 'all of them, or all that fit the other options')
    .option('--json', 'print the result as JSON')
    .action((ids: string[], options: Options) =>
      run(options, async (context) => {
        const choice = choiceToChange(ids, options);
        const { output } = context;
        return context.withDatabase(async (database) => {
          await checkPart(context, database, options);
          const discarded = await discardDeadLetters(database, choice);
          const unknown = noteUnknown(output, ids, discarded);
          output.result(
            { discarded: discarded.length, unknown },
            () => `Discarded ${counted(discarded.length, 'dead letter')}.`,
          );
          return unknown.length === 0 ? exitCode.fine : exitCode.foundSomethingWrong;
        });
      }),
    );
}
