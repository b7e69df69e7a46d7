import { callsOf, planAllHooks } from '@procore-mirror/mirror';
import type { Command } from 'commander';
import { hooksSchema } from '../env.ts';
import { actionInWords, hooksAsJson, hooksTable, notOfferedInWords } from '../hooks-in-words.ts';
import { exitCodeOf, type FoundHooks, lookAtAll, withHooks } from '../look-after-hooks.ts';
import { counted } from '../output.ts';
import type { Run } from '../run.ts';

export function addHooksPlan(parent: Command, run: Run): void {
  parent
    .command('plan')
    .description('What `hooks apply` would do, and how many calls that takes. Changes nothing.')
    .option('--json', 'print the result as JSON')
    .action((options: { json?: boolean }) =>
      run(options, async (context) => {
        const found = await withHooks(context, hooksSchema, { isNoted: false }, (at) => lookAtAll(at, planAllHooks));
        context.output.result(hooksAsJson(found), () => inWords(found));
        return exitCodeOf(found, () => false);
      }),
    );
}

function inWords({ scopes }: FoundHooks): string {
  const calls = scopes.reduce((sum, scope) => sum + callsOf(scope.actions), 0);
  const well = scopes.filter((scope) => scope.trouble === null && scope.actions.length === 0).length;
  const sum = `${counted(scopes.length, 'scope')}, ${well} as they should be: ${counted(calls, 'call')} to make`;
  return `${hooksTable(scopes, 'to do', actionInWords)}${sum}${notOfferedInWords(scopes)}`;
}
