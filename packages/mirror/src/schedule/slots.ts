/** How many batches at once a worker may have in hand. */
export type Slots = {
  /** Of one company, so that there is room for another. */
  company: number;
  /** Of one resource, whatever company it is of, when nothing else is due: its address may hang. */
  resource: number;
  /** Of one resource of one company, whatever is due: perhaps it is the company that hangs. */
  resourceOfCompany: number;
  /** Of one resource while something else is due. */
  resourceAtFirst: number;
  /** Of all lanes but the live one. */
  notLive: number;
};

/** How a worker shares out its slots. A resource never has all that its company may have, where that is more than one. */
export function slotsOf(concurrency: number): Slots {
  const quarter = Math.ceil(concurrency / 4);
  const company = concurrency - Math.min(2, Math.floor(concurrency / 4));
  const resource = Math.max(1, Math.min(Math.ceil(concurrency / 2), company - 1));
  return {
    company,
    resource,
    resourceOfCompany: Math.max(1, resource - Math.ceil(concurrency / 8)),
    resourceAtFirst: quarter,
    notLive: Math.ceil(concurrency / 2),
  };
}
