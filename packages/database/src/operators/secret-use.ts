// Which of the accepted secrets is in use. They are known by their fingerprints.
import type { Queryable } from '../connection/queryable.ts';

export type SecretUse = {
  /** Deliveries that came with it, among the newest 100,000 events: the first and the last (ISO 8601). */
  deliveries: readonly { key: string; firstAt: string; lastAt: string }[];
  /** Hooks that were given it last; null: nobody noted what they were given. */
  hooks: readonly { key: string | null; count: number }[];
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
    select key, min(received_at) as "firstAt", max(received_at) as "lastAt"
    from (select key, received_at, via from mirror.events order by received_at desc limit ${NEWEST_EVENTS}) e
    where via = 'delivery' and key is not null group by key) d),
  'hooks', (select coalesce(jsonb_agg(to_jsonb(h)), '[]') from (
    select secret_key as key, count(*)::int as count from mirror.hooks
    where hook_id is not null and company_id = any($1::bigint[]) group by 1) h)
)::text as use`;
