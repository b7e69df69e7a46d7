// One run over a batch: what was noted before the first request, and what became of each record since.
import { type CataloguedResource, carriedAlong } from '@procore-mirror/catalogue';
import {
  type Batch,
  type NotedRecord,
  noteBatch,
  type Scope,
  type Trouble,
  takeVersion,
} from '@procore-mirror/database';
import type { CallPurpose, ProcoreClient } from '@procore-mirror/procore';
import type { FetchSettings } from './fetch-settings.ts';
import { fieldsRead } from './read-answer.ts';

export type BatchRun = {
  settings: FetchSettings;
  batch: Batch;
  resource: CataloguedResource;
  signal: AbortSignal;
  /** A number taken before the first request, for what is concluded without an answer of its own. */
  version: string;
  /** Records whose news this run has yet to settle, by resource: the batch's own and those its answers carry along. */
  open: Map<string, Map<string, NotedRecord>>;
  /** Which parent heard of each record's news when it was recorded, by `resource/id`; null: none was known. */
  toldParents: Map<string, string | null>;
  /** Children whose parent is hidden from us: what is not under it is not looked for elsewhere. */
  hiddenWithParent: Set<string>;
  /** The parents of records that listings named on the way, by `resource/id`. */
  parents: Map<string, string>;
  /**
   * Requests made so far, retries not counted, those that were answered, and after how many a walk is to stop. `timeoutMs`: how long the
   * next may take, where an address is known to be slow.
   */
  calls: { made: number; answered: number; most: number; timeoutMs?: number };
  /** Tells that Procore answered what it was asked for. Whoever gets an answer checks it first; pages are checked as they come. */
  seeAnswer: () => void;
  /** The resource's list found nothing, and nor did who was asked about it: what is not found now proves nothing. */
  hasFoundNothing: boolean;
  stored: number;
  absent: number;
  /** Scopes that this run found to be in trouble. */
  parked: (Scope & Trouble)[];
  /** Scopes that were parked and answer again. */
  unparked: number;
};

const RECORDS_PER_RUN = 1000;

/** Notes the ready records of all lanes, and those of resources whose records come with them. */
export async function openRun(settings: FetchSettings, batch: Batch, signal: AbortSignal): Promise<BatchRun> {
  const resource = settings.catalogue.get(batch.resource);
  const open = new Map<string, Map<string, NotedRecord>>();
  for (const { resource: name } of [resource, ...carriedAlong(settings.catalogue, resource)]) {
    const { delayMs, absencePauseMs } = settings;
    const options = { delayMs, absencePauseMs, limit: RECORDS_PER_RUN };
    const noted = await noteBatch(settings.database, { ...batch, resource: name }, options);
    open.set(name, new Map(noted.map((record) => [record.id, record])));
  }
  const toldParents = new Map(
    [...open].flatMap(([name, records]) =>
      [...records.values()].map(({ id, parentId }) => [`${name}/${id}`, parentId]),
    ),
  );
  const version = await takeVersion(settings.database);
  const purpose = { projectId: batch.projectId, resource: resource.resource, lane: batch.lane, version };
  const calls: BatchRun['calls'] = { made: 0, answered: 0, most: Number.POSITIVE_INFINITY };
  const seeAnswer = () => {
    calls.answered += 1;
    settings.neighbours.answered(batch);
  };
  const own = { purpose, fields: fieldsRead(settings.catalogue) };
  const client = clientFor(settings.client, own, { calls, seeAnswer });
  const none = {
    hiddenWithParent: new Set<string>(),
    parents: new Map(),
    calls,
    seeAnswer,
    hasFoundNothing: false,
    stored: 0,
    absent: 0,
    parked: [],
    unparked: 0,
  };
  return { settings: { ...settings, client }, batch, resource, signal, version, open, toldParents, ...none };
}

/** The records that the run is for and that are still open. */
export function wantedRecords(run: BatchRun): NotedRecord[] {
  return [...openRecords(run).values()].filter(({ lane }) => lane === run.batch.lane);
}

/** The batch's own records that are still open, of all lanes. */
export function openRecords(run: BatchRun): Map<string, NotedRecord> {
  return run.open.get(run.resource.resource) ?? new Map();
}

/** Those of the ids that are still open. */
export function stillOpen(run: BatchRun, ids: readonly string[]): NotedRecord[] {
  const open = openRecords(run);
  return ids.flatMap((id) => open.get(id) ?? []);
}

/** The same client; its calls say what they are for and which fields we read, and are counted. */
function clientFor(
  client: ProcoreClient,
  own: { purpose: CallPurpose; fields: ReadonlySet<string> },
  { calls, seeAnswer }: { calls: BatchRun['calls']; seeAnswer: () => void },
): ProcoreClient {
  return {
    ...client,
    get: async (path, options) => {
      calls.made += 1;
      return client.get(path, { ...options, ...own, timeoutMs: calls.timeoutMs });
    },
    pages: async function* (path, options) {
      calls.made += 1;
      let isFirst = true;
      for await (const page of client.pages(path, { ...options, ...own, timeoutMs: calls.timeoutMs })) {
        if (!isFirst) calls.made += 1;
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
  resource: CataloguedResource,
): { companyId: string; projectId: string | null } {
  return { companyId: batch.companyId, projectId: resource.scope === 'project' ? batch.projectId : null };
}
