import type { Queryable } from '../connection/queryable.ts';

export type Pulse = {
  /** Received in the last ten seconds. */
  recentEvents: number;
  /** Rows of all mirrored tables, an estimate that lags behind by seconds: what Postgres's statistics say. */
  rows: string;
  pending: number;
  deadLetters: number;
  parkedScopes: number;
  last: { kind: string; resource: string; recordId: string } | null;
};

/** What goes on, cheap enough to ask every second: nothing is counted that may be large. */
export async function readPulse(client: Queryable): Promise<Pulse> {
  const { rows } = await client.query<Pulse>(PULSE);
  const [pulse] = rows;
  if (pulse === undefined) throw new Error('the database gave no answer');
  return pulse;
}

const PULSE = `
select
  (select count(*)::int from (select from mirror.events where received_at > now() - interval '10 s' limit 100000) e)
    as "recentEvents",
  (select coalesce(sum(greatest(s.n_live_tup, c.reltuples)), 0)::bigint
    from pg_stat_user_tables s join pg_class c on c.oid = s.relid where s.schemaname = 'procore') as rows,
  (select count(*)::int from (select from mirror.pending limit 10000) p) as pending,
  (select count(*)::int from (select from mirror.dead_letters limit 10000) d) as "deadLetters",
  (select count(*)::int from mirror.scopes) as "parkedScopes",
  (select jsonb_build_object('kind', kind, 'resource', resource, 'recordId', record_id)
    from mirror.events order by received_at desc limit 1) as last`;
