// Plays one history: the commands, then everything that is still under way or not delivered comes to its end, and the
// mirror must show what Procore has.
import type { Command, Edit, History } from './command.ts';
import type { Family } from './families.ts';
import { lineOf } from './line-of.ts';
import { nothingKnown, readDifferences, readKnown } from './mirror-rows.ts';
import { openPlay, type Play } from './play.ts';
import type { Stage } from './stage.ts';

const LAST_ROUNDS = 15;
const ROUNDS_TO_SETTLE = 5;

/** Plays the history in a company of its own. Throws an error that tells it line by line when the mirror ends wrong. */
export async function playHistory(stage: Stage, family: Family, history: History): Promise<void> {
  const play = await openPlay(stage, family, history.payload);
  try {
    for (const command of history.commands) {
      play.tell(lineOf(command, family));
      await obey(play, command);
    }
    play.tell('the end: what stands still goes on, what was not delivered is, and all is fetched');
    await end(play, history.lastOrder);
  } catch (cause) {
    throw new Error(failureOf(play, family, history, [String(cause)]), { cause });
  } finally {
    await play.close();
  }
  const differences = await readDifferences(stage.database, play.world);
  if (differences.length > 0) throw new Error(failureOf(play, family, history, differences));
}

async function obey(play: Play, command: Command): Promise<void> {
  switch (command.do) {
    case 'write':
    case 'delete':
    case 'move':
    case 'move child':
      return makeEdit(play, command);
    case 'deliver': {
      const { events } = play.world;
      const event = events.at(-1 - (command.back % Math.max(1, events.length)));
      return event === undefined ? undefined : play.deliver(event);
    }
    case 'deliver all':
      return deliverAll(play, []);
    case 'fetch':
      return play.run('fetch', command.batch);
    case 'backfill':
      return play.run('backfill', command.batch);
    case 'begin':
      return play.begin(command.work, command.batch, command.hold);
    case 'finish':
      return play.finish(command.which);
    case 'two workers': {
      const { batch, otherLane } = command;
      const both = [play.run('fetch', batch), play.run('fetch', { ...batch, lane: otherLane })];
      await Promise.allSettled(both);
      await Promise.all(both);
      return;
    }
    case 'nonsense':
      return play.answerNonsense(command.answer);
    case 'shift':
      return play.shiftNextList(() => makeEdit(play, command.by));
    case 'calls':
      return play.setCalls(command.are);
    case 'settle':
      await deliverAll(play, []);
      return play.fetchAll(ROUNDS_TO_SETTLE);
  }
}

async function makeEdit({ world, stage }: Play, edit: Edit): Promise<void> {
  const isAsked = world.family.members.length > 1 || ('isLate' in edit && edit.isLate);
  world.edit(edit, isAsked ? await readKnown(stage.database, world) : nothingKnown);
}

async function deliverAll(play: Play, order: readonly number[]): Promise<void> {
  const late = play.world.events.filter(({ isDelivered }) => !isDelivered);
  const inOrder = [...late.entries()].toSorted(([a], [b]) => (order[a] ?? 0) - (order[b] ?? 0));
  for (const [, event] of inOrder) await play.deliver(event);
}

async function end(play: Play, lastOrder: readonly number[]): Promise<void> {
  play.shiftNextList(null);
  play.world.lags.endAll();
  await play.setCalls('plenty');
  await play.finish('all');
  await deliverAll(play, lastOrder);
  await play.fetchAll(LAST_ROUNDS);
}

function failureOf(play: Play, family: Family, history: History, differences: readonly string[]): string {
  return [
    ...['', `${family.name}, payload ${history.payload}:`, ...play.told],
    ...['', 'the difference:', ...differences.map((line) => `  ${line}`)],
    ...['', 'to keep it:', JSON.stringify(history)],
  ].join('\n');
}
