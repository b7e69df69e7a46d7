import { isFittingId } from '@procore-mirror/database';
import { explainRecord } from '@procore-mirror/mirror';
import { printable } from '@procore-mirror/runtime';
import type { Command } from 'commander';
import { checkPart, type PartOptions } from '../check-part.ts';
import type { Context } from '../context.ts';
import { companiesSchema } from '../env.ts';
import { UsageError } from '../errors.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { type Explained, explainedAsJson, explainedInWords } from '../explain-in-words.ts';
import { companyOrProjectId } from '../options.ts';
import type { Run } from '../run.ts';

type Options = Omit<PartOptions, 'resource'> & { json?: boolean };

export function addExplain(parent: Command, run: Run): void {
  parent
    .command('explain <resource> <id>')
    .description(
      'The story of one record: whether it is as it should be, why, what happened, and what to do. Exit code 1 when it is not as it should be.',
    )
    .option('--company <id>', 'of this company', companyOrProjectId)
    .option('--project <id>', 'of this project', companyOrProjectId)
    .option('--json', 'print the result as JSON')
    .action((resource: string, id: string, options: Options) =>
      run(options, (context) => explain(context, { resource, id, ...options })),
    );
}

async function explain(context: Context, asked: Options & { resource: string; id: string }): Promise<ExitCode> {
  const { output, now } = context;
  return context.withDatabase(async (database) => {
    await checkPart(context, database, asked);
    const { catalogue, resources } = context.catalogue();
    checkRecord(catalogue.find(asked.resource)?.table ?? null, asked);
    const { PROCORE_COMPANY_IDS: companyIds = null } = context.read(companiesSchema);
    const { id, company: companyId, project: projectId } = asked;
    const explained: Explained = {
      id,
      ...(await explainRecord(
        { database, catalogue, selection: { companyIds, resources } },
        { resource: asked.resource, id, companyId, projectId, now: now() },
      )),
    };
    if (explained.stories.length === 0)
      throw new UsageError(['the mirror knows no company yet: set PROCORE_COMPANY_IDS, and start a worker']);
    output.result(explainedAsJson(explained), () => explainedInWords(explained));
    if (explained.isCutOff) output.note('There are more; choose with --company and --project.');
    return explained.stories.every(({ verdict }) => verdict === 'fine') ? exitCode.fine : exitCode.foundSomethingWrong;
  });
}

/** Throws a UsageError for what no record of the resource can have. */
function checkRecord(
  table: (Parameters<typeof isFittingId>[0] & { scope: string }) | null,
  { resource, id, project }: Options & { resource: string; id: string },
): void {
  if (table === null) return;
  if (!isFittingId(table, id))
    throw new UsageError([
      `${printable(id)} is no id of ${resource}: it is ${table.idType === 'text' ? 'letters and digits' : 'a number'}`,
    ]);
  if (table.scope === 'company' && project !== undefined)
    throw new UsageError([`${resource} are of companies, not of projects: leave out --project`]);
}
