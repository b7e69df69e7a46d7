import { type EventFilter, listEvents } from '@procore-mirror/database';
import { type Command, Option } from 'commander';
import { checkPart, type PartOptions } from '../check-part.ts';
import { eventsNow, outcomeInWords } from '../events-now.ts';
import { exitCode } from '../exit-code.ts';
import { companyOrProjectId, limit, moment } from '../options.ts';
import { ago, table } from '../output.ts';
import type { Run } from '../run.ts';

type Options = PartOptions & { record?: string; outcome?: string; since?: string; limit: number; json?: boolean };

export function addEventsList(parent: Command, run: Run): void {
  parent
    .command('list')
    .description('Events in the log, newest first, each with what became of it.')
    .option('--company <id>', 'of this company', companyOrProjectId)
    .option('--project <id>', 'of this project', companyOrProjectId)
    .option('--resource <name>', 'of this resource, as Procore spells it')
    .option('--record <id>', 'of this record')
    .addOption(
      new Option('--outcome <outcome>', 'the fetch still waits, or there is to be none').choices([
        'pending',
        'ignored',
      ]),
    )
    .option('--since <moment>', 'received at or after', moment)
    .option('--limit <count>', 'how many at most', limit, 20)
    .option('--json', 'print the result as JSON')
    .action((options: Options) =>
      run(options, (context) =>
        context.withDatabase(async (database) => {
          const { output, now } = context;
          await checkPart(context, database, options);
          const { catalogue } = context.catalogue();
          const events = await eventsNow(database, catalogue, await listEvents(database.pool, filterOf(options)));
          output.result(events, () =>
            table(
              ['event', 'received', 'company', 'project', 'resource', 'record', 'kind', 'outcome'],
              events.map((event) => [
                event.id,
                `${ago(event.receivedAt, now())} ago`,
                event.companyId,
                event.projectId,
                event.resource,
                event.recordId,
                event.kind,
                outcomeInWords(event),
              ]),
            ),
          );
          return exitCode.fine;
        }),
      ),
    );
}

function filterOf({ company, project, resource, record, outcome, since, limit: most }: Options): EventFilter {
  return { companyId: company, projectId: project, resource, recordId: record, outcome, since, limit: most };
}
