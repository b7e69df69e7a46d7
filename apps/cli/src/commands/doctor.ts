import { diagnose } from '@procore-mirror/mirror';
import type { Command } from 'commander';
import type { PartOptions } from '../check-part.ts';
import { examineAll } from '../doctor/examine-all.ts';
import { doctorInWords } from '../doctor-in-words.ts';
import { exitCode } from '../exit-code.ts';
import { companyOrProjectId } from '../options.ts';
import type { Run } from '../run.ts';

type Options = Pick<PartOptions, 'company' | 'project'> & { json?: boolean };

export function addDoctor(parent: Command, run: Run): void {
  parent
    .command('doctor')
    .description(
      'What is wrong with the settings, the servers, what Procore allows, hooks and the mirror, and what to do; and what is fine. Changes nothing. Exit code 1 when an error was found, 3 when a server cannot be reached.',
    )
    .option('--company <id>', 'this company only', companyOrProjectId)
    .option('--project <id>', 'ask Procore about this project only', companyOrProjectId)
    .option('--json', 'print the result as JSON')
    .action((options: Options) =>
      run(options, async (context) => {
        const { output } = context;
        const { facts, mirror, calls, unreached } = await examineAll(context, options);
        const diagnosis = { ...diagnose(facts, mirror), calls };
        for (const line of unreached) output.note(`error: ${line}`);
        output.result(diagnosis, () => doctorInWords(diagnosis, context.now()));
        if (unreached.length > 0) return exitCode.serverUnreachable;
        return diagnosis.verdict === 'needs you' ? exitCode.foundSomethingWrong : exitCode.fine;
      }),
    );
}
