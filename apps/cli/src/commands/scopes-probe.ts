import { askForProbes, type ProbeState } from '@procore-mirror/database';
import { at, watchProbes } from '@procore-mirror/mirror';
import type { Command } from 'commander';
import { watchWorkers } from '../ask-workers.ts';
import { checkPart, type PartOptions } from '../check-part.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { companyOrProjectId } from '../options.ts';
import { counted, table } from '../output.ts';
import type { Run } from '../run.ts';

type Options = PartOptions & { detach?: boolean; json?: boolean };
type Scope = Pick<ProbeState, 'companyId' | 'projectId' | 'resource'>;

export function addScopesProbe(parent: Command, run: Run): void {
  parent
    .command('probe')
    .description(
      'Has the workers probe now what is parked, and says what came of it. Exit code 1 when something stays parked, 3 without a worker.',
    )
    .option('--company <id>', 'of this company, and what covers it', companyOrProjectId)
    .option('--project <id>', 'of this project, and what covers it', companyOrProjectId)
    .option('--resource <name>', 'of this resource, and what covers it')
    .option('--detach', 'return when the probes are asked for')
    .option('--json', 'print the result as JSON')
    .action((options: Options) => run(options, (context) => probe(context, options)));
}

async function probe(context: Context, options: Options): Promise<ExitCode> {
  const { output, signal } = context;
  return context.withDatabase(async (database) => {
    await checkPart(context, database, options);
    const { company: companyId, project: projectId, resource } = options;
    const { asked, forgotten } = await askForProbes(database, { companyId, projectId, resource });
    const watched =
      asked.length === 0
        ? { end: 'done' as const, probes: [] }
        : await watchWorkers(context, {
            ...{ database, command: 'scopes list', detach: options.detach },
            answer: { json: { asked: asked.map(placeOf), forgotten }, words: 'Probes: the workers make them' },
            watch: () => watchProbes({ database, asked, display: output, signal }),
          });
    if (watched === null) return exitCode.fine;
    const { probes } = watched;
    output.result({ state: watched.end === 'done' ? 'done' : 'under way', probes, forgotten }, () =>
      inWords(probes, forgotten),
    );
    return probes.every(({ state }) => state === 'answered') ? exitCode.fine : exitCode.foundSomethingWrong;
  });
}

function placeOf({ companyId, projectId, resource }: Scope): Scope {
  return { companyId, projectId, resource };
}

function inWords(probes: readonly ProbeState[], forgotten: readonly Scope[]): string {
  const idle = `${counted(forgotten.length, 'scope')} of which nothing waits: parked no more, the next news tells.`;
  if (probes.length === 0) return forgotten.length === 0 ? 'Nothing is parked.' : idle;
  const rows = probes.map((one) => [
    ...[one.companyId ?? 'all', one.projectId ?? 'all', one.resource ?? 'all'],
    WORDS[one.state],
    one.state === 'answered' ? null : at(one.probeAt),
    one.state === 'answered' ? null : one.detail,
  ]);
  const told = table(['company', 'project', 'resource', 'came of it', 'next probe', 'detail'], rows);
  return forgotten.length === 0 ? told : `${told}\n${idle}`;
}

const WORDS = { answered: 'answers again', refused: 'stays parked', open: 'no probe was made yet' } as const;
