// Duties: what one worker at a time does beside fetching. Who dies loses them when the lease runs out.
import type { Database } from '../connection/open-database.ts';

/** Takes the duty, or goes on with it. False: another one has it. */
export async function takeDuty(
  database: Database,
  name: string,
  { holder, leaseMs }: { holder: string; leaseMs: number },
): Promise<boolean> {
  const { rowCount } = await database.pool.query(
    `insert into mirror.duties as d (name, lease_holder, lease_until)
      values ($1, $2, clock_timestamp() + $3::float8 * interval '1 ms')
      on conflict (name) do update set lease_holder = excluded.lease_holder, lease_until = excluded.lease_until
        where d.lease_holder = excluded.lease_holder or d.lease_until < clock_timestamp()`,
    [name, holder, leaseMs],
  );
  return rowCount === 1;
}

/** Gives it up, so that another one may take it at once. Nothing happens when it is not ours. */
export async function giveUpDuty(database: Database, name: string, holder: string): Promise<void> {
  await database.pool.query('delete from mirror.duties where name = $1 and lease_holder = $2', [name, holder]);
}
