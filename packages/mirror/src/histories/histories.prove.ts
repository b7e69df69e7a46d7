// Many more of the histories of `histories.pg.test.ts`.
import { afterAll, beforeAll, test } from 'vitest';
import { families } from './families.ts';
import { proveHistories } from './prove-histories.ts';
import { openStage, type Stage } from './stage.ts';

/** Of each family. */
const HISTORIES = 500;

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

test.each(families)(`$name: the rows end equal to Procore after ${HISTORIES} histories`, async (family) => {
  const startedAt = performance.now();
  await proveHistories(stage, family, HISTORIES);
  console.log(
    `${family.name}: ${((HISTORIES * 1000) / (performance.now() - startedAt)).toFixed(1)} histories a second`,
  );
});
