/**
 * SQL: when what an event tells of happened, or earlier; never later. One that does not say, or speaks of a time that was still to come
 * when it arrived, happened within the twelve hours for which Procore tries to deliver it (docs/procore.md: Deliveries), and an hour for
 * clocks that differ; how long it lay in a log nobody knows.
 */
export function happenedAt(occurred: string, received: string, via: string): string {
  return `case
    when coalesce(${occurred} <= ${received} + interval '1 hour', false) then least(${occurred}, ${received}, now())
    when ${via} = 'delivery' then least(${received}, now()) - interval '13 hours'
    else '-infinity' end`;
}
