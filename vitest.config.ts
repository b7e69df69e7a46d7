import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Tests of the whole product first: they mostly wait, and the others fill the time; two of them at the end would wait alone. */
class WholeFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isWhole = ({ moduleId }: TestSpecification) => Number(moduleId.includes('/e2e/'));
    return (await super.sort(files)).toSorted((a, b) => isWhole(b) - isWhole(a));
  }
}

export default defineConfig({
  test: {
    include: ['apps/**/*.test.ts', 'e2e/**/*.test.ts', 'packages/**/*.test.ts', 'scripts/**/*.test.ts'],
    globalSetup: ['packages/testing/src/global-setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 3,
    maxConcurrency: 100, // tests that say they are concurrent mostly wait
    sequence: { sequencer: WholeFirst },
  },
});
