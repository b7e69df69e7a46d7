import type { Command } from 'commander';
import type { PartOptions } from '../check-part.ts';
import { companyOrProjectId } from '../options.ts';
import type { Run } from '../run.ts';
import { planBackfill } from './backfill-plan.ts';

export function addBackfill(parent: Command, run: Run): void {
  parent
    .command('backfill')
    .description('What it takes to fill the mirror from the lists of Procore. Stores nothing.')
    .requiredOption('--plan', 'ask what there is, and print calls, minutes and the share of an hour')
    .option('--company <id>', 'this company only', companyOrProjectId)
    .option('--project <id>', 'this project only', companyOrProjectId)
    .option('--resource <name>', 'this resource only')
    .option('--json', 'print the result as JSON')
    .action((options: PartOptions & { json?: boolean }) => run(options, (context) => planBackfill(context, options)));
}
