import { type BatchPick, type Command, type Hold, memberOf } from './command.ts';
import type { Family } from './families.ts';

/** The command as a line for people. */
export function lineOf(command: Command, family: Family): string {
  const named = (id: string) => `${family.members[memberOf(id)]?.resource ?? '?'} ${id}`;
  const batchOf = ({ member, projectId, lane }: BatchPick) =>
    `${family.members[member]?.resource} of project ${projectId}, lane ${lane}`;
  switch (command.do) {
    case 'write': {
      const { id, under, projectId, childrenTell, isLate } = command;
      const where = memberOf(id) > 0 ? `, if it is new under ${under}` : `, if it is new in project ${projectId}`;
      return `write ${named(id)}${where}${tell(childrenTell)}${late(isLate)}`;
    }
    case 'delete':
      return `delete ${named(command.id)}${tell(command.childrenTell)}`;
    case 'move':
      return `move ${named(command.id)} to the other project${old(command.tellsOldPlace)}${late(command.isLate)}`;
    case 'move child':
      return `move ${named(command.id)} to parent ${command.under}${old(command.tellsOldPlace)}${late(command.isLate)}`;
    case 'deliver':
      return command.back === 0 ? 'deliver the newest event' : `deliver the event ${command.back} before the newest`;
    case 'deliver all':
      return 'deliver all events that were not yet';
    case 'fetch':
      return `fetch ${batchOf(command.batch)}`;
    case 'backfill':
      return `backfill ${batchOf(command.batch)}`;
    case 'begin':
      return `begin to ${command.work} ${batchOf(command.batch)}: ${heldAt(command.hold)}`;
    case 'finish':
      return command.which === 'all' ? 'finish all slow runs' : `finish slow run ${command.which}`;
    case 'two workers':
      return `two workers fetch ${batchOf(command.batch)} and lane ${command.otherLane} at once`;
    case 'nonsense':
      return `the next answer is nonsense: ${command.answer}`;
    case 'shift':
      return `the next list shifts between two pages: ${lineOf(command.by, family)}`;
    case 'calls':
      return `calls are ${command.are}`;
    case 'settle':
      return 'let everything settle';
  }
}

const tell = (childrenTell: boolean) => (childrenTell ? '; children that go with it or come back tell' : '');
const late = (isLate: boolean) => (isLate ? '; it is not there yet' : '');
const old = (tellsOldPlace: boolean) => (tellsOldPlace ? '; the old place hears of a delete' : '');
const heldAt = ({ what, at }: Hold) =>
  ({
    answer: `answer ${at} is held back after it was read`,
    request: `request ${at} is held and read when it goes on`,
    version: `it sleeps before it takes version ${at}`,
  })[what];
