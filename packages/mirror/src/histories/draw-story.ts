// Short stories: each mostly happens as it is told, and each of its commands can be left out.
import fc from 'fast-check';
import {
  backfill,
  begin,
  type Command,
  calls,
  deliver,
  deliverAll,
  fetch,
  finish,
  memberOf,
  move,
  moveChild,
  nonsense,
  remove,
  settle,
  shift,
  write,
} from './command.ts';
import { anyEdit } from './draw-command.ts';
import {
  anyChild,
  anyHold,
  anyId,
  anyLane,
  anyNonsense,
  anyParent,
  anyProject,
  hasChildren,
  mostly,
  seldom,
  sometimes,
} from './draw-parts.ts';
import type { Family } from './families.ts';
import { CHILD_IDS, PARENT_IDS } from './scripted-world.ts';

export function storiesOf(family: Family): fc.Arbitrary<Command[]>[] {
  const stories = [
    overtaken,
    lateArrival,
    movedAway,
    unreadable,
    leaseLost,
    shiftingList,
    backfilledBeside,
    lateDelete,
  ];
  return [...stories, ...(hasChildren(family) ? [newParent, goneTogether, movedTogether, movedAndGone] : [])].map(
    (story) => story(family),
  );
}

/** News during a slow fetch that a quick one overtakes. */
function overtaken(family: Family): fc.Arbitrary<Command[]> {
  const drawn = fc.record({ id: anyId(family), projectId: anyProject, hold: anyHold, lane: anyLane, last: sometimes });
  return story(drawn, ({ id, projectId, hold, lane, last }) => [
    ...born(id, { projectId }),
    deliverAll,
    begin(hold, batchOf(id, projectId)),
    fetch({ ...batchOf(id, projectId), lane }),
    last ? remove(id) : write(id),
    deliver(),
    finish(),
  ]);
}

/** A record that is not there yet when its event is. */
function lateArrival(family: Family): fc.Arbitrary<Command[]> {
  const drawn = fc.record({ id: anyId(family), projectId: anyProject, hold: anyHold, isRestored: sometimes });
  return story(drawn, ({ id, projectId, hold, isRestored }) => [
    ...(isRestored ? [...born(id, { projectId }), settle, remove(id), settle] : []),
    write(id, { projectId, isLate: true }),
    deliverAll,
    begin(hold, batchOf(id, projectId)),
    fetch(batchOf(id, projectId)),
    finish(),
  ]);
}

/** A record that moves between projects, and perhaps back. */
function movedAway(): fc.Arbitrary<Command[]> {
  const place = { tellsOldPlace: sometimes, isLate: sometimes };
  const drawn = fc.record({ id: anyParent, place: fc.record(place), back: fc.record(place), hold: anyHold });
  return story(drawn, ({ id, place, back, hold }) => [
    write(id),
    settle,
    move(id, place),
    deliverAll,
    begin(hold, batchOf(id, '7')),
    fetch(batchOf(id, '8')),
    fetch(batchOf(id, '7')),
    move(id, back),
    deliver(),
    finish(),
  ]);
}

/** An answer that makes no sense. */
function unreadable(family: Family): fc.Arbitrary<Command[]> {
  const drawn = fc.record({ id: anyId(family), answer: anyNonsense, projectId: anyProject });
  return story(drawn, ({ id, answer, projectId }) => [
    ...born(id, { projectId }),
    settle,
    write(id),
    deliverAll,
    nonsense(answer),
    fetch(batchOf(id, projectId)),
  ]);
}

/** A run that stood still for so long that another worker did its batch. */
function leaseLost(family: Family): fc.Arbitrary<Command[]> {
  const drawn = fc.record({
    ids: fc.tuple(anyId(family), anyId(family)),
    projectId: anyProject,
    at: mostly(1, 0, 2),
    isShort: sometimes,
    last: sometimes,
  });
  return story(drawn, ({ ids: [one, other], projectId, at, isShort, last }) => [
    ...born(one, { projectId }),
    write(other, { projectId }),
    deliverAll,
    calls(isShort ? 'short' : 'plenty'),
    begin({ what: 'version', at }, batchOf(one, projectId)),
    calls('plenty'),
    fetch(batchOf(one, projectId)),
    last ? remove(one) : write(one),
    deliver(),
    finish(),
  ]);
}

/** A list that leaves a record out because another one went while it was read. */
function shiftingList(family: Family): fc.Arbitrary<Command[]> {
  const drawn = fc.record({
    member: fc.nat({ max: family.members.length - 1 }),
    edit: anyEdit(family),
    fill: sometimes,
  });
  return story(drawn, ({ member, edit, fill }) => {
    const ids = member === 0 ? PARENT_IDS : CHILD_IDS;
    return [
      write('1'),
      ...ids.map((id) => write(id)),
      settle,
      ...ids.map((id) => write(id)),
      deliverAll,
      shift(edit),
      fill ? backfill({ member }) : fetch({ member }),
      fetch({ member }),
    ];
  });
}

/** A backfill beside the worker. */
function backfilledBeside(family: Family): fc.Arbitrary<Command[]> {
  const drawn = fc.record({ id: anyId(family), projectId: anyProject, hold: anyHold, last: sometimes });
  return story(drawn, ({ id, projectId, hold, last }) => [
    ...born(id, { projectId }),
    write('2', { projectId }),
    begin(hold, batchOf(id, projectId), 'backfill'),
    deliverAll,
    fetch(batchOf(id, projectId)),
    last ? remove(id) : write(id),
    deliver(),
    begin(hold, { ...batchOf(id, projectId), lane: 'backfill' }),
    finish(0),
    fetch(batchOf(id, projectId)),
    finish(),
  ]);
}

/** The event of a deletion comes when the record is back. */
function lateDelete(family: Family): fc.Arbitrary<Command[]> {
  const drawn = fc.record({ id: anyId(family), projectId: anyProject, hold: anyHold, back: fc.nat({ max: 3 }) });
  return story(drawn, ({ id, projectId, hold, back }) => [
    ...born(id, { projectId }),
    settle,
    remove(id),
    begin(hold, batchOf(id, projectId)),
    write(id),
    deliver(),
    fetch(batchOf(id, projectId)),
    deliver(back),
    fetch(batchOf(id, projectId)),
    finish(),
  ]);
}

/** A child gets another parent, in this project or the other. */
function newParent(family: Family): fc.Arbitrary<Command[]> {
  const drawn = fc.record({
    id: anyChild(family),
    projectId: anyProject,
    tellsOldPlace: sometimes,
    isLate: seldom,
    hold: anyHold,
  });
  return story(drawn, ({ id, projectId, hold, ...change }) => [
    ...born(id),
    write('2', { projectId }),
    write('12', { under: '2' }),
    settle,
    begin(hold, batchOf('1', '7')),
    moveChild(id, memberOf(id) === 1 ? '2' : '12', change),
    deliver(),
    fetch(batchOf(id, projectId)),
    finish(),
  ]);
}

/** A parent is deleted with what lives in it, and comes back. */
function goneTogether(family: Family): fc.Arbitrary<Command[]> {
  const drawn = fc.record({
    id: anyChild(family),
    tells: fc.tuple(sometimes, sometimes),
    isLate: seldom,
    hold: anyHold,
  });
  return story(drawn, ({ id, tells: [goneTells, backTells], isLate, hold }) => [
    ...born(id),
    settle,
    write(id),
    deliver(),
    begin(hold, batchOf(id, '7')),
    remove('1', { childrenTell: goneTells }),
    deliverAll,
    fetch(batchOf('1', '7')),
    fetch(batchOf(id, '7')),
    write('1', { childrenTell: backTells, isLate }),
    deliver(),
    fetch(batchOf('1', '7')),
    finish(),
  ]);
}

/** A parent moves to the other project with what lives in it. */
function movedTogether(family: Family): fc.Arbitrary<Command[]> {
  const drawn = fc.record({ id: anyChild(family), tellsOldPlace: sometimes, isLate: seldom, hold: anyHold });
  return story(drawn, ({ id, hold, ...change }) => [
    ...born(id),
    settle,
    write(id),
    begin(hold, batchOf(id, '7')),
    move('1', change),
    deliver(),
    fetch(batchOf('1', '8')),
    fetch(batchOf(id, '8')),
    finish(),
  ]);
}

/** A parent moves with what lives in it, and somebody of them is deleted there; who was read before, and who is read between? */
function movedAndGone(family: Family): fc.Arbitrary<Command[]> {
  const drawn = fc.record({
    id: anyChild(family),
    gone: anyId(family),
    restored: sometimes,
    read: fc.subarray(['before', 'moved', 'gone'] as const),
    childrenTell: sometimes,
    tellsOldPlace: sometimes,
  });
  return story(drawn, ({ id, gone, restored, read, childrenTell, tellsOldPlace }) => [
    ...born(id),
    write('2'),
    ...(read.includes('before') ? [settle] : [deliver(1), fetch(batchOf(id, '7'))]),
    move('1', { tellsOldPlace }),
    ...(read.includes('moved') ? [deliver(), fetch(batchOf('1', '8'))] : []),
    remove(gone, { childrenTell }),
    remove('1', { childrenTell }),
    ...(read.includes('gone') ? [deliver(), fetch(batchOf('1', '8')), fetch(batchOf(id, '8'))] : []),
    ...(restored ? [write('1', { childrenTell })] : []),
    settle,
  ]);
}

/** The record, and before it whoever it is to live in. */
function born(id: string, change: Parameters<typeof write>[1] = {}): Command[] {
  const ids = ['1', ...(memberOf(id) > 1 ? ['11'] : []), id];
  return ids.map((one) => write(one, change));
}

const batchOf = (id: string, projectId: string) => ({ member: memberOf(id), projectId });

/** Tells it as a whole nearly always; each command can be left out. */
function story<Drawn>(drawn: fc.Arbitrary<Drawn>, tell: (drawn: Drawn) => Command[]): fc.Arbitrary<Command[]> {
  const isTold = fc.nat({ max: 29 }).map((number) => number > 0);
  return fc
    .tuple(drawn, fc.array(isTold, { minLength: LONGEST_STORY, maxLength: LONGEST_STORY }))
    .map(([parts, told]) => tell(parts).filter((_, index) => told[index]));
}

const LONGEST_STORY = 16;
