import { type DeadLetterDetails, showDeadLetter } from '@procore-mirror/database';
import { printable } from '@procore-mirror/runtime';
import type { Command } from 'commander';
import { noteUnknown } from '../dead-letter-choice.ts';
import { exitCode } from '../exit-code.ts';
import { table } from '../output.ts';
import type { Run } from '../run.ts';

export function addDeadLettersShow(parent: Command, run: Run): void {
  parent
    .command('show <id>')
    .description('One dead letter: what it is about, when it is tried again, and its body.')
    .option('--json', 'print the result as JSON')
    .action((id: string, options: { json?: boolean }) =>
      run(options, ({ withDatabase, output }) =>
        withDatabase(async (database) => {
          const letter = await showDeadLetter(database.pool, id);
          if (letter === null) {
            noteUnknown(output, [id], []);
            return exitCode.foundSomethingWrong;
          }
          output.result(letter, () => inWords(letter));
          return exitCode.fine;
        }),
      ),
    );
}

function inWords({ raw, isPending, deleteSeen, ...rest }: DeadLetterDetails): string {
  const said = Object.entries({ ...rest, ...(deleteSeen && { deleteSeen: 'yes' }) }).filter(
    ([, value]) => value !== null,
  );
  return `${table(['', ''], said)}\n\n${stateOf({ ...rest, isPending })}\n\n${raw.split('\n').map(printable).join('\n')}`;
}

function stateOf({ kind, isPending, nextTryAt }: Pick<DeadLetterDetails, 'kind' | 'isPending' | 'nextTryAt'>): string {
  if (isPending) return 'Its record waits for a fetch at the moment.';
  if (nextTryAt !== null) return `It is tried again by itself at ${nextTryAt}.`;
  return kind === 'record'
    ? 'It is not tried again by itself any more; `dead-letters replay` tries it.'
    : 'A body is not tried again by itself; `dead-letters replay` hands it to the workers once more.';
}
