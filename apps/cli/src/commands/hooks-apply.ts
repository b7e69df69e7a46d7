import { appliedInWords, applyAllHooks } from '@procore-mirror/mirror';
import type { Command } from 'commander';
import { applyHooksSchema } from '../env.ts';
import { actionInWords, hooksAsJson, hooksTable } from '../hooks-in-words.ts';
import { exitCodeOf, lookAtAll, withHooks } from '../look-after-hooks.ts';
import type { Run } from '../run.ts';

export function addHooksApply(parent: Command, run: Run): void {
  parent
    .command('apply')
    .description(
      'Makes the hooks of all companies and projects as they should be. May be cut off and repeated. Exit code 1 when Procore refused something.',
    )
    .option('--json', 'print the result as JSON')
    .action((options: { json?: boolean }) =>
      run(options, async (context) => {
        const found = await withHooks(context, applyHooksSchema, { isNoted: true }, (at) =>
          lookAtAll(at, applyAllHooks),
        );
        context.output.result(
          hooksAsJson(found),
          () => `${hooksTable(found.scopes, 'done', actionInWords)}${appliedInWords(found.scopes).join('\n')}`,
        );
        return exitCodeOf(found, ({ refused }) => refused.length > 0);
      }),
    );
}
