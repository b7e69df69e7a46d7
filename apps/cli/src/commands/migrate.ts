import { type Database, migrateDatabase } from '@procore-mirror/database';
import type { Command } from 'commander';
import { exitCode } from '../exit-code.ts';
import type { Run } from '../run.ts';

export function addMigrate(parent: Command, run: Run): void {
  parent
    .command('migrate')
    .description('Brings the database up to this version, or changes nothing. May run while others do.')
    .option('--json', 'print the result as JSON')
    .action((options: { json?: boolean }) =>
      run(options, async ({ catalogue, withDatabase, output }) => {
        const migrate = ({ url }: Database) =>
          migrateDatabase({ url, tables: catalogue().catalogue.tables, onProgress: output.note });
        const result = await withDatabase(migrate, { anyVersion: true });
        output.result(result, () =>
          result.applied.length === 0 ? 'The database is up to date.' : `Applied ${result.applied.join(', ')}.`,
        );
        return exitCode.fine;
      }),
    );
}
