// Which calls come after one that did not bring what it was to bring? Pure.
import type { CataloguedResource } from '@procore-mirror/catalogue';
import { type FetchCall, parentIdOf } from './plan-fetch.ts';
import type { WantedRecord } from './wanted-record.ts';

type Resource = Pick<CataloguedResource, 'show' | 'parent'>;
type Missing = readonly Pick<WantedRecord, 'id' | 'parentId'>[];

/** What a list call did not bring is asked for alone before anything is concluded; without a show, in the whole list. */
export function followUp({ show, parent }: Resource, call: FetchCall, missing: Missing): FetchCall[] {
  if (call.kind === 'show' || call.kind === 'refresh by ids' || call.kind === 'lists under') return [];
  const parentId = parentIdOf(call);
  if (show === null) {
    const isToList = call.kind === 'list by ids' && missing.length > 0;
    return isToList ? [{ kind: 'list all', ids: missing.map(({ id }) => id), parentId }] : [];
  }
  return missing
    .filter((record) => parent === null || record.parentId !== null)
    .map((record) => ({ kind: 'show', id: record.id, parentId: record.parentId ?? parentId }));
}

/** One of the records that a list was asked for in vain: perhaps it is the list alone that fails. */
export function showInstead({ show, parent }: Resource, call: FetchCall, missing: Missing): FetchCall | null {
  for (const { id, parentId: own } of missing) {
    const parentId = own ?? parentIdOf(call);
    if (parent?.embeddedAs != null && parentId !== null) return { kind: 'parent', parentId, ids: [id] };
    if (show !== null && (parent === null || parentId !== null)) return { kind: 'show', id, parentId };
  }
  return null;
}
