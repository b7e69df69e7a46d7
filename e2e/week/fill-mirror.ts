// The mirror as it is when all of the company has been fetched, without the calls that it took.
import { catalogue } from '@procore-mirror/catalogue';
import { type Database, inTransaction, storeRecords, takeVersion } from '@procore-mirror/database';

export type WorldLine = {
  resource: string;
  companyId: string;
  projectId: string | null;
  parentId: string | null;
  id: string;
  text: string;
};

const RECORDS_AT_ONCE = 500;
const GROUPS_AT_ONCE = 8;

/** Stores the world's records as if shows had brought them. */
export async function fillMirror(database: Database, world: readonly WorldLine[]): Promise<void> {
  const groups = Map.groupBy(world, ({ resource, projectId, parentId }) => `${resource}/${projectId}/${parentId}`);
  const waiting = groups.values();
  await Promise.all(Array.from({ length: GROUPS_AT_ONCE }, () => storeGroups(database, waiting)));
}

async function storeGroups(database: Database, waiting: IterableIterator<WorldLine[]>): Promise<void> {
  for (const all of waiting) {
    for (let from = 0; from < all.length; from += RECORDS_AT_ONCE) {
      await storeGroup(database, all.slice(from, from + RECORDS_AT_ONCE));
    }
  }
}

async function storeGroup(database: Database, lines: readonly WorldLine[]): Promise<void> {
  const [first] = lines;
  if (first === undefined) return;
  const { resource, companyId, projectId, parentId } = first;
  const { table } = catalogue.get(resource);
  const version = await takeVersion(database);
  const json = Buffer.from(`[${lines.map(({ text }) => text).join(',')}]`);
  const answer = { table, companyId, projectId, parentId, version, json, wrapper: 'none', only: null } as const;
  const { records } = await inTransaction(database, (client) => storeRecords(client, answer));
  if (records.length < lines.length) throw new Error(`${lines.length - records.length} ${resource} were not stored`);
}
