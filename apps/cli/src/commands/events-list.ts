import { type EventFilter, listEvents } from '@procore-mirror/database';
import { quoted } from '@procore-mirror/mirror';
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
            events.length === 0
              ? noneInWords(options)
              : table(
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
          if (events.length === options.limit)
            output.note(`These are the newest ${events.length}; --limit shows more.`);
          return exitCode.fine;
        }),
      ),
    );
}

/** What was looked for, and where else to look. */
function noneInWords({ company, project, resource, record, outcome, since }: Options): string {
  const looked = [
    ...(resource === undefined ? [] : [`of ${resource}`]),
    ...(record === undefined ? [] : [`of record ${record}`]),
    ...(company === undefined ? [] : [`in company ${company}`]),
    ...(project === undefined ? [] : [`in project ${project}`]),
    ...(outcome === undefined ? [] : [`with outcome ${outcome}`]),
    ...(since === undefined ? [] : [`received since ${since}`]),
  ];
  const id = record ?? '<id>';
  const name = resource === undefined ? '<resource>' : quoted(resource);
  return [
    `The log holds no event${looked.map((what) => ` ${what}`).join('')}.`,
    looked.length === 0
      ? '`pnpm mirror status` tells whether hooks are there and a receiver runs.'
      : `\`pnpm mirror explain ${name} ${id}\` tells why one did not come; fewer options find more; \`pnpm mirror dead-letters list\` has bodies that could not be read. Events are kept for KEEP_EVENTS_DAYS (90).`,
  ].join('\n');
}

function filterOf({ company, project, resource, record, outcome, since, limit: most }: Options): EventFilter {
  return { companyId: company, projectId: project, resource, recordId: record, outcome, since, limit: most };
}
