// Histories at random: single commands, and short stories mixed with the rest. Shrinking leaves out steps, then the commands
// of a story.
import fc from 'fast-check';
import type { History } from './command.ts';
import { anyCommand } from './draw-command.ts';
import { storiesOf } from './draw-story.ts';
import type { Family } from './families.ts';

const MOST_STEPS = 8;

/** Any history of the family. */
export function anyHistory(family: Family): fc.Arbitrary<History> {
  const step = fc.oneof(
    { weight: 12, arbitrary: anyCommand(family).map((command) => [command]) },
    ...storiesOf(family).map((arbitrary) => ({ weight: 1, arbitrary })),
  );
  return fc.record({
    commands: fc.array(step, { maxLength: MOST_STEPS, size: 'max' }).map((steps) => steps.flat()),
    lastOrder: fc.array(fc.nat(99), { maxLength: 10, size: 'max' }),
    payload: fc.constantFrom('v4.0', 'v3.0'),
  });
}
