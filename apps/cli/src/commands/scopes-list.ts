import { COUNTED_AT_MOST, listParked, type ParkedDetails } from '@procore-mirror/database';
import { at } from '@procore-mirror/mirror';
import type { Command } from 'commander';
import { checkPart, type PartOptions } from '../check-part.ts';
import { exitCode } from '../exit-code.ts';
import { companyOrProjectId } from '../options.ts';
import { ago, counted, table } from '../output.ts';
import type { Run } from '../run.ts';

type Options = PartOptions & { json?: boolean };

export function addScopesList(parent: Command, run: Run): void {
  parent
    .command('list')
    .description(
      'What is parked: since when, why, when the next probe is due, and what waits. Exit code 1 when anything is.',
    )
    .option('--company <id>', 'of this company, and what covers it', companyOrProjectId)
    .option('--project <id>', 'of this project, and what covers it', companyOrProjectId)
    .option('--resource <name>', 'of this resource, and what covers it')
    .option('--json', 'print the result as JSON')
    .action((options: Options) =>
      run(options, (context) =>
        context.withDatabase(async (database) => {
          await checkPart(context, database, options);
          const { company: companyId, project: projectId, resource } = options;
          const parked = await listParked(database.pool, { companyId, projectId, resource });
          context.output.result(parked, () => inWords(parked, context.now()));
          return parked.length === 0 ? exitCode.fine : exitCode.foundSomethingWrong;
        }),
      ),
    );
}

function inWords(parked: readonly ParkedDetails[], now: Date): string {
  if (parked.length === 0) return 'Nothing is parked.';
  const head = ['company', 'project', 'resource', 'parked', 'reason', 'next probe', 'refused', 'waits', 'detail'];
  return table(
    head,
    parked.map((scope) => [
      ...[scope.companyId ?? 'all', scope.projectId ?? 'all', scope.resource ?? 'all'],
      `${ago(scope.parkedAt, now)} ago`,
      scope.reason,
      at(scope.probeAt),
      scope.probes,
      waitsInWords(scope),
      scope.detail,
    ]),
  );
}

function waitsInWords({ pending, fills }: ParkedDetails): string {
  const records = pending > COUNTED_AT_MOST ? `over ${COUNTED_AT_MOST} records` : counted(pending, 'record');
  const said = [...(pending > 0 ? [records] : []), ...(fills > 0 ? [counted(fills, 'fill')] : [])];
  return said.length === 0 ? 'nothing' : said.join(', ');
}
