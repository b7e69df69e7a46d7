// The first half of the worker: a delivery as the receiver stored it becomes a row in the event log and a pending
// record. Everything here is one short database call; nothing is fetched.
import type { CataloguedResource } from '@procore-mirror/catalogue';
import {
  announceProjects,
  asJsonb,
  type Database,
  findParentIds,
  findPendingParent,
  findProjects,
  keepUnreadDelivery,
  type LoggedEvent,
  type News,
  type Pace,
  type RecordOptions,
  recordEvent,
} from '@procore-mirror/database';
import { isNumericId, type ProcoreEvent, parseWebhookEvent } from '@procore-mirror/procore';
import { letterIdOf, textOf } from './plan/dead-letter.ts';
import { longerId } from './plan/longer-id.ts';
import { newsOfEvent, type Selection } from './plan/news-of-event.ts';
import type { FetchSettings } from './run/fetch-settings.ts';

export type RecordSettings = Pick<FetchSettings, 'database' | 'catalogue' | keyof Pace> & { selection: Selection };

export type Recorded = {
  /** `report`: what a receiver said of itself (`record-report.ts`). */
  outcome: 'pending' | 'known' | 'ignored' | 'dead' | 'report';
  event: ProcoreEvent | null;
  reason: string | null;
  /** The dead letter that the body became; null when it was one already, or is none. */
  newDeadLetter: string | null;
};

type Delivery = {
  body: Buffer;
  receivedAt: Date;
  key?: string | null;
  trace?: string | null;
  via?: LoggedEvent['via'];
};

/**
 * Records one delivery. Idempotent: a second delivery of an event changes nothing but its count. A body that is no
 * event we can use is kept as a dead letter. Throws only when the database cannot be written.
 */
export async function recordDelivery(settings: RecordSettings, delivery: Delivery): Promise<Recorded> {
  const { database, catalogue, selection } = settings;
  const raw = textOf(delivery.body);
  const parsed = parseWebhookEvent(raw);
  if (!parsed.ok) return bury(database, delivery, null, parsed);
  const { event } = parsed;
  const verdict = newsOfEvent(event, catalogue, selection);
  if (verdict.outcome === 'dead') return bury(database, delivery, event, verdict);
  const ignored = verdict.outcome === 'ignored' ? verdict.reason : null;
  const news = verdict.outcome === 'pending' ? await withRelatives(settings, verdict.entry, verdict.news) : [];
  const { receivedAt, key = null, trace = null, via = 'delivery' } = delivery;
  const logged: LoggedEvent = { ...event, receivedAt, key, trace, via, raw: asJsonb(raw) };
  const projectId = verdict.outcome === 'pending' ? verdict.news.projectId : null;
  const lacking = verdict.outcome === 'ignored' ? verdict.lacking : [];
  const options = { event: logged, ignored, lacking, news, projectId, deadLetterId: letterIdOf(raw) };
  const recorded = await recordUnderOwnId(settings, options);
  if (recorded === 'forgotten') {
    return { outcome: 'ignored', event, reason: 'project_not_selected', newDeadLetter: null };
  }
  if (recorded === 'new' && event.resource.toLowerCase() === 'projects') {
    await announceProjects(database, event.companyId);
  }
  return { outcome: recorded === 'new' ? verdict.outcome : 'known', event, reason: ignored, newDeadLetter: null };
}

/** Two events under one id (docs/procore.md: Payload versions) are both kept, the second under a longer id. */
async function recordUnderOwnId(
  settings: RecordSettings,
  delivery: Omit<RecordOptions, 'pace'>,
): Promise<Awaited<ReturnType<typeof recordEvent>>> {
  const options = { ...delivery, pace: settings };
  const recorded = await recordEvent(settings.database, options);
  if (recorded !== 'differs') return recorded;
  const { event } = delivery;
  return recordEvent(settings.database, { ...options, event: { ...event, id: longerId(event) } });
}

/** Adds the records that change with this one and may send no event of their own. */
async function withRelatives(settings: RecordSettings, entry: CataloguedResource, own: News): Promise<News[]> {
  const { database, catalogue } = settings;
  const parentId = await knownParent(settings, entry, own);
  const news = [{ ...own, parentId }];
  const relative = { ...own, parentId: null, isDelete: false, isRelative: true };
  if (parentId !== null && entry.parent?.repeatsChild === true && entry.parent.embeddedAs === null) {
    news.push({ ...relative, resource: entry.parent.resource, recordId: parentId });
  }
  for (const name of entry.alsoChanges) {
    const { table } = catalogue.get(name);
    const projectIds = await findProjects(database.pool, { table, companyId: own.companyId, id: own.recordId });
    for (const projectId of projectIds) news.push({ ...relative, resource: name, projectId });
  }
  return news;
}

async function knownParent(
  { database }: RecordSettings,
  { parent, table, resource }: CataloguedResource,
  { companyId, projectId, recordId, parentId }: News,
): Promise<string | null> {
  if (parent === null || parentId !== null) return parentId;
  const parents = await findParentIds(database.pool, { table, companyId, projectId }, [recordId]);
  return (
    parents.get(recordId) ?? (await findPendingParent(database.pool, { companyId, projectId, resource }, recordId))
  );
}

/** Keeps a body that we cannot use as a dead letter. */
export async function bury(
  database: Database,
  { body, receivedAt, via = 'delivery' }: Delivery,
  event: ProcoreEvent | null,
  why: { reason: string; detail: string },
): Promise<Recorded> {
  const raw = textOf(body);
  const id = letterIdOf(raw);
  const about =
    event === null ? null : { ...event, companyId: asBigint(event.companyId), projectId: asBigint(event.projectId) };
  const { reason, detail } = why;
  const when = { occurredAt: event?.occurredAt ?? null, receivedAt, via };
  const isNew = await keepUnreadDelivery(database.pool, { id, reason, detail, raw, about, ...when });
  return { outcome: 'dead', event, reason: why.reason, newDeadLetter: isNew ? id : null };
}

function asBigint(id: string | null): string | null {
  return id !== null && isNumericId(id) ? id : null;
}
