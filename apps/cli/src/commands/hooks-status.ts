import { planAllHooks, type ScopeHooks } from '@procore-mirror/mirror';
import type { Command } from 'commander';
import { hooksSchema } from '../env.ts';
import { faultInWords, hooksAsJson, hooksTable, notOfferedInWords } from '../hooks-in-words.ts';
import { exitCodeOf, type FoundHooks, lookAtAll, withHooks } from '../look-after-hooks.ts';
import { counted } from '../output.ts';
import type { Run } from '../run.ts';

export function addHooksStatus(parent: Command, run: Run): void {
  parent
    .command('status')
    .description(
      'Whether each hook is as it should be. Changes nothing. Exit code 1 when one is missing, disabled or wrong.',
    )
    .option('--json', 'print the result as JSON')
    .action((options: { json?: boolean }) =>
      run(options, async (context) => {
        const found = await withHooks(context, hooksSchema, { isNoted: false }, (at) => lookAtAll(at, planAllHooks));
        context.output.result(hooksAsJson(found), () => inWords(found));
        return exitCodeOf(found, isWrong);
      }),
    );
}

function isWrong({ actions, refused }: ScopeHooks): boolean {
  return actions.length > 0 || refused.length > 0;
}

function inWords({ scopes }: FoundHooks): string {
  const wrong = scopes.filter((scope) => scope.trouble !== null || isWrong(scope)).length;
  const sum = `${counted(scopes.length, 'scope')}, ${wrong === 0 ? 'all' : scopes.length - wrong} as they should be`;
  const fix = wrong === 0 ? '' : '; `pnpm mirror hooks apply` sets right what is wrong';
  return `${hooksTable(scopes, 'wrong', faultInWords)}${sum}${fix}${notOfferedInWords(scopes)}`;
}
