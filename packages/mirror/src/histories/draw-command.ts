// Single commands at random.
import fc from 'fast-check';
import {
  backfill,
  begin,
  type Command,
  calls,
  deliver,
  deliverAll,
  type Edit,
  fetch,
  finish,
  move,
  moveChild,
  nonsense,
  remove,
  settle,
  shift,
  write,
} from './command.ts';
import {
  anyBatch,
  anyChild,
  anyHold,
  anyId,
  anyLane,
  anyNonsense,
  anyParent,
  anyProject,
  anyUnder,
  hasChildren,
  mostly,
  seldom,
  sometimes,
} from './draw-parts.ts';
import type { Family } from './families.ts';

export function anyEdit(family: Family): fc.Arbitrary<Edit> {
  const id = anyId(family);
  const written = fc
    .record({ id, under: anyUnder(family), projectId: anyProject, childrenTell: sometimes, isLate: seldom })
    .map(({ id, ...change }) => write(id, change));
  const removed = fc.record({ id, childrenTell: sometimes }).map(({ id, ...change }) => remove(id, change));
  const place = { tellsOldPlace: sometimes, isLate: seldom };
  const moved = fc.record({ id: anyParent, ...place }).map(({ id, ...change }) => move(id, change));
  const movedChild = () =>
    fc
      .record({ id: anyChild(family), under: anyUnder(family), ...place })
      .map(({ id, under, ...change }) => moveChild(id, under, change));
  return fc.oneof(
    { weight: 6, arbitrary: written },
    { weight: 2, arbitrary: removed },
    { weight: 1, arbitrary: moved },
    ...(hasChildren(family) ? [{ weight: 1, arbitrary: movedChild() }] : []),
  );
}

export function anyCommand(family: Family): fc.Arbitrary<Command> {
  const edit = anyEdit(family);
  const batch = anyBatch(family);
  const otherLane = anyLane;
  return fc.oneof(
    { weight: 12, arbitrary: edit },
    { weight: 8, arbitrary: fc.nat({ max: 8 }).map(deliver) },
    { weight: 2, arbitrary: fc.constant(deliverAll) },
    { weight: 6, arbitrary: batch.map(fetch) },
    {
      weight: 4,
      arbitrary: fc
        .record({ hold: anyHold, batch, work: mostly<'fetch' | 'backfill'>('fetch', 'backfill') })
        .map(({ hold, batch, work }) => begin(hold, batch, work)),
    },
    { weight: 2, arbitrary: fc.oneof(fc.constant(finish()), fc.nat({ max: 3 }).map(finish)) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('two workers'), batch, otherLane }) },
    { weight: 1, arbitrary: batch.map(backfill) },
    { weight: 1, arbitrary: anyNonsense.map(nonsense) },
    { weight: 1, arbitrary: edit.map(shift) },
    { weight: 1, arbitrary: fc.constantFrom(calls('short'), calls('plenty')) },
    { weight: 2, arbitrary: fc.constant(settle) },
  );
}
