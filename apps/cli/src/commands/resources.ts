import type { Catalogue } from '@procore-mirror/catalogue';
import { DatabaseVersionError, type Freshness, readStatus } from '@procore-mirror/database';
import { isSelected } from '@procore-mirror/mirror';
import { ConfigError } from '@procore-mirror/runtime';
import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { ServerUnreachableError } from '../errors.ts';
import { exitCode } from '../exit-code.ts';
import { table } from '../output.ts';
import type { Run } from '../run.ts';

type ResourceLine = {
  resource: string;
  tool: string;
  scope: 'company' | 'project';
  /** Null: not mirrored. */
  table: string | null;
  /** How its records are read: `show`, `list`, `parent`; none where they cannot be. */
  read: readonly string[];
  unread: string | null;
  parents: readonly string[];
  events: readonly string[];
  selected: boolean;
  /** Live rows, and records that wait for their fetch; null when the database could not be asked. */
  rows: string | null;
  pending: string | null;
};

export function addResources(parent: Command, run: Run): void {
  parent
    .command('resources')
    .description('Every resource: how it is read, whether it is mirrored, and how much of it there is.')
    .option('--json', 'print the result as JSON')
    .action((options: { json?: boolean }) =>
      run(options, async (context) => {
        const { catalogue, resources } = context.catalogue();
        const freshness = await tryFreshness(context);
        const lines = catalogue.entries.map(lineOf).map((line) => ({
          ...line,
          selected: isSelected(line, { resources }),
          ...countsOf(line, freshness),
        }));
        context.output.result(lines, () => inWords(lines));
        return exitCode.fine;
      }),
    );
}

function lineOf(entry: Catalogue['entries'][number]): Omit<ResourceLine, 'selected' | 'rows' | 'pending'> {
  const { resource, tool, scope, show, list, parent, unread, events } = entry;
  const ways: [way: string, exists: boolean][] = [
    ['show', show !== null],
    ['list', list !== null],
    ['parent', parent !== null && parent.embeddedAs !== null],
  ];
  const read = ways.filter(([, exists]) => exists).map(([way]) => way);
  const parents = parent === null ? [] : [parent.resource, ...parent.alsoOf];
  return { resource, tool, scope, table: entry.table?.name ?? null, read, unread, parents, events };
}

/** Null when the database does not answer, is not ours yet, or is not known: the rest is worth printing all the same. */
async function tryFreshness({ withDatabase, output }: Context): Promise<readonly Freshness[] | null> {
  try {
    return (await withDatabase(({ pool }) => readStatus(pool))).freshness;
  } catch (error) {
    const isExpected =
      error instanceof ServerUnreachableError || error instanceof DatabaseVersionError || error instanceof ConfigError;
    if (!isExpected) throw error;
    output.note(`no rows are shown: ${error.message}`);
    return null;
  }
}

function countsOf(
  { resource, table: name }: Pick<ResourceLine, 'resource' | 'table'>,
  freshness: readonly Freshness[] | null,
): Pick<ResourceLine, 'rows' | 'pending'> {
  if (freshness === null || name === null) return { rows: null, pending: null };
  const own = freshness.filter((row) => row.resource === resource);
  const sum = (pick: (row: Freshness) => string) => String(own.reduce((total, row) => total + BigInt(pick(row)), 0n));
  return { rows: sum((row) => row.rows), pending: sum((row) => row.pending) };
}

function inWords(lines: readonly ResourceLine[]): string {
  const mirrored = lines.filter((line) => line.table !== null && line.selected).length;
  return [
    table(
      ['resource', 'scope', 'table', 'read by', 'events', 'selected', 'rows', 'pending'],
      lines.map((line) => [
        line.resource,
        line.scope,
        line.table === null ? '' : `procore.${line.table}`,
        line.unread ?? readBy(line),
        line.events.join(', '),
        line.selected ? 'yes' : 'no',
        line.rows,
        line.pending,
      ]),
    ),
    `${lines.length} resources, ${mirrored} of them mirrored here`,
  ].join('\n\n');
}

function readBy({ read, parents }: ResourceLine): string {
  if (parents.length === 0) return read.join(', ');
  return `${read.join(', ')} of ${parents.join(' or ')}`;
}
