import { countToEmpty, emptyMirror, type Held, isWorkerSeen, readOrigin } from '@procore-mirror/database';
import { MONTHLY_SANDBOX, refuseReset } from '@procore-mirror/mirror';
import { isLoopback, procoreHosts } from '@procore-mirror/runtime';
import type { Command } from 'commander';
import { environmentSchema } from '../env.ts';
import { UsageError } from '../errors.ts';
import { exitCode } from '../exit-code.ts';
import { counted, table } from '../output.ts';
import type { Run } from '../run.ts';

type Options = { environment: string; yes?: boolean; json?: boolean };

const NEXT =
  'Start the workers, run `pnpm mirror hooks apply`, and fill the mirror. Deliveries of before that wait in the queue do no harm: each costs a call at most.';

export function addReset(parent: Command, run: Run): void {
  parent
    .command('reset')
    .description('Empties the mirror of a sandbox that was overwritten. Without --yes it says what it would remove.')
    .requiredOption('--environment <name>', `which one: ${MONTHLY_SANDBOX}`)
    .option('--yes', 'empty it')
    .option('--json', 'print the result as JSON')
    .action((options: Options) =>
      run(options, async (context) => {
        const env = context.read(environmentSchema);
        const { loginUrl, apiUrl } = procoreHosts(env);
        return context.withDatabase(async (database) => {
          const problems = refuseReset({
            asked: options.environment,
            environment: env.PROCORE_ENVIRONMENT,
            hosts: [...new Set([loginUrl.hostname, apiUrl.hostname])],
            sandboxHosts: sandboxHosts(),
            isLoopback,
            origin: await readOrigin(database.pool),
            isWorkerSeen: await isWorkerSeen(database.pool),
          });
          if (problems.length > 0) throw new UsageError(problems);
          const held = await countToEmpty(database.pool);
          const isMeant = options.yes === true;
          if (isMeant) await emptyMirror(database, context.output.note);
          const rows = held.reduce((sum, one) => sum + one.rows, 0);
          const result = { environment: options.environment, removed: isMeant, rows, tables: held };
          context.output.result(result, () =>
            isMeant ? `Removed ${counted(rows, 'row')}. ${NEXT}` : plan(held, rows),
          );
          return exitCode.fine;
        });
      }),
    );
}

function sandboxHosts(): string[] {
  const environments = ['sandbox', 'monthly-sandbox'] as const;
  const origins = environments.map((name) => procoreHosts({ PROCORE_ENVIRONMENT: name }));
  return origins.flatMap(({ loginUrl, apiUrl }) => [loginUrl.hostname, apiUrl.hostname]);
}

function plan(held: readonly Held[], rows: number): string {
  if (held.length === 0) return 'The mirror is empty.';
  return [
    table(
      ['table', 'rows'],
      held.map((one) => [one.table, one.rows]),
    ),
    `${counted(rows, 'row')} would be removed. Nothing was changed: --yes removes them.`,
  ].join('\n\n');
}
