// The data dictionary, docs/tables.md: what SQL users find in schema `procore`, from the entries that make it.
import { OWN_COLUMNS } from '@procore-mirror/database';
import type { CatalogueEntry } from './catalogue-entry.ts';
import type { Catalogue, CataloguedResource } from './catalogued-resource.ts';
import { isListedByParent } from './relatives.ts';

const HEAD = `# Tables

Every table of schema \`procore\`, generated from the catalogue (\`packages/catalogue/src/entries\`); a test keeps it so.
Tables that an operator adds with \`MIRROR_CATALOGUE\` are not in it: see \`\\d+ procore.<table>\`, where all of this stands in
comments, too.

Each table has \`company_id\`, \`id\` and, for records of a project, \`project_id\`; then the columns listed here, each named as
Procore names the field and NULL where Procore sends none; then the mirror's own:

${rows(
  ['column', 'type', 'holds'],
  OWN_COLUMNS.map(({ name, type, meaning }) => [`\`${name}\``, type, meaning]),
)}

Live rows: \`_deleted_at is null and _hidden_at is null\`. A field that has no column is in \`_data\`: \`_data ->> 'field'\`.
*Read by* says how a changed record is fetched. Where no list tells of all records, those from before the first event
are not in the mirror.`;

/** The text of docs/tables.md. */
export function tablesDocument({ mirrored, entries }: Catalogue): string {
  const byTool = Map.groupBy(mirrored, ({ tool }) => tool);
  const tools = [...byTool].toSorted(([a], [b]) => a.localeCompare(b, 'en'));
  return `${[
    HEAD,
    contents(tools),
    ...tools.flatMap(([tool, entries]) => [`## ${tool}`, ...entries.map(section)]),
    '## Not mirrored',
    'Events of these are logged (`mirror.events`) and ignored with the reason `no_known_endpoint`.',
    rows(['resource', 'scope', 'events', 'why'], entries.filter(({ table }) => table === null).map(unreadRow)),
  ].join('\n\n')}\n`;
}

function contents(tools: readonly (readonly [string, readonly CataloguedResource[]])[]): string {
  const names = (entries: readonly CataloguedResource[]) => entries.map(({ table }) => `\`${table.name}\``).join(', ');
  return rows(
    ['tool', 'tables'],
    tools.map(([tool, entries]) => [tool, names(entries)]),
  );
}

function section(entry: CataloguedResource): string {
  const { resource, scope, events, table, parent } = entry;
  const key = ['company_id', ...(entry.idRepeatsAcrossProjects ? ['project_id'] : []), 'id'];
  const facts = [
    `${resource}, of the ${scope}. Key: ${key.map((name) => `\`${name}\``).join(', ')} (${table.idType}).`,
    ...(parent === null ? [] : [parentLine(entry)]),
    `Read by ${readBy(entry)}. Events: ${events.join(', ')}.`,
    ...(entry.alsoChanges.length > 0 ? [`Its events change the rows of ${entry.alsoChanges.join(', ')}, too.`] : []),
  ];
  const columns = table.columns.map(({ name, type, note }) => [`\`${name}\``, type, note ?? '']);
  const fields =
    columns.length === 0 ? 'No fields are documented: all are in `_data`.' : rows(['column', 'type', 'note'], columns);
  return `### procore.${table.name}\n\n${facts.join('\n')}\n\n${fields}`;
}

function parentLine({ parent }: CataloguedResource): string {
  const names = [parent?.resource, ...(parent?.alsoOf ?? [])].join(' or ');
  return `Parent: \`${parent?.key}\`, the id in ${names}${parent?.repeatsChild ? ', which show these, too' : ''}.`;
}

function readBy(entry: CataloguedResource): string {
  const { show, list, parent } = entry;
  const ways = [
    ...(show === null ? [] : [`show (\`${show}\`)`]),
    ...(list === null ? [] : [`list (\`${list.path}\`, ${listLine(entry)})`]),
    ...(list?.also ?? []).map((path) => `a further list (\`${path}\`)`),
    ...(parent?.embeddedAs ? [`show of its parent, in \`${parent.embeddedAs}\``] : []),
    ...(list === null && !parent?.embeddedAs ? ['no list'] : []),
  ];
  return ways.join(', ');
}

function listLine(entry: CataloguedResource): string {
  const { list } = entry;
  const carries = list?.carries === 'whole record' ? 'whole records' : 'parts of the records';
  return [
    carries,
    ...(isListedByParent(entry) ? ['one parent each'] : []),
    ...(list?.todayOnly ? ['by date'] : []),
    ...(list?.shared ? ['among others, so only those with events'] : []),
  ].join(', ');
}

function unreadRow({ resource, scope, events, unread }: CatalogueEntry): string[] {
  return [resource, scope, events.join(', '), unread ?? ''];
}

function rows(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...lines.map(line)].join('\n');
}
