import { type Database, findMiscounts, haveRecounted, migrateDatabase } from '@procore-mirror/database';
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
      'have the workers count anew what is counted wrong; this counts everything, which takes a while',
    )
    .option('--json', 'print the result as JSON')
    .action((options: { recount?: boolean; json?: boolean }) =>
      run(options, async ({ catalogue, withDatabase, output }) => {
        const { tables } = catalogue().catalogue;
        const work = async ({ url, pool }: Database) => {
          const { applied } = await migrateDatabase({ url, tables, onProgress: output.note });
          if (options.recount !== true) return { applied };
          const miscounts = await findMiscounts(pool, tables);
          await haveRecounted(pool, tables, miscounts);
          return { applied, recounted: miscounts.length };
        };
        const result = await withDatabase(work, { anyVersion: true });
        const { applied, recounted } = result;
        output.result(result, () =>
          [
            applied.length === 0 ? 'The database is up to date.' : `Applied ${applied.join(', ')}.`,
            ...(recounted === undefined ? [] : [`${counted(recounted, 'count')} to be put right by the workers.`]),
          ].join('\n'),
        );
        return exitCode.fine;
      }),
    );
}
