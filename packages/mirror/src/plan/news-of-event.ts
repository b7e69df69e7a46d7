import { type Catalogue, type CataloguedResource, type CatalogueEntry, dependentsOf } from '@procore-mirror/catalogue';
import type { Lacking, News } from '@procore-mirror/database';
import { isNumericId, type ProcoreEvent } from '@procore-mirror/procore';

/** What the operator chose to mirror; null stands for all. */
export type Selection = { companyIds: readonly string[] | null; resources: readonly string[] | null };

export type EventVerdict =
  | { outcome: 'pending'; entry: CataloguedResource; news: News }
  | {
      outcome: 'ignored';
      reason: 'unknown_resource' | 'no_known_endpoint' | 'resource_not_selected' | 'company_not_selected';
      /** What will lack it when it is mirrored again, as it may be. */
      lacking: Lacking[];
    }
  | { outcome: 'dead'; reason: 'bad_id' | 'missing_project'; detail: string };

/** Decides what an event asks of the mirror: which record to fetch, or why none. */
export function newsOfEvent(event: ProcoreEvent, catalogue: Catalogue, selection: Selection): EventVerdict {
  const bad = unfitIds(event);
  if (bad !== null) return { outcome: 'dead', reason: 'bad_id', detail: bad };
  const entry = catalogue.find(event.resource);
  const ignored = whyIgnored(event, entry, selection);
  if (entry === undefined || entry.table === null || ignored !== null) {
    const reason = ignored ?? (entry === undefined ? 'unknown_resource' : 'no_known_endpoint');
    return { outcome: 'ignored', reason, lacking: changedBy(event, entry, catalogue) };
  }
  if (entry.idType === 'bigint' && !isNumericId(event.recordId)) {
    return {
      outcome: 'dead',
      reason: 'bad_id',
      detail: `the record id is no number that ${entry.resource} can have`,
    };
  }
  if (entry.scope === 'project' && event.projectId === null) {
    const detail = `an event of ${entry.resource} must name its project`;
    return { outcome: 'dead', reason: 'missing_project', detail };
  }
  return { outcome: 'pending', entry, news: newsOf(event, entry) };
}

function whyIgnored(
  { companyId }: ProcoreEvent,
  entry: CatalogueEntry | undefined,
  selection: Selection,
): 'company_not_selected' | 'resource_not_selected' | null {
  if (selection.companyIds !== null && !selection.companyIds.includes(companyId)) return 'company_not_selected';
  return entry === undefined || isSelected(entry, selection) ? null : 'resource_not_selected';
}

/** Whose rows the event tells of: its resource's, those that repeat its record, and those that go with it. */
function changedBy(event: ProcoreEvent, entry: CatalogueEntry | undefined, catalogue: Catalogue): Lacking[] {
  if (entry === undefined) return [{ projectId: null, resource: event.resource }];
  const { parent, alsoChanges } = entry;
  const above = parent !== null && (parent.repeatsChild || parent.embeddedAs !== null) ? [parent.resource] : [];
  const names = new Set([...above, ...alsoChanges, entry.resource, ...namesBelow(catalogue, entry.resource)]);
  return [...names].map((resource) => {
    const isOfProject = entry.scope === 'project' && catalogue.find(resource)?.scope === 'project';
    return { projectId: isOfProject ? event.projectId : null, resource };
  });
}

function namesBelow(catalogue: Catalogue, resource: string): string[] {
  const entry = catalogue.find(resource);
  if (entry === undefined || entry.table === null) return [];
  const own = dependentsOf(catalogue, entry).map((dependent) => dependent.entry.resource);
  return own.filter((name) => name !== resource).flatMap((name) => [name, ...namesBelow(catalogue, name)]);
}

/** Whether the operator chose to mirror the resource. */
export function isSelected(
  { resource }: Pick<CatalogueEntry, 'resource'>,
  selection: Pick<Selection, 'resources'>,
): boolean {
  const name = resource.toLowerCase();
  return selection.resources === null || selection.resources.some((chosen) => chosen.toLowerCase() === name);
}

function newsOf(event: ProcoreEvent, entry: CataloguedResource): News {
  const parents = entry.parent === null ? [] : [entry.parent.resource, ...entry.parent.alsoOf];
  const parentNames = new Set(parents.map((name) => name.toLowerCase()));
  const parent = event.related.find((related) => parentNames.has(related.resource.toLowerCase()));
  return {
    companyId: event.companyId,
    // A company resource's events may carry a project, one event for each; they all mean the one record.
    projectId: entry.scope === 'project' ? event.projectId : null,
    resource: entry.resource,
    recordId: event.recordId,
    parentId: parent !== undefined && isNumericId(parent.id) ? parent.id : null,
    isDelete: event.kind === 'delete' || event.kind === 'deleted',
    isRelative: false,
  };
}

function unfitIds(event: ProcoreEvent): string | null {
  if (!isNumericId(event.companyId)) return 'the company id is larger than any id of Procore';
  if (event.projectId !== null && !isNumericId(event.projectId))
    return 'the project id is larger than any id of Procore';
  return null;
}
