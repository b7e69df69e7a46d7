// Short histories of every kind keep the promise: whatever is edited, moved, deleted and restored, delivered twice, late
// or in the wrong order, however slowly and oddly fetches answer, the rows end equal to Procore. `pnpm prove histories`
// plays many more.
import { afterAll, beforeAll, describe, test } from 'vitest';
import { families } from './families.ts';
import { keptHistories } from './kept-histories.ts';
import { playHistory } from './play-history.ts';
import { proveHistories } from './prove-histories.ts';
import { openStage, type Stage } from './stage.ts';

/** Of each family. */
const HISTORIES = 40;
/** The same in each run, so that a change is judged by what it changes; the proof draws others each time. */
const SEED = 7;
/** To shorten one that goes wrong takes a while. */
const MINUTES = { timeout: 600_000 };

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

describe.each(keptHistories)('the rows end equal to Procore after $name', ({ families: of, history }) => {
  test.each(of)('$name', (family) => playHistory(stage, family, history));
});

describe('the rows end equal to Procore after any history', () => {
  test.each(families)('$name', MINUTES, (family) => proveHistories(stage, family, HISTORIES, { seed: SEED }));
});
