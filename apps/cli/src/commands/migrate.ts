import { migrateDatabase } from '@procore-mirror/database';
import type { Command } from 'commander';
import { exitCode } from '../exit-code.ts';
import type { Run } from '../mirror-command.ts';

export function addMigrate(parent: Command, run: Run): void {
  parent
    .command('migrate')
    .description('Brings the database up to this version, or changes nothing. May run while others do.')
    .option('--json', 'print the result as JSON')
    .action((options: { json?: boolean }) =>
      run(options, async ({ databaseUrl, catalogue, withDatabase, output }) => {
        const { resources } = catalogue().catalogue;
        await withDatabase(async () => {}, { anyVersion: true });
        const tables = resources.map(({ table }) => table);
        const result = await migrateDatabase({ url: databaseUrl(), tables, onProgress: output.note });
        output.result(result, () =>
          result.applied.length === 0 ? 'The database is up to date.' : `Applied ${result.applied.join(', ')}.`,
        );
        return exitCode.fine;
      }),
    );
}
