// One run over a batch: what was noted before the first request, what its calls got, and what came of it.
import { type CataloguedResource, carriedAlong } from '@procore-mirror/catalogue';
import { type Batch, noteBatch, type Scope, type Trouble, takeVersion } from '@procore-mirror/database';
import type { CallPurpose, ProcoreClient } from '@procore-mirror/procore';
import type { FetchSettings } from './fetch-settings.ts';
import { fieldsRead } from './read-answer.ts';
import { createRunNotes, type NotedKind, type RunNotes } from './run-notes.ts';

type RunFacts = {
  /** With a client whose calls say what they are for, and are counted. */
  readonly settings: FetchSettings;
  readonly batch: Batch;
  readonly entry: CataloguedResource;
  readonly signal: AbortSignal;
  /** A number taken before the first request, for what is concluded without an answer of its own. */
  readonly version: string;
};

export type BatchRun = RunFacts &
  RunNotes & {
    /** Procore answered what it was asked for. Whoever gets an answer checks it first; pages are checked as they come. */
    seeAnswer: () => void;
    /** `most`: a walk is to stop after so many; `timeoutMs`: none may take longer, where an address is known to be slow. */
    limitCalls: (limits: { most?: number; timeoutMs?: number }) => void;
    hasCallsLeft: () => boolean;
    /** The resource's list found nothing, and nor did who was asked about it. */
    foundNothing: () => void;
    /** Then what is not found now proves nothing. */
    hasFoundNothing: () => boolean;
    /** So many records were stored. */
    stored: (records: number) => void;
    /** So many were concluded to be absent. */
    absent: (records: number) => void;
    /** This run found a scope to be in trouble. */
    parked: (scope: Scope & Trouble) => void;
    /** So many scopes that were parked answer again. */
    unparked: (scopes: number) => void;
    counts: () => RunCounts;
    /** The same run, asking about another place: what is answered there says nothing of its own. */
    elsewhere: (place: Pick<Batch, 'projectId' | 'resource'>) => BatchRun;
  };

/** What a run did so far. */
type RunCounts = {
  /** Requests made, retries not counted, and those that were answered. */
  calls: number;
  answered: number;
  stored: number;
  absent: number;
  parked: readonly (Scope & Trouble)[];
  unparked: number;
};

type Limits = { most: number; timeoutMs?: number };
type OwnOptions = { purpose: CallPurpose; fields: ReadonlySet<string>; timeoutMs: number | undefined };

const RECORDS_PER_RUN = 1000;

/** Notes the ready records of all lanes, and those of resources whose records come with them. */
export async function openRun(settings: FetchSettings, batch: Batch, signal: AbortSignal): Promise<BatchRun> {
  const { database, catalogue, delayMs, absencePauseMs } = settings;
  const entry = catalogue.get(batch.resource);
  const options = { delayMs, absencePauseMs, limit: RECORDS_PER_RUN };
  const noted: NotedKind[] = [];
  for (const { resource } of [entry, ...carriedAlong(catalogue, entry)]) {
    noted.push({ resource, records: await noteBatch(database.pool, { ...batch, resource }, options) });
  }
  const version = await takeVersion(database);
  return createRun({ settings, batch, entry, signal, version }, createRunNotes(batch, noted));
}

/** A run that has made no call yet. */
export function createRun({ settings, ...facts }: RunFacts, notes: RunNotes): BatchRun {
  const { batch, entry, version } = facts;
  const limits: Limits = { most: Number.POSITIVE_INFINITY };
  const counts = { calls: 0, answered: 0, stored: 0, absent: 0, unparked: 0 };
  const parked: (Scope & Trouble)[] = [];
  let hasFoundNothing = false;
  const seeAnswer = () => {
    counts.answered += 1;
    settings.neighbours.answered(batch);
  };
  const purpose = { projectId: batch.projectId, resource: entry.resource, lane: batch.lane, version };
  const own = { purpose, fields: fieldsRead(settings.catalogue) };
  const onCall = (): OwnOptions => {
    counts.calls += 1;
    return { ...own, timeoutMs: limits.timeoutMs };
  };
  const run: BatchRun = {
    ...facts,
    ...notes,
    settings: { ...settings, client: countedClient(settings.client, onCall, seeAnswer) },
    seeAnswer,
    limitCalls: (more) => void Object.assign(limits, more),
    hasCallsLeft: () => counts.calls < limits.most,
    foundNothing: () => {
      hasFoundNothing = true;
    },
    hasFoundNothing: () => hasFoundNothing,
    stored: (records) => {
      counts.stored += records;
    },
    absent: (records) => {
      counts.absent += records;
    },
    parked: (scope) => void parked.push(scope),
    unparked: (scopes) => {
      counts.unparked += scopes;
    },
    counts: () => ({ ...counts, parked: [...parked] }),
    elsewhere: (place) => {
      const there = { ...batch, ...place };
      return { ...run, batch: there, seeAnswer: () => settings.neighbours.answered(there) };
    },
  };
  return run;
}

/** The same client; `onCall` is told of each request and says what to add to its options. */
function countedClient(client: ProcoreClient, onCall: () => OwnOptions, seeAnswer: () => void): ProcoreClient {
  return {
    ...client,
    get: async (path, options) => client.get(path, { ...options, ...onCall() }),
    pages: async function* (path, options) {
      let isFirst = true;
      for await (const page of client.pages(path, { ...options, ...onCall() })) {
        if (!isFirst) onCall();
        isFirst = false;
        seeAnswer();
        yield page;
      }
    },
  };
}

/** The scope of the run as the tables of the resource have it. */
export function scopeOf(
  { batch }: BatchRun,
  entry: CataloguedResource,
): { companyId: string; projectId: string | null } {
  return { companyId: batch.companyId, projectId: entry.scope === 'project' ? batch.projectId : null };
}
