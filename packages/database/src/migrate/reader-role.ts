import type pg from 'pg';
import { quoteName } from '../schema/quote.ts';

/** The role that SQL consumers are members of; it cannot log in. */
export const READER = 'procore_reader';

/**
 * Lets the role read schema `procore`, tables to come included, and `mirror.freshness`, and nothing else. Creates it if
 * that is allowed. Nobody but the owner may call functions of the mirror, with or without that role. Where it is missing and cannot be made the mirror works all the same; a notice says who can help.
 */
export async function grantReader(
  client: pg.ClientBase,
  role: string,
  onProgress: (line: string) => void,
): Promise<void> {
  await client.query(CLOSE_FUNCTIONS);
  if (!(await roleExists(client, role))) await client.query(createStatement(role));
  if (await roleExists(client, role)) {
    const { statements, notice } = await lackingGrants(client, role);
    if (statements.length > 0) await client.query(statements.join(';\n'));
    if (notice !== null) onProgress(notice);
    return;
  }
  const { rows } = await client.query<{ name: string }>('select current_user as name');
  onProgress(
    `role ${role} is missing and user ${rows[0]?.name} may not create roles: let an administrator run ` +
      `\`create role ${role} nologin\`, then migrate again for its grants`,
  );
}

// Roles belong to the server, so another database may be creating it at this moment.
function createStatement(role: string): string {
  return `
do $$ begin
  create role ${quoteName(role)} nologin;
exception when duplicate_object or unique_violation or insufficient_privilege then
  null;
end $$`;
}

/**
 * What is to be granted so that the role has its rights; nothing when it has them. `notice`: what
 * only an administrator can grant.
 */
async function lackingGrants(
  client: pg.ClientBase,
  role: string,
): Promise<{ statements: string[]; notice: string | null }> {
  const to = `to ${quoteName(role)}`;
  const { rows } = await client.query<{
    usage: boolean;
    may_grant: boolean;
    tables: string[] | null;
    later: boolean;
    view: boolean;
  }>(LACKING, [role]);
  const [lacks] = rows;
  const usage = lacks?.usage ? [`grant usage on schema procore, mirror ${to}`] : [];
  const statements = [
    ...(lacks?.may_grant ? usage : []),
    ...(lacks?.tables ? [`grant select on ${lacks.tables.join(', ')} ${to}`] : []),
    ...(lacks?.later ? [`alter default privileges in schema procore grant select on tables ${to}`] : []),
    ...(lacks?.view ? [`grant select on mirror.freshness ${to}`] : []),
  ];
  const notice =
    usage.length === 0 || lacks?.may_grant
      ? null
      : `role ${role} may not use the schemas yet, which belong to somebody else: let an administrator run \`grant usage on schema procore, mirror to ${role}\``;
  return { statements, notice };
}

// Tables of other tools in schema procore are theirs to grant.
const LACKING = `
select
  not (has_schema_privilege($1, 'procore', 'usage') and has_schema_privilege($1, 'mirror', 'usage')) as usage,
  has_schema_privilege('procore', 'usage with grant option') and has_schema_privilege('mirror', 'usage with grant option')
    as may_grant,
  (select array_agg(format('%I.%I', 'procore', relname)) from pg_class where relnamespace = 'procore'::regnamespace
    and relkind in ('r', 'p', 'v', 'm', 'f') and pg_has_role(relowner, 'usage')
    and not has_table_privilege($1, oid, 'select')) as tables,
  not exists (select from pg_default_acl d, aclexplode(d.defaclacl) a
    where d.defaclrole = current_user::regrole and d.defaclnamespace = 'procore'::regnamespace and d.defaclobjtype = 'r'
      and a.grantee = $1::regrole and a.privilege_type = 'SELECT') as later,
  not has_table_privilege($1, 'mirror.freshness', 'select') as view`;

// Some do with the rights of their owner what who calls them may not.
const CLOSE_FUNCTIONS = `
do $$ begin
  if exists (select from pg_proc where pronamespace = 'mirror'::regnamespace and has_function_privilege('public', oid, 'execute')) then
    revoke execute on all functions in schema mirror from public;
  end if;
end $$`;

async function roleExists(client: pg.ClientBase, role: string): Promise<boolean> {
  const { rowCount } = await client.query('select from pg_roles where rolname = $1', [role]);
  return rowCount === 1;
}
