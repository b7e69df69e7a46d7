import { type Database, haveRecounted, migrateDatabase } from '@procore-mirror/database';
import type { Command } from 'commander';
import { exitCode } from '../exit-code.ts';
import { counted } from '../output.ts';
import type { Run } from '../run.ts';

export function addMigrate(parent: Command, run: Run): void {
  parent
    .command('migrate')
    .description('Brings the database up to this version, or changes nothing. May run while others do.')
    .option(
      '--recount',
      'have the workers count every table anew, beside everything else, and put right what is counted wrong',
    )
    .option('--json', 'print the result as JSON')
    .action((options: { recount?: boolean; json?: boolean }) =>
      run(options, async ({ catalogue, withDatabase, output }) => {
        const work = async ({ url, pool }: Database) => {
          const { tables } = catalogue().catalogue;
          const { applied } = await migrateDatabase({ url, tables, onProgress: output.note });
          return options.recount === true ? { applied, recounting: await haveRecounted(pool, tables) } : { applied };
        };
        const result: { applied: string[]; recounting?: number } = await withDatabase(work, { anyVersion: true });
        const { applied, recounting } = result;
        output.result(result, () =>
          [
            applied.length === 0 ? 'The database is up to date.' : `Applied ${applied.join(', ')}.`,
            ...(recounting === undefined ? [] : [`The workers count ${counted(recounting, 'table')} anew.`]),
          ].join('\n'),
        );
        return exitCode.fine;
      }),
    );
}
