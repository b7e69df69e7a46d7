// Tests about the repository itself: they read files and need no server.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: `${import.meta.dirname}/..`,
  test: { include: ['.ci/**/*.test.ts'] },
});
