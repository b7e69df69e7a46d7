// What happens in a history, one command after the other. Whatever a command means in the state it meets, it may be left
// out: an edit that cannot be made is not made, so a history can be shrunk anywhere.
import type { Lane } from '@procore-mirror/database';
import type { NonsenseName } from './nonsense.ts';
import type { Payload } from './world-events.ts';

export const PROJECTS = ['7', '8'] as const;

/** An edit in Procore. Ids of one digit are those of the first resource of the family, of two digits of its children. */
export type Edit =
  /** Creates the record, edits it, or restores it with what went with it. `under` and `projectId` are for a new one. */
  | { do: 'write'; id: string; under: string; projectId: string; childrenTell: boolean; isLate: boolean }
  | { do: 'delete'; id: string; childrenTell: boolean }
  /** To the other project, with all that lives in it. */
  | { do: 'move'; id: string; tellsOldPlace: boolean; isLate: boolean }
  /** A child to another parent, wherever that is. */
  | { do: 'move child'; id: string; under: string; tellsOldPlace: boolean; isLate: boolean };

export type BatchPick = { member: number; projectId: string; lane: Lane };

/**
 * Where a run stands still: its answer of this number (from 0) is read and held back, its request is held and read when
 * it goes on, or it sleeps before it takes its version of this number, as a process does that stood still for longer than
 * its lease.
 */
export type Hold = { what: 'answer' | 'request' | 'version'; at: number };

export type Command =
  | Edit
  /** The event that many before the newest, for the first time or again. */
  | { do: 'deliver'; back: number }
  | { do: 'deliver all' }
  | { do: 'fetch'; batch: BatchPick }
  | { do: 'backfill'; batch: BatchPick }
  | { do: 'begin'; work: 'fetch' | 'backfill'; batch: BatchPick; hold: Hold }
  /** Lets one of the runs that stand still go on to its end (counted from the oldest), or all, oldest first. */
  | { do: 'finish'; which: number | 'all' }
  | { do: 'two workers'; batch: BatchPick; otherLane: Lane }
  /** The next answer that it fits is this, with status 200. */
  | { do: 'nonsense'; answer: NonsenseName }
  /** The edit is made between two pages of the next listing that has several. */
  | { do: 'shift'; by: Edit }
  | { do: 'calls'; are: 'short' | 'plenty' }
  /** Everything is delivered and fetched, as far as that goes while runs stand still. */
  | { do: 'settle' };

export type History = {
  commands: readonly Command[];
  /** In which order the events are delivered in the end that were not yet: those with the lowest number first. */
  lastOrder: readonly number[];
  /** v3.0 names the parents of some children. */
  payload: Payload;
};

type Options<Kind extends Command['do']> = Partial<Extract<Command, { do: Kind }>>;
type Made<Kind extends Command['do']> = Extract<Command, { do: Kind }>;

const BATCH: BatchPick = { member: 0, projectId: '7', lane: 'live' };

const aBatch = (change: Partial<BatchPick> = {}): BatchPick => ({ ...BATCH, ...change });

export const write = (id: string, change: Options<'write'> = {}): Made<'write'> => ({
  ...{ do: 'write', id, under: '1', projectId: '7', childrenTell: false, isLate: false },
  ...change,
});
export const remove = (id: string, change: Options<'delete'> = {}): Made<'delete'> => ({
  ...{ do: 'delete', id, childrenTell: false },
  ...change,
});
export const move = (id: string, change: Options<'move'> = {}): Made<'move'> => ({
  ...{ do: 'move', id, tellsOldPlace: false, isLate: false },
  ...change,
});
export const moveChild = (id: string, under: string, change: Options<'move child'> = {}): Made<'move child'> => ({
  ...{ do: 'move child', id, under, tellsOldPlace: false, isLate: false },
  ...change,
});
export const deliver = (back = 0): Command => ({ do: 'deliver', back });
export const deliverAll: Command = { do: 'deliver all' };
export const fetch = (change: Partial<BatchPick> = {}): Command => ({ do: 'fetch', batch: aBatch(change) });
export const backfill = (change: Partial<BatchPick> = {}): Command => ({ do: 'backfill', batch: aBatch(change) });
export const begin = (
  hold: Partial<Hold> = {},
  change: Partial<BatchPick> = {},
  work: 'fetch' | 'backfill' = 'fetch',
): Command => ({ do: 'begin', work, batch: aBatch(change), hold: { what: 'answer', at: 0, ...hold } });
export const finish = (which: number | 'all' = 'all'): Command => ({ do: 'finish', which });
export const nonsense = (answer: NonsenseName): Command => ({ do: 'nonsense', answer });
export const shift = (by: Edit): Command => ({ do: 'shift', by });
export const calls = (are: 'short' | 'plenty'): Command => ({ do: 'calls', are });
export const settle: Command = { do: 'settle' };

/** Which resource of the family the record is of. */
export function memberOf(id: string): number {
  return id.length - 1;
}
