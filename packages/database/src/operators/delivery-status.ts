// What `status` tells of deliveries that did not come.
import type { Queryable } from '../connection/queryable.ts';
import { listSilentScopes, type SilentScope } from '../schedule/delivery-looks.ts';

export type DeliveryStatus = {
  /** Companies for which Procore holds events that it could not deliver, as their busiest hooks said last. */
  undelivered: readonly { companyId: string; count: number; oldestAt: string; askedAt: string; alarmHours: number }[];
  /** Scopes that usually speak and sent nothing for three hours. */
  silent: readonly SilentScope[];
  /** Hooks whose log cannot be read, and one reason. */
  unread: { hooks: number; reason: string | null };
};

/** Of all companies, or of one. */
export async function readDeliveryStatus(client: Queryable, companyId: string | null): Promise<DeliveryStatus> {
  const [{ rows }, silent] = await Promise.all([
    client.query<{ status: string }>(STATUS, [companyId]),
    listSilentScopes(client, companyId),
  ]);
  return { ...JSON.parse(rows[0]?.status ?? '{}'), silent } as DeliveryStatus; // made by the statement below
}

const STATUS = `
with hooks as (
  select distinct company_id, hook_id from mirror.hooks where hook_id is not null and ($1::bigint is null or company_id = $1)
),
refused as (
  select distinct on (l.hook_id) l.finding from mirror.delivery_looks l join hooks using (company_id, hook_id) where l.finding is not null
)
select jsonb_build_object(
  'undelivered', (select coalesce(jsonb_agg(jsonb_build_object('companyId', company_id::text, 'count', count, 'oldestAt', oldest_at,
      'askedAt', asked_at, 'alarmHours', alarm_hours) order by oldest_at), '[]')
    from mirror.undelivered where alarm_hours > 0 and ($1::bigint is null or company_id = $1)),
  'unread', jsonb_build_object('hooks', (select count(*) from refused), 'reason', (select min(finding) from refused)))::text as status`;
