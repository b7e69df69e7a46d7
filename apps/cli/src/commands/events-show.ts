import { type EventDetails, showEvent } from '@procore-mirror/database';
import { printable } from '@procore-mirror/runtime';
import type { Command } from 'commander';
import { exitCode } from '../exit-code.ts';
import { table } from '../output.ts';
import type { Run } from '../run.ts';

export function addEventsShow(parent: Command, run: Run): void {
  parent
    .command('show <event>')
    .description('One event: what it said, and whether its record still waits for a fetch.')
    .option('--json', 'print the result as JSON')
    .action((id: string, options: { json?: boolean }) =>
      run(options, ({ withDatabase, output }) =>
        withDatabase(async (database) => {
          const event = await showEvent(database.pool, id);
          if (event === null) {
            output.note(`The log has no event ${printable(id)}.`);
            return exitCode.foundSomethingWrong;
          }
          output.result(event, () => inWords(event));
          return exitCode.fine;
        }),
      ),
    );
}

function inWords({ raw, pending, ...summary }: EventDetails): string {
  const waits =
    pending === null
      ? 'Its record has no news that waits for a fetch.'
      : `Its record waits for a fetch, from ${pending.readyAt} on; attempts so far: ${pending.attempts}${pending.lastError === null ? '' : ` (${pending.lastError})`}.`;
  return `${table(['', ''], Object.entries(summary))}\n\n${waits}\n\n${raw}`;
}
