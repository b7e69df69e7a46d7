import {
  countHeld,
  type Database,
  findCompaniesOf,
  forgetPlace,
  type Held,
  type Place,
  readActive,
  readSelected,
} from '@procore-mirror/database';
import { stillSelected } from '@procore-mirror/mirror';
import type { Command } from 'commander';
import { checkPart } from '../check-part.ts';
import type { Context } from '../context.ts';
import { selectionSchema } from '../env.ts';
import { UsageError } from '../errors.ts';
import { exitCode } from '../exit-code.ts';
import { companyOrProjectId } from '../options.ts';
import { counted, table } from '../output.ts';
import type { Run } from '../run.ts';

type Options = { company?: string; project?: string; yes?: boolean; json?: boolean };

export function addForget(parent: Command, run: Run): void {
  parent
    .command('forget')
    .description(
      'Removes the rows of a company or project that is no longer selected. Without --yes it says what it would remove.',
    )
    .option('--company <id>', 'of this company', companyOrProjectId)
    .option('--project <id>', 'of this project', companyOrProjectId)
    .option('--yes', 'remove it')
    .option('--json', 'print the result as JSON')
    .action((options: Options) =>
      run(options, (context) => {
        if (options.company === undefined && options.project === undefined) {
          throw new UsageError(['say what to forget: --company or --project, with its id']);
        }
        return context.withDatabase(async (database) => {
          await checkPart(context, database, options);
          const place = await placeOf(database, options);
          await insistOnUnselected(context, database, place);
          const held = await countHeld(database.pool, place);
          if (options.yes !== true) return tellPlan(context, place, held);
          return remove(context, database, place, held);
        });
      }),
    );
}

/** Ids of projects tell the company, mostly. */
async function placeOf(database: Database, { company, project }: Options): Promise<Place> {
  const projectId = project ?? null;
  if (projectId === null || company !== undefined) return { companyId: company ?? '', projectId };
  const [companyId, ...others] = await findCompaniesOf(database, projectId);
  if (companyId !== undefined && others.length === 0) return { companyId, projectId };
  if (companyId === undefined)
    throw new UsageError([`of which company project ${projectId} is, the mirror does not know: say --company`]);
  throw new UsageError([
    `companies ${[companyId, ...others].join(' and ')} have a project ${projectId}: say --company`,
  ]);
}

async function insistOnUnselected(context: Context, database: Database, place: Place): Promise<void> {
  const env = context.read(selectionSchema);
  const wanted = { companyIds: env.PROCORE_COMPANY_IDS ?? null, projects: env.MIRROR_PROJECTS };
  const isSelected = await readSelected(database.pool, place);
  const isActive = place.projectId === null ? null : await readActive(database.pool, place);
  const reason = stillSelected(place, wanted, { isSelected, isActive });
  if (reason !== null) throw new UsageError([reason]);
}

function tellPlan(context: Context, place: Place, held: readonly Held[]) {
  const lines = named(context, held);
  context.output.result(resultOf(place, lines, false), () =>
    lines.length === 0
      ? `The mirror holds nothing of ${inWords(place)}.`
      : [
          table(
            ['table', 'resource', 'rows'],
            lines.map((line) => [line.table, line.resource, line.rows]),
          ),
          `${counted(sum(lines), 'row')} of ${inWords(place)} would be removed; events stay in the log. Nothing was changed: --yes removes them.`,
        ].join('\n\n'),
  );
  return exitCode.fine;
}

async function remove(context: Context, database: Database, place: Place, held: readonly Held[]) {
  const { output, signal } = context;
  const total = sum(held);
  const removed = new Map<string, number>();
  let done = 0;
  const onRemoved = ({ table: name, rows }: Held) => {
    if (!removed.has(name)) output.note(`${done} of ${total} rows: removing ${name}`);
    removed.set(name, (removed.get(name) ?? 0) + rows);
    done += rows;
  };
  const isGone = await forgetPlace(database, place, { signal, onRemoved });
  const lines = named(
    context,
    [...removed].map(([name, rows]) => ({ table: name, rows })),
  );
  output.result({ ...resultOf(place, lines, true), gone: isGone }, () =>
    [
      `Removed ${counted(done, 'row')} of ${inWords(place)}.`,
      ...(isGone
        ? []
        : [
            'More of it came meanwhile: a worker still mirrors it. Give all workers the settings of this command, then repeat it.',
          ]),
    ].join('\n'),
  );
  return isGone ? exitCode.fine : exitCode.foundSomethingWrong;
}

type Line = Held & { resource: string | null };

function named(context: Context, held: readonly Held[]): Line[] {
  const { mirrored } = context.catalogue().catalogue;
  const resources = new Map(mirrored.map(({ table: { name }, resource }) => [`procore.${name}`, resource]));
  return held.map((one) => ({ ...one, resource: resources.get(one.table) ?? null }));
}

function resultOf({ companyId, projectId }: Place, lines: readonly Line[], removed: boolean) {
  return { company_id: companyId, project_id: projectId, removed, rows: sum(lines), tables: lines };
}

function sum(held: readonly Held[]): number {
  return held.reduce((total, { rows }) => total + rows, 0);
}

function inWords({ companyId, projectId }: Place): string {
  return projectId === null ? `company ${companyId}` : `project ${projectId} of company ${companyId}`;
}
