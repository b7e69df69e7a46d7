// Histories that went wrong once, as short as they were found, and stories that must not go wrong.
import {
  begin,
  type Command,
  calls,
  deliver,
  deliverAll,
  fetch,
  finish,
  type History,
  move,
  moveChild,
  nonsense,
  remove,
  settle,
  shift,
  write,
} from './command.ts';
import { type Family, families, familyNamed } from './families.ts';
import { nonsenseNames } from './nonsense.ts';

export type KeptHistory = { name: string; families: readonly Family[]; history: History };

const SINGLE = families.filter(({ members }) => members.length === 1).map(({ name }) => name);
const IN_PROJECTS = SINGLE.filter((name) => name !== 'Change Order Change Reasons');
const CHILDREN = families.filter(({ members }) => members.length > 1).map(({ name }) => name);
const CHILDREN_IN_PROJECTS = CHILDREN.filter((name) => !name.startsWith('Standard'));

const EMBEDDED = 'Change Events + Change Event Line Items';

const CHILD = { member: 1 };
const ELSEWHERE = { projectId: '8' };

export const keptHistories: readonly KeptHistory[] = [
  kept('news during a slow fetch that a quick one overtakes', SINGLE, [
    write('1'),
    deliver(),
    begin(),
    fetch(),
    write('1'),
    deliver(),
    finish(),
  ]),
  kept('the same of what lives in a parent', CHILDREN, [
    write('1'),
    write('11'),
    deliverAll,
    begin({}, CHILD),
    fetch(CHILD),
    write('11'),
    deliver(),
    finish(),
  ]),
  kept('a deletion during a slow fetch that a quick one overtakes', SINGLE, [
    write('1'),
    deliver(),
    begin({ what: 'request' }),
    fetch(),
    remove('1'),
    deliver(),
    finish(),
  ]),
  kept('a new record that is not there yet', SINGLE, [write('1', { isLate: true }), deliver(), fetch()]),
  kept('a new child that is not there yet', CHILDREN, [
    write('1'),
    settle,
    write('11', { isLate: true }),
    deliver(),
    fetch(CHILD),
  ]),
  kept('a restored record that is not there yet', SINGLE, [
    write('1'),
    settle,
    remove('1'),
    settle,
    write('1', { isLate: true }),
    deliver(),
    fetch(),
  ]),
  kept('a slow fetch in the new project, a quick one in the old', IN_PROJECTS, [
    write('1'),
    move('1'),
    deliver(),
    begin({}, ELSEWHERE),
    deliver(1),
    fetch(),
    finish(),
  ]),
  kept('a record that moved away and back during a slow fetch', IN_PROJECTS, [
    write('1'),
    move('1'),
    deliver(1),
    begin(),
    fetch(),
    move('1'),
    deliver(),
    finish(),
  ]),
  kept('the old project hears of a delete when the new one has the record', IN_PROJECTS, [
    write('1'),
    settle,
    move('1', { tellsOldPlace: true }),
    deliver(),
    fetch(ELSEWHERE),
    deliver(1),
    fetch(),
  ]),
  kept('a record that moved and was deleted before anybody looked', IN_PROJECTS, [
    write('1'),
    settle,
    move('1'),
    remove('1'),
  ]),
  kept('a moved record that is not there yet', IN_PROJECTS, [
    write('1'),
    settle,
    move('1', { isLate: true }),
    deliver(),
    fetch(ELSEWHERE),
  ]),
  kept('a child that moved to another parent', CHILDREN, [
    write('1'),
    write('2'),
    write('11'),
    settle,
    moveChild('11', '2'),
  ]),
  kept('a child that moved, seen first with news of its new parent', CHILDREN, [
    write('1'),
    write('2'),
    write('11'),
    settle,
    moveChild('11', '2'),
    write('2'),
    deliverAll,
    fetch(),
  ]),
  kept(
    'a child that moved, of which v3.0 names the new parent',
    ['Purchase Order Contracts + Purchase Order Contract Line Items'],
    [write('1'), write('2'), write('11'), settle, moveChild('11', '2')],
    'v3.0',
  ),
  kept('a child that moved to a parent in the other project', CHILDREN_IN_PROJECTS, [
    write('1'),
    write('2', ELSEWHERE),
    write('11'),
    settle,
    moveChild('11', '2'),
  ]),
  kept('a parent that moved to the other project', CHILDREN_IN_PROJECTS, [write('1'), write('11'), settle, move('1')]),
  kept('a parent that moved before anybody read it or its children', CHILDREN_IN_PROJECTS, [
    write('1'),
    write('11'),
    move('1'),
  ]),
  kept('a parent that was deleted and came back before anybody read its children', CHILDREN_IN_PROJECTS, [
    write('1'),
    settle,
    write('11'),
    remove('1'),
    settle,
    write('1'),
  ]),
  kept('a parent that moved, and the old project hears of a delete', CHILDREN_IN_PROJECTS, [
    write('1'),
    write('11'),
    settle,
    move('1', { tellsOldPlace: true }),
    deliver(),
    fetch(ELSEWHERE),
    fetch({ ...CHILD, ...ELSEWHERE }),
  ]),
  kept('a parent that was deleted and came back with its children', CHILDREN_IN_PROJECTS, [
    write('1'),
    write('11'),
    settle,
    remove('1'),
    settle,
    write('1'),
  ]),
  kept('a slow fetch from before its parent was deleted', CHILDREN_IN_PROJECTS, [
    write('1'),
    settle,
    write('11'),
    deliver(),
    begin({}, CHILD),
    remove('1'),
    deliverAll,
    fetch(),
    finish(),
  ]),
  kept(
    'a run that slept for longer than its lease, until another had done the batch',
    ['RFIs', 'Purchase Order Contracts + Potential Change Orders'],
    [
      write('1'),
      write('2'),
      deliverAll,
      calls('short'),
      begin({ what: 'version', at: 1 }),
      calls('plenty'),
      fetch(),
      finish(),
    ],
  ),
  kept(
    'a child that moved, whose old parent is read twice',
    [EMBEDDED],
    [
      write('1'),
      write('2'),
      write('12'),
      settle,
      moveChild('12', '2'),
      deliverAll,
      fetch(CHILD),
      write('1'),
      deliver(),
      fetch(),
    ],
  ),
  kept(
    'an unread child whose event names its parent, and the parent moves, and the old project hears of a delete',
    CHILDREN_IN_PROJECTS,
    [write('1'), write('11'), move('1', { tellsOldPlace: true })],
    'v3.0',
  ),
  kept(
    'a list that shifted while it was read',
    ['Change Order Change Reasons', 'Drawing Areas'],
    [write('1'), write('2'), write('3'), settle, write('3'), deliver(), shift(remove('1')), fetch(), fetch()],
  ),
  kept('a child that moves to another parent while its own goes to another project', CHILDREN_IN_PROJECTS, [
    write('1', ELSEWHERE),
    write('2', ELSEWHERE),
    write('11'),
    settle,
    moveChild('11', '2'),
    move('1'),
  ]),
  kept('a silent child whose parent nobody had read before it moved', CHILDREN_IN_PROJECTS, [
    write('1'),
    write('11'),
    deliverAll,
    fetch(CHILD),
    move('1'),
  ]),
  kept('the same where only the child was told of', CHILDREN_IN_PROJECTS, [
    write('1'),
    write('11'),
    deliver(),
    fetch(CHILD),
    move('1'),
  ]),
  kept('a parent that was deleted, restored and moved before anybody read it or its child', CHILDREN_IN_PROJECTS, [
    write('1'),
    write('11'),
    remove('1'),
    write('1'),
    move('1'),
  ]),
  kept(
    'a listing that misses a child under one parent and shows it under another',
    [EMBEDDED],
    [
      ...['1', '2', '3'].map((id) => write(id)),
      shift(moveChild('11', '3')),
      write('11', { isLate: true }),
      deliverAll,
      begin({}, CHILD),
      fetch(CHILD),
    ],
  ),
  ...nonsenseNames.flatMap((answer) => [
    kept(
      `an answer that is ${answer}`,
      ['RFIs', 'Change Order Change Reasons', 'Drawing Areas'],
      [write('1'), settle, write('1'), deliver(), nonsense(answer), fetch()],
    ),
    kept(`an answer that is ${answer}, to who looks for a child`, CHILDREN, [
      write('1'),
      write('11'),
      deliverAll,
      nonsense(answer),
      fetch(CHILD),
    ]),
    kept(
      `an answer that is ${answer}, to who looks for a child in its parent`,
      [EMBEDDED],
      [write('1'), write('11'), settle, write('11'), deliver(), nonsense(answer), fetch(CHILD)],
    ),
    kept(
      `an answer that is ${answer}, to who looks for the parent`,
      [EMBEDDED],
      [write('1'), write('11'), settle, write('1'), deliver(), nonsense(answer), fetch()],
    ),
  ]),
];

function kept(
  name: string,
  of: readonly string[],
  commands: readonly Command[],
  payload: History['payload'] = 'v4.0',
): KeptHistory {
  return { name, families: of.map(familyNamed), history: { commands, lastOrder: [], payload } };
}
