import {
  countHeld,
  type Database,
  findCompaniesOf,
  forgetPlace,
  type Held,
  listHookPlaces,
  type Place,
  readActive,
  readSelected,
} from '@procore-mirror/database';
import { isWorkerThere, nameOf, removeHooks, stillSelected } from '@procore-mirror/mirror';
import { ConfigError } from '@procore-mirror/runtime';
import type { Command } from 'commander';
import { checkPart } from '../check-part.ts';
import type { Context } from '../context.ts';
import { hookNamespaceSchema, selectionSchema } from '../env.ts';
import { ServerUnreachableError, UsageError } from '../errors.ts';
import { exitCode } from '../exit-code.ts';
import { PAUSES_MS } from '../list-selected.ts';
import { companyOrProjectId } from '../options.ts';
import { counted, table } from '../output.ts';
import type { Run } from '../run.ts';

type Options = { company?: string; project?: string; yes?: boolean; json?: boolean };

export function addForget(parent: Command, run: Run): void {
  parent
    .command('forget')
    .description(
      'Removes the hooks and rows of a company or project that is no longer selected. Without --yes it says what it would remove. Exit code 1 when a hook still stands at Procore, or rows still came.',
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
          const hooked = await hookedIn(database, place);
          if (options.yes !== true) return tellPlan(context, place, held, hooked);
          const hooksLeft = await removeAtProcore(context, database, hooked);
          return remove(context, database, { place, held, hooksLeft });
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
  const known = { isSelected, isActive, isWorkerThere: await isWorkerThere(database) };
  const reason = stillSelected(place, wanted, known);
  if (reason !== null) throw new UsageError([reason]);
}

/** Where hooks of ours stand in the place, as far as we know. */
async function hookedIn(database: Database, { companyId, projectId }: Place): Promise<Place[]> {
  const places = await listHookPlaces(database.pool, [companyId]);
  return places.filter((one) => projectId === null || one.projectId === projectId);
}

type HookLeft = Place & { reason: string };

/** Removes them; returns those that stand still, and why. Who cannot ask Procore forgets the rest all the same. */
async function removeAtProcore(
  context: Context,
  database: Database,
  left: readonly Place[],
): Promise<readonly HookLeft[]> {
  if (left.length === 0) return [];
  const { signal } = context;
  try {
    const { WEBHOOK_NAMESPACE: namespace } = context.read(hookNamespaceSchema);
    const { catalogue } = context.catalogue();
    const found = await context.withProcore(database, (client) =>
      removeHooks({ client, catalogue, database, namespace, left, signal, pausesMs: PAUSES_MS }),
    );
    return found.flatMap(({ companyId, projectId, trouble, waits }) => {
      const reason = trouble ?? waits;
      return reason === null ? [] : { companyId, projectId, reason };
    });
  } catch (error) {
    if (!(error instanceof ServerUnreachableError || error instanceof ConfigError)) throw error;
    return left.map((place) => ({ ...place, reason: error.message }));
  }
}

function tellPlan(context: Context, place: Place, held: readonly Held[], hooked: readonly Place[]) {
  const lines = named(context, held);
  if (hooked.length > 0) context.output.note(`${counted(hooked.length, 'hook')} would be removed at Procore first.`);
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

async function remove(
  context: Context,
  database: Database,
  { place, held, hooksLeft }: { place: Place; held: readonly Held[]; hooksLeft: readonly HookLeft[] },
) {
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
  const hooks_left = hooksLeft.map(({ companyId, projectId, reason }) => ({
    ...{ company_id: companyId, project_id: projectId, reason },
  }));
  output.result({ ...resultOf(place, lines, true), gone: isGone, hooks_left }, () =>
    [
      `Removed ${counted(done, 'row')} of ${inWords(place)}.`,
      ...(isGone
        ? []
        : [
            'More of it came meanwhile: a worker still mirrors it. Give all workers the settings of this command, then repeat it.',
          ]),
      ...hooksLeft.map((left) => `The hook of ${nameOf(left)} was not removed: ${left.reason}`),
      ...(hooksLeft.length === 0
        ? []
        : [
            'What stands at Procore stays noted in mirror.hooks, and delivers events that are ignored. Repeat this later.',
          ]),
    ].join('\n'),
  );
  return isGone && hooksLeft.length === 0 ? exitCode.fine : exitCode.foundSomethingWrong;
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
