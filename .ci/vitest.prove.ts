// Proofs that take longer than a test may: `pnpm prove [part of a file name]`.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: `${import.meta.dirname}/..`,
  test: {
    include: ['apps/**/*.prove.ts', 'e2e/**/*.prove.ts', 'packages/**/*.prove.ts'],
    passWithNoTests: true,
    globalSetup: ['packages/testing/src/global-setup.ts'],
    testTimeout: 1_800_000,
    hookTimeout: 120_000,
    maxWorkers: 1,
  },
});
