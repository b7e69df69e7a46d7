import fc from 'fast-check';
import { type BatchPick, PROJECTS } from './command.ts';
import type { Family } from './families.ts';
import { nonsenseNames } from './nonsense.ts';
import { CHILD_IDS, GRANDCHILD_IDS, PARENT_IDS } from './scripted-world.ts';

/** The first in about three of four. */
export function mostly<Value>(first: Value, ...others: readonly Value[]): fc.Arbitrary<Value> {
  return fc.oneof(
    { weight: 3 * others.length, arbitrary: fc.constant(first) },
    ...others.map((other) => ({ weight: 1, arbitrary: fc.constant(other) })),
  );
}

export const anyParent = fc.constantFrom(...PARENT_IDS);
export const anyProject = fc.constantFrom(...PROJECTS);
export const anyLane = mostly<BatchPick['lane']>('live', 'backfill', 'detail');
export const seldom = fc.nat({ max: 4 }).map((number) => number === 4);
export const sometimes = fc.boolean();
export const anyHold = fc.record({
  what: fc.constantFrom('answer', 'request', 'version'),
  at: mostly(0, 1, 2),
});
export const anyNonsense = fc.constantFrom(...nonsenseNames);

export const hasChildren = ({ members }: Pick<Family, 'members'>) => members.length > 1;
const idsOfMember = [PARENT_IDS, CHILD_IDS, GRANDCHILD_IDS];
/** Each member as often as the others. */
const anyIdOf = (members: readonly (readonly string[])[]) => fc.oneof(...members.map((ids) => fc.constantFrom(...ids)));
export const anyId = ({ members }: Family): fc.Arbitrary<string> => anyIdOf(idsOfMember.slice(0, members.length));
/** Who may be the parent of one. */
export const anyUnder = ({ members }: Pick<Family, 'members'>): fc.Arbitrary<string> =>
  hasChildren({ members }) ? anyIdOf(idsOfMember.slice(0, members.length - 1)) : anyParent;
/** A child, or a grandchild. */
export const anyChild = ({ members }: Family): fc.Arbitrary<string> => anyIdOf(idsOfMember.slice(1, members.length));
export const anyBatch = (family: Family): fc.Arbitrary<BatchPick> =>
  fc.record({ member: fc.nat({ max: family.members.length - 1 }), projectId: anyProject, lane: anyLane });
