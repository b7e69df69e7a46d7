// What the role of a process must be allowed. Postgres says "permission denied" and no more; here it is said to whom, and what an
// administrator is to run.
import type { Queryable } from '../connection/queryable.ts';
import { DatabaseVersionError } from '../errors.ts';
import type { MirroredTable } from '../schema/mirrored-table.ts';
import { type Migration, namesOfOurs } from './migration-ledger.ts';
import type { SqlFunction } from './sql-functions.ts';

type SchemaRights = { name: string; owner: string | null; may_use: boolean; may_make: boolean };

const ADMINISTRATOR = 'let an administrator run';

/** Throws DatabaseVersionError when this role cannot make what migrations make, or change what is there. */
export async function checkMigrationRights(
  client: Queryable,
  tables: readonly MirroredTable[],
  migrations: readonly Migration[],
  functions: readonly SqlFunction[],
): Promise<void> {
  const { role, to, database, mayMakeSchemas } = await readRole(client);
  const schemas = await readSchemas(client);
  const missing = schemas.filter(({ owner }) => owner === null).map(({ name }) => name);
  if (missing.length > 0 && !mayMakeSchemas) {
    const statements = missing.map((name) => `create schema ${name} authorization ${to}`);
    throw new DatabaseVersionError(
      `user ${role} may not make schemas in the database ${database}: ${ADMINISTRATOR} \`${statements.join('; ')}\` ` +
        `(and \`create schema bullmq authorization ${to}\` if the queue is on this Postgres), then run \`pnpm mirror migrate\` again`,
    );
  }
  const closed = schemas.filter(({ owner, may_use, may_make }) => owner !== null && !(may_use && may_make));
  if (closed.length > 0) {
    const names = closed.map(({ name }) => name).join(', ');
    throw new DatabaseVersionError(
      `user ${role} may not make tables in ${closed.map(({ name, owner }) => `${name}, which belongs to ${owner}`).join(', nor in ')}: ` +
        `${ADMINISTRATOR} \`grant usage, create on schema ${names} to ${to}\`, then run \`pnpm mirror migrate\` again`,
    );
  }
  const { rows } = await client.query<{ kind: string; name: string; owner: string }>(OF_OTHERS, [
    tables.map(({ name }) => name),
    namesOfOurs(migrations, functions),
  ]);
  const [first] = rows;
  if (first === undefined) return;
  const statements = rows.map(({ kind, name }) => `alter ${kind} ${name} owner to ${to}`);
  throw new DatabaseVersionError(
    `${first.name} belongs to ${first.owner}, and user ${role} must be its owner or a member of that role to migrate: ` +
      `${ADMINISTRATOR} \`${statements.join('; ')}\`, then run \`pnpm mirror migrate\` again; nothing was changed`,
  );
}

/** Throws DatabaseVersionError when this role may not read the mirror's tables, or not write them where `tables` are to be written. */
export async function checkRights(
  client: Queryable,
  tables: readonly MirroredTable[],
  migrations: readonly Migration[],
  functions: readonly SqlFunction[],
): Promise<void> {
  const { role, to } = await readRole(client);
  const closed = (await readSchemas(client)).find(({ owner, may_use }) => owner !== null && !may_use);
  if (closed !== undefined) {
    throw new DatabaseVersionError(
      `user ${role} may not use schema ${closed.name}, which belongs to ${closed.owner}: ${ADMINISTRATOR} ` +
        `\`grant usage on schema mirror, procore to ${to}\``,
    );
  }
  const writes = tables.length > 0;
  const { rows } = await client.query<{ name: string; owner: string }>(NOT_ALLOWED, [
    tables.map(({ name }) => name),
    namesOfOurs(migrations, functions),
    writes ? ['select', 'insert', 'update', 'delete'] : ['select'],
    writes,
  ]);
  const [first] = rows;
  if (first === undefined) return;
  const more = rows.length > 1 ? ` (and ${rows.length - 1} more)` : '';
  const grants = writes
    ? ['tables in schema mirror, procore', 'sequences in schema mirror', 'functions in schema mirror'].map(
        (what) => `grant all on all ${what} to ${to}`,
      )
    : [`grant select on all tables in schema mirror to ${to}`];
  throw new DatabaseVersionError(
    `user ${role} may not use ${first.name}${more} as it must; it belongs to ${first.owner}: ${ADMINISTRATOR} \`${grants.join('; ')}\``,
  );
}

type Role = { role: string /** As SQL writes it. */; to: string; database: string; mayMakeSchemas: boolean };

async function readRole(client: Queryable): Promise<Role> {
  const { rows } = await client.query(
    `select current_user::text as role, quote_ident(current_user) as "to", current_database()::text as database,
      has_database_privilege(current_database(), 'create') as "mayMakeSchemas"`,
  );
  return rows[0];
}

async function readSchemas(client: Queryable): Promise<SchemaRights[]> {
  const { rows } = await client.query<SchemaRights>(
    `select w.name, pg_get_userbyid(n.nspowner)::text as owner,
        coalesce(has_schema_privilege(n.oid, 'usage'), false) as may_use,
        coalesce(has_schema_privilege(n.oid, 'create'), false) as may_make
      from unnest(array['mirror', 'procore']) with ordinality as w(name, place) left join pg_namespace n on n.nspname = w.name
      order by place`,
  );
  return rows;
}

// Only what is ours: a backup that somebody keeps in one of the schemas, or a tool's table, is none of our business.
const RELATIONS = `
select c.oid, c.relkind, c.relowner as owner, n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'S') and c.relname = any(case n.nspname when 'mirror' then $2::text[] when 'procore' then $1::text[] end)
  and not exists (select from pg_depend d where d.objid = c.oid and d.classid = 'pg_class'::regclass and d.deptype in ('i', 'a'))`;

const OF_OTHERS = `
select case relkind when 'v' then 'view' when 'S' then 'sequence' else 'table' end as kind,
  format('%I.%I', nspname, relname) as name, pg_get_userbyid(owner)::text as owner
from (${RELATIONS}) as r where not pg_has_role(owner, 'usage')
union all
select case prokind when 'p' then 'procedure' else 'function' end, oid::regprocedure::text, pg_get_userbyid(proowner)::text
from pg_proc where pronamespace = to_regnamespace('mirror') and proname = any($2) and not pg_has_role(proowner, 'usage')
union all
select 'type', oid::regtype::text, pg_get_userbyid(typowner)::text
from pg_type where typnamespace = to_regnamespace('mirror') and typname = any($2) and typtype in ('e', 'd') and not pg_has_role(typowner, 'usage')
order by 2`;

const NOT_ALLOWED = `
select format('%I.%I', nspname, relname) as name, pg_get_userbyid(owner)::text as owner from (${RELATIONS}) as r
where case
  when relkind = 'S' then $4 and not (has_sequence_privilege(oid, 'usage') and has_sequence_privilege(oid, 'update'))
  when relkind = 'v' or relname = 'migrations' then not has_table_privilege(oid, 'select')
  else exists (select from unnest($3::text[]) as p(privilege) where not has_table_privilege(oid, privilege)) end
union all
select oid::regprocedure::text, pg_get_userbyid(proowner)::text from pg_proc
where $4 and pronamespace = to_regnamespace('mirror') and proname = any($2) and not has_function_privilege(oid, 'execute')
order by 1`;
