import type { Queryable } from '../connection/queryable.ts';

/** An event by what it says, by every id that the log may have it under, and by that of the dead letter that its body may have become. */
export type MaybeRecorded = {
  ids: readonly string[];
  letterId: string;
  companyId: string;
  resource: string;
  recordId: string;
  kind: string;
};

/**
 * Which of these are in the log of events, whatever they came in, or among the dead letters: their places in the list. Two events under one id
 * are told apart.
 */
export async function findRecorded(client: Queryable, events: readonly MaybeRecorded[]): Promise<Set<number>> {
  const flat = events.flatMap(({ ids, letterId: _, ...event }, place) => ids.map((id) => ({ ...event, id, place })));
  const { rows } = await client.query<{ place: number }>(
    `select distinct w.place from unnest($1::integer[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[])
        as w (place, id, company_id, resource, record_id, kind)
      join mirror.events e on e.id = w.id and e.company_id = w.company_id and lower(e.resource) = lower(w.resource)
        and e.record_id = w.record_id and e.kind = w.kind
      union
      select w.place::integer - 1 from unnest($7::text[]) with ordinality as w (id, place) join mirror.dead_letters d on d.id = w.id`,
    [
      flat.map(({ place }) => place),
      flat.map(({ id }) => id),
      flat.map(({ companyId }) => companyId),
      flat.map(({ resource }) => resource),
      flat.map(({ recordId }) => recordId),
      flat.map(({ kind }) => kind),
      events.map(({ letterId }) => letterId),
    ],
  );
  return new Set(rows.map(({ place }) => place));
}
