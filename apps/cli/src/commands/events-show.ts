import { type LoggedEventDetails, showEvent } from '@procore-mirror/database';
import { printable } from '@procore-mirror/runtime';
import type { Command } from 'commander';
import { type EventNow, eventsNow, outcomeInWords } from '../events-now.ts';
import { exitCode } from '../exit-code.ts';
import { table } from '../output.ts';
import type { Run } from '../run.ts';

export function addEventsShow(parent: Command, run: Run): void {
  parent
    .command('show <event>')
    .description('One event: what it said, and what became of it.')
    .option('--json', 'print the result as JSON')
    .action((id: string, options: { json?: boolean }) =>
      run(options, ({ withDatabase, output, catalogue }) =>
        withDatabase(async (database) => {
          const event = await showEvent(database.pool, id);
          const [now] = event === null ? [] : await eventsNow(database, catalogue().catalogue, [event]);
          if (now === undefined) {
            output.note(`The log has no event ${printable(id)}.`);
            return exitCode.foundSomethingWrong;
          }
          output.result(now, () => inWords(now));
          return exitCode.fine;
        }),
      ),
    );
}

function inWords({ raw, ...event }: EventNow<LoggedEventDetails>): string {
  const said = Object.entries({ ...event, outcome: outcomeInWords(event) }).filter(([, value]) => value !== null);
  return `${table(['', ''], said)}\n\n${raw}`;
}
