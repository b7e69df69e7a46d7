import type pg from 'pg';
import { quoteName } from './quote.ts';

/** The role that SQL consumers are members of; it cannot log in. */
export const READER = 'procore_reader';

/**
 * Lets the role read schema `procore`, tables to come included, and `mirror.freshness`, and nothing else. Creates it if
 * that is allowed. Where it is missing and cannot be made the mirror works all the same; a notice says who can help.
 */
export async function grantReader(
  client: pg.ClientBase,
  role: string,
  onProgress: (line: string) => void,
): Promise<void> {
  if (!(await roleExists(client, role))) await client.query(createStatement(role));
  if (await roleExists(client, role)) {
    await client.query(grantStatements(quoteName(role)));
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

function grantStatements(role: string): string {
  return `
grant usage on schema procore, mirror to ${role};
grant select on all tables in schema procore to ${role};
alter default privileges in schema procore grant select on tables to ${role};
grant select on mirror.freshness to ${role};
revoke execute on all functions in schema mirror from public`;
}

async function roleExists(client: pg.ClientBase, role: string): Promise<boolean> {
  const { rowCount } = await client.query('select from pg_roles where rolname = $1', [role]);
  return rowCount === 1;
}
