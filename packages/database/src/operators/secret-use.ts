// Which of the accepted secrets is in use. They are known by their fingerprints.
import type { Queryable } from '../connection/queryable.ts';

export type SecretUse = {
  deliveries: readonly SecretDeliveries[];
  /** Hooks that were given it last; null: nobody noted what they were given. */
  hooks: readonly { key: string | null; count: number }[];
};

/** Those that came with it in a company or project, among the newest 100,000 events. Moments are ISO 8601. */
export type SecretDeliveries = {
  key: string;
  companyId: string;
  /** Null: in the company itself. */
  projectId: string | null;
  /** When the first and the last came, and when the latest of what they tell happened. */
  firstAt: string;
  lastAt: string;
  lastHappenedAt: string;
};

const NEWEST_EVENTS = 100_000;

/** Of the hooks of these companies, and of all deliveries. */
export async function readSecretUse(client: Queryable, companyIds: readonly string[]): Promise<SecretUse> {
  const { rows } = await client.query<{ use: string }>(USE, [companyIds]);
  return JSON.parse(rows[0]?.use ?? 'null') as SecretUse; // made by the statement below
}

const USE = `
select jsonb_build_object(
  'deliveries', (select coalesce(jsonb_agg(to_jsonb(d)), '[]') from (
    select key, company_id::text as "companyId", project_id::text as "projectId",
      min(received_at) as "firstAt", max(received_at) as "lastAt", max(occurred_at) as "lastHappenedAt"
    from (select key, received_at, occurred_at, company_id, project_id, via from mirror.events
      order by received_at desc limit ${NEWEST_EVENTS}) e
    where via = 'delivery' and key is not null group by key, company_id, project_id) d),
  'hooks', (select coalesce(jsonb_agg(to_jsonb(h)), '[]') from (
    select secret_key as key, count(*)::int as count from mirror.hooks
    where hook_id is not null and company_id = any($1::bigint[]) group by 1) h)
)::text as use`;
