// Who may do what with the mirror, beside its owner.
import type { Queryable } from '../connection/queryable.ts';
import { READER } from '../migrate/reader-role.ts';

export type RightsFacts = {
  /** Of the role of SQL users; null: there is no such role. Names are those of relations, `schema.name`. */
  reader: {
    mayLogIn: boolean;
    /** What it may not read though SQL users are promised it. */
    lacks: readonly string[];
    /** What it may change. */
    writes: readonly string[];
    /** What it may read that is not for SQL users, schema `bullmq` included. */
    seesMore: readonly string[];
  } | null;
  /** Who else may change rows of schema `procore`, but is no role of the mirror's own processes; null: everybody. */
  writers: readonly { role: string | null; first: string; count: number }[];
  /** Schemas of the mirror in which everybody may make tables. */
  openSchemas: readonly string[];
  /** Tables of schema `procore` that show rows by a policy only. */
  rowSecurity: readonly string[];
};

/** Reads it from the catalogue of Postgres, of a database that is migrated. */
export async function lookAtRights(client: Queryable): Promise<RightsFacts> {
  const { rows } = await client.query<{ rights: string }>(RIGHTS, [READER]);
  return JSON.parse(rows[0]?.rights ?? 'null') as RightsFacts; // made by the statement below
}

const WRITES = `'insert, update, delete, truncate'`;
const names = (condition: string) =>
  `(select coalesce(jsonb_agg(name order by name), '[]') from relations where ${condition})`;

// Processes may run as another role than the owner: such a role may write what is pending, too.
const RIGHTS = `
with reader as (select oid, rolcanlogin from pg_roles where rolname = $1),
relations as (
  select c.oid, c.relowner, c.relacl, c.relkind, c.relrowsecurity, n.nspname, format('%I.%I', n.nspname, c.relname) as name,
    n.nspname = 'procore' or (n.nspname, c.relname) = ('mirror', 'freshness') as is_promised
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname in ('procore', 'mirror', 'bullmq') and c.relkind in ('r', 'p', 'v', 'm', 'f')
),
writers as (
  select a.grantee, min(r.name) as first, count(distinct r.oid)::int as count
  from relations r cross join lateral aclexplode(r.relacl) a
  where r.nspname = 'procore' and a.privilege_type in ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE') and a.grantee <> r.relowner
    and a.grantee not in (select oid from reader)
  group by a.grantee
)
select jsonb_build_object(
  'reader', (select jsonb_build_object(
    'mayLogIn', rolcanlogin,
    'lacks', ${names("is_promised and not (has_schema_privilege(reader.oid, nspname, 'usage') and has_table_privilege(reader.oid, relations.oid, 'select'))")},
    'writes', ${names(`nspname <> 'bullmq' and has_table_privilege(reader.oid, relations.oid, ${WRITES})`)},
    'seesMore', ${names("not is_promised and has_schema_privilege(reader.oid, nspname, 'usage') and has_table_privilege(reader.oid, relations.oid, 'select')")}
  ) from reader),
  'writers', (select coalesce(jsonb_agg(jsonb_build_object(
      'role', case when grantee <> 0 then pg_get_userbyid(grantee) end, 'first', first, 'count', count) order by grantee), '[]')
    from writers where grantee = 0 or not has_table_privilege(grantee, 'mirror.pending', 'insert')),
  'openSchemas', (select coalesce(jsonb_agg(nspname order by nspname), '[]') from pg_namespace
    where nspname in ('procore', 'mirror', 'bullmq') and has_schema_privilege('public', oid, 'create')),
  'rowSecurity', ${names("nspname = 'procore' and relrowsecurity")}
)::text as rights`;
