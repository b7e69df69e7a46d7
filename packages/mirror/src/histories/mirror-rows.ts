// What the mirror holds of a world, and where that differs from it.
import { isDeepStrictEqual } from 'node:util';
import type { CataloguedResource } from '@procore-mirror/catalogue';
import type { Database, Queryable } from '@procore-mirror/database';
import type { Known, ScriptedWorld } from './scripted-world.ts';
import { wholeRecord } from './world-answers.ts';
import type { WorldRecord } from './world-record.ts';

type Row = {
  id: string;
  project_id: string | null;
  parent_id: string | null;
  data: unknown;
  complete: boolean;
  mark: 'live' | 'hidden' | 'buried';
};

type Place = Pick<Row, 'project_id' | 'parent_id'>;

export const nothingKnown: Known = { rows: new Set(), pending: new Set() };

/** What the mirror knows of the records, as far as the world must know that. */
export async function readKnown({ pool }: Database, world: ScriptedWorld): Promise<Known> {
  const { members } = world.family;
  const [pending, ...tables] = await Promise.all([
    pool.query<{ key: string }>(
      `select coalesce(project_id::text, 'null') || '/' || record_id as key from mirror.pending where company_id = $1`,
      [world.companyId],
    ),
    ...members.map((member) => readRows(pool, member, world.companyId)),
  ]);
  const rows = tables.flat().filter((row) => {
    const record = world.records.get(row.id);
    return record !== undefined && isDeepStrictEqual(placeOf(row), placeIn(record));
  });
  return { rows: new Set(rows.map(({ id }) => id)), pending: new Set(pending.rows.map(({ key }) => key)) };
}

/** Everything that is not as Procore has it, a line each; empty when all is well. */
export async function readDifferences(database: Database, world: ScriptedWorld): Promise<string[]> {
  const lines: string[] = [];
  for (const member of world.family.members) {
    const rows = new Map((await readRows(database.pool, member, world.companyId)).map((row) => [row.id, row]));
    const records = [...world.records.values()].filter(({ entry }) => entry === member);
    for (const record of records) lines.push(...compare(world, record, rows.get(record.id)));
  }
  const left = await database.pool.query<{ line: string }>(
    `select format('%s %s of project %s is still pending in lane %s: %s', resource, record_id,
        coalesce(project_id::text, 'none'), lane, coalesce(last_error, 'no error')) as line
      from mirror.pending where company_id = $1
      union all select format('a dead letter: %s, %s', reason, detail) from mirror.dead_letters`,
    [world.companyId],
  );
  return [...lines, ...left.rows.map(({ line }) => line)];
}

function compare(world: ScriptedWorld, record: WorldRecord, row: Row | undefined): string[] {
  const name = `${record.entry.resource} ${record.id}`;
  if (record.life !== 'alive') return row?.mark === 'live' ? [`${name} is gone, and the mirror shows it`] : [];
  if (row === undefined) return [`${name} is there, and the mirror has no row of it`];
  if (row.mark !== 'live') return [`${name} is there, and the mirror has it ${row.mark}`];
  const expected = { ...placeIn(record), complete: true, data: wholeRecord(world, record, null) };
  const actual = { ...placeOf(row), complete: row.complete, data: row.data };
  if (isDeepStrictEqual(actual, expected)) return [];
  return [`${name} is       ${JSON.stringify(expected)}`, `${name} is shown ${JSON.stringify(actual)}`];
}

const placeOf = ({ project_id, parent_id }: Row): Place => ({ project_id, parent_id });
const placeIn = ({ entry, projectId, parentId }: WorldRecord): Place => ({
  project_id: projectId,
  parent_id: entry.table.parentKey === null ? null : parentId,
});

async function readRows(pool: Queryable, { table }: CataloguedResource, companyId: string): Promise<Row[]> {
  const { rows } = await pool.query<Row>({
    name: `rows-of-${table.name}`,
    text: `select id::text as id, ${table.scope === 'project' ? 'project_id::text' : 'null'} as project_id,
        ${table.parentKey === null ? 'null' : `${table.parentKey}::text`} as parent_id,
        _data as data, _complete as complete,
        case when _deleted_at is not null then 'buried' when _hidden_at is not null then 'hidden' else 'live' end as mark
      from procore.${table.name} where company_id = $1 order by id`,
    values: [companyId],
  });
  return rows;
}
