// What a run knows of records: whose news it noted before its first request and has yet to settle, and which parents they have.
import type { CataloguedResource } from '@procore-mirror/catalogue';
import type { Lane, NotedRecord } from '@procore-mirror/database';

type Kind = Pick<CataloguedResource, 'resource'>;
export type NotedKind = Kind & { records: readonly NotedRecord[] };

export type RunNotes = {
  /** When the earliest of the news that was noted happened, or before; null: no event told of any. */
  happenedAt: string | null;
  /** The records that the run is for and that are still open. */
  wanted: () => NotedRecord[];
  /** Those of the ids that are still open; of the run's own resource, or of one whose records come with them. */
  noted: (ids: readonly string[], kind?: Kind) => NotedRecord[];
  /** All that are still open, of all lanes. */
  allNoted: (kind?: Kind) => NotedRecord[];
  /** Names of the resources whose news was noted. */
  notedResources: () => string[];
  /** Nothing is left to do for these: their news is settled, waits for another run, or was given up. */
  settled: (records: readonly { id: string }[], kind?: Kind) => void;
  /** The parent of a record that is still open, as far as we know by now; null: nobody knows. */
  placed: (id: string, parentId: string | null) => void;
  /** The lists under the record were read. */
  listedUnder: (id: string) => void;
  /** Which parent was told of the record's news; null: none was known; undefined: it had none when the run began. */
  toldParentOf: (kind: Kind, id: string) => string | null | undefined;
  parentTold: (kind: Kind, id: string, parentId: string) => void;
  /** The record's parent is hidden from us: if it is not under that, it is not looked for elsewhere. */
  hiddenWithParent: (id: string) => void;
  isHiddenWithParent: (id: string) => boolean;
  /** A listing named the parent of a record on the way, or its row did. */
  learnParent: (kind: Kind, id: string, parentId: string) => void;
  /** What was learnt so; null: nothing. */
  parentOf: (kind: Kind, id: string) => string | null;
  /** All of that, by `resource/id`, for a later run. */
  learntParents: () => Map<string, string>;
  /** What an earlier run learnt. Where this one knows better, that goes. */
  recallParents: (parents: ReadonlyMap<string, string>) => void;
};

/** Notes on records of the run's own resource, and of those whose records come with them. */
export function createRunNotes(own: Kind & { lane: Lane }, noted: readonly NotedKind[]): RunNotes {
  const open = new Map(
    noted.map(({ resource, records }) => [resource, new Map(records.map((record) => [record.id, record]))]),
  );
  const told = new Map<string, string | null>(
    noted.flatMap((kind) => kind.records.map(({ id, parentId }) => [keyOf(kind, id), parentId])),
  );
  const underHidden = new Set<string>();
  const parents = new Map<string, string>();

  // As Postgres writes them, the earlier goes first, `-infinity` before all.
  const times = noted.flatMap(({ records }) => records.flatMap(({ happenedAt }) => happenedAt ?? []));
  const allNoted: RunNotes['allNoted'] = (kind = own) => [...(open.get(kind.resource)?.values() ?? [])];
  return {
    happenedAt: times.toSorted()[0] ?? null,
    wanted: () => allNoted().filter(({ lane }) => lane === own.lane),
    noted: (ids, kind = own) => ids.flatMap((id) => open.get(kind.resource)?.get(id) ?? []),
    allNoted,
    notedResources: () => [...open.keys()],
    settled: (records, kind = own) => {
      for (const { id } of records) open.get(kind.resource)?.delete(id);
    },
    placed: (id, parentId) => {
      const records = open.get(own.resource);
      const record = records?.get(id);
      if (record !== undefined) records?.set(id, { ...record, parentId });
    },
    listedUnder: (id) => {
      const records = open.get(own.resource);
      const record = records?.get(id);
      if (record !== undefined) records?.set(id, { ...record, listsChildren: false });
    },
    toldParentOf: (kind, id) => told.get(keyOf(kind, id)),
    parentTold: (kind, id, parentId) => void told.set(keyOf(kind, id), parentId),
    hiddenWithParent: (id) => void underHidden.add(id),
    isHiddenWithParent: (id) => underHidden.has(id),
    learnParent: (kind, id, parentId) => void parents.set(keyOf(kind, id), parentId),
    parentOf: (kind, id) => parents.get(keyOf(kind, id)) ?? null,
    learntParents: () => new Map(parents),
    recallParents: (earlier) => {
      for (const [key, parentId] of earlier) if (!parents.has(key)) parents.set(key, parentId);
    },
  };
}

function keyOf({ resource }: Kind, id: string): string {
  return `${resource}/${id}`;
}
