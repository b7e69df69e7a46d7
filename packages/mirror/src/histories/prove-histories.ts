import fc from 'fast-check';
import type { History } from './command.ts';
import { anyHistory } from './draw-history.ts';
import type { Family } from './families.ts';
import { playHistory } from './play-history.ts';
import type { Stage } from './stage.ts';

/** Plays so many histories of the family. Throws an error that tells the shortest that was found to go wrong. */
export async function proveHistories(
  stage: Stage,
  family: Family,
  numRuns: number,
  how: { seed?: number; path?: string } = {},
): Promise<void> {
  const property = fc.asyncProperty(anyHistory(family), (history) => playHistory(stage, family, history));
  const { failed, counterexample, ...details } = await fc.check(property, { numRuns, ...how });
  if (!failed) return;
  const { seed, counterexamplePath, numRuns: played, numShrinks, errorInstance } = details;
  const again = `proveHistories(…, { seed: ${seed}, path: '${counterexamplePath}' })`;
  const shortest = counterexample === null ? null : await shorten(stage, family, counterexample[0]);
  throw new Error(`history ${played}, shrunk ${numShrinks} times, again with ${again}:\n${shortest ?? errorInstance}`);
}

/** Leaves out what is not needed to go wrong, command by command. Returns what is told of the rest; null if it goes well. */
async function shorten(stage: Stage, family: Family, history: History): Promise<string | null> {
  let shortest = history;
  let told = await failureOf(stage, family, history);
  for (let index = history.commands.length - 1; told !== null && index >= 0; index -= 1) {
    const shorter = { ...shortest, commands: shortest.commands.toSpliced(index, 1) };
    const failure = await failureOf(stage, family, shorter);
    if (failure === null) continue;
    shortest = shorter;
    told = failure;
  }
  return told;
}

async function failureOf(stage: Stage, family: Family, history: History): Promise<string | null> {
  try {
    await playHistory(stage, family, history);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
