import type { lane } from '../schema/schema.ts';
import type { ProbeAsks } from './scopes.ts';

export type BatchKey = { companyId: string; projectId: string | null; resource: string };

/** Kinds of work in the order in which they go: see `lane` in schema.ts. */
export type Lane = (typeof lane.enumValues)[number];

/** Pending records of one lane, which one worker fetches at a time. */
export type Batch = BatchKey & { lane: Lane };

export type ClaimedBatch = Batch & {
  /** The scope is parked and this run finds out whether it answers again. */
  isProbe: boolean;
  /** It is a whole company, or everything, that is parked. */
  isWideProbe: boolean;
  /** What such a probe asks. */
  probeAsks: ProbeAsks;
};

/** A pending record as a fetch notes it before its first request. */
export type NotedRecord = {
  id: string;
  generation: string;
  lane: Lane;
  eventId: string | null;
  /** ISO 8601, the newest change that an event told of; null when none did, or one did not say when. */
  occurredAt: string | null;
  /** When the earliest of its news happened, or before, as Postgres writes it; null: no event told of it. */
  happenedAt: string | null;
  parentId: string | null;
  /** A delete event is among the news. */
  isDelete: boolean;
  /** And as far as Procore's times tell nothing happened to the record since. */
  isDeletedLast: boolean;
  attempts: number;
  /** Those attempts that failed for what may be its own fault. */
  ownFailures: number;
  reread: boolean;
  /** It moved or came back; the lists under it are to tell who did so with it before its news is settled. */
  listsChildren: boolean;
  /** An earlier run did not find it, long enough ago, and no news came since. */
  isSightedAbsent: boolean;
  /** A list has refreshed what it carries of the record since its newest event; the show is still to come. */
  isListed: boolean;
  /** A fetch that starts now proves all of its events: the newest is at least `delayMs` old. */
  settles: boolean;
};

/** SQL condition with the parameters $1 to $3; spelled so that an index serves it, which `is not distinct from` prevents. */
export function isOfBatch({ projectId }: BatchKey, alias = ''): string {
  const project = projectId === null ? 'is null and $2::bigint is null' : '= $2::bigint';
  return `${alias}company_id = $1::bigint and ${alias}project_id ${project} and ${alias}resource = $3`;
}

export const keyValues = (key: BatchKey): [string, string | null, string] => [
  key.companyId,
  key.projectId,
  key.resource,
];
