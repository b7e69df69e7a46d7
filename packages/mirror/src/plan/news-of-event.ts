import type { Catalogue, CataloguedResource, CatalogueEntry } from '@procore-mirror/catalogue';
import type { News } from '@procore-mirror/database';
import { isNumericId, type ProcoreEvent } from '@procore-mirror/procore';

/** What the operator chose to mirror; null stands for all. */
export type Selection = { companyIds: readonly string[] | null; resources: readonly string[] | null };

export type EventVerdict =
  | { outcome: 'pending'; entry: CataloguedResource; news: News }
  | {
      outcome: 'ignored';
      reason: 'unknown_resource' | 'no_known_endpoint' | 'resource_not_selected' | 'company_not_selected';
    }
  | { outcome: 'dead'; reason: 'bad_id' | 'missing_project'; detail: string };

/** Decides what an event asks of the mirror: which record to fetch, or why none. */
export function newsOfEvent(event: ProcoreEvent, catalogue: Catalogue, selection: Selection): EventVerdict {
  const bad = unfitIds(event);
  if (bad !== null) return { outcome: 'dead', reason: 'bad_id', detail: bad };
  if (selection.companyIds !== null && !selection.companyIds.includes(event.companyId)) {
    return { outcome: 'ignored', reason: 'company_not_selected' };
  }
  const entry = catalogue.find(event.resource);
  if (entry === undefined) return { outcome: 'ignored', reason: 'unknown_resource' };
  if (!isSelected(entry, selection)) return { outcome: 'ignored', reason: 'resource_not_selected' };
  if (entry.table === null) return { outcome: 'ignored', reason: 'no_known_endpoint' };
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
