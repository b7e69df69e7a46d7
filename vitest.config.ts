import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * The longest first, and then the others of the whole product: those mostly wait, and the rest fills the time; one that begins last is
 * waited for alone. `npm test` names the slowest when it ends.
 */
const LONGEST = [
  'e2e/whole/promise-redis',
  'e2e/whole/prove-itself',
  'e2e/whole/promise-postgres',
  'e2e/whole/few-calls',
  'apps/start/src/start.pg',
  'e2e/whole/right-rows.test',
  'packages/mirror/src/upgrade.pg',
  'e2e/week/day',
  'packages/mirror/src/histories/histories.pg',
  'packages/mirror/src/climb.pg',
  'e2e/',
  'apps/cli/',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const found = LONGEST.findIndex((name) => moduleId.includes(`/${name}`));
      return found === -1 ? LONGEST.length : found;
    };
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
  }
}

export default defineConfig({
  test: {
    include: ['apps/**/*.test.ts', 'e2e/**/*.test.ts', 'packages/**/*.test.ts', 'scripts/**/*.test.ts'],
    globalSetup: ['packages/testing/src/global-setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // One file after the other in the same process, which has read and compiled the product already.
    isolate: false,
    maxWorkers: 4, // on two cores: more than half of the time a test waits
    maxConcurrency: 100, // tests that say they are concurrent mostly wait
    sequence: { sequencer: LongestFirst },
  },
});
