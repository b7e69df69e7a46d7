// What could only be concluded in doubt is looked at again by itself: records that were hidden after two absences.
import {
  type DueLook,
  findHidden,
  findPending,
  inTransaction,
  markPending,
  noteFirstAbsence,
  type Pace,
  takeDueLooks,
} from '@procore-mirror/database';
import type { FetchSettings } from './run/fetch-settings.ts';

type LookSettings = Pick<FetchSettings, 'database' | 'catalogue' | keyof Pace | 'absencePauseMs'>;

const LOOKS_AT_ONCE = 500;

/**
 * Marks hidden records pending whose next look is due, as far as they are hidden still. One more absence leaves such a
 * record as it is. Safe in several processes at once. Returns how many there are to look at.
 */
export async function lookAgain(settings: LookSettings): Promise<number> {
  const due = await takeDueLooks(settings.database, LOOKS_AT_ONCE);
  const places = Map.groupBy(due, ({ resource, companyId, projectId }) => [resource, companyId, projectId].join('/'));
  let count = 0;
  for (const looks of places.values()) count += await lookAt(settings, looks);
  return count;
}

async function lookAt(settings: LookSettings, looks: readonly DueLook[]): Promise<number> {
  const { database, catalogue, absencePauseMs } = settings;
  const [first] = looks;
  const table = first === undefined ? undefined : catalogue.find(first.resource)?.table;
  if (first === undefined || table == null) return 0; // no longer mirrored
  const { resource, companyId, projectId } = first;
  const key = { companyId, projectId, resource };
  const ids = looks.map(({ id }) => id);
  return inTransaction(database, async (client) => {
    const hidden = await findHidden(client, { ...key, table }, ids);
    const pending = new Set(await findPending(client, key, hidden));
    const news = hidden
      .filter((id) => !pending.has(id))
      .map((recordId) => ({ ...key, recordId, parentId: null, isDelete: false, isRelative: true }));
    const marked = await markPending(client, { news, lane: 'repair', pace: settings });
    await noteFirstAbsence(client, key, marked, { pauseMs: 0, agoMs: absencePauseMs });
    return marked.length;
  });
}
