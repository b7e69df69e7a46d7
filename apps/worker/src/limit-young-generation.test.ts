import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, test } from 'vitest';

/** How many times as large the young generation becomes while many objects outlive its collections. */
function growth(prepare: string): number {
  const module = path.join(import.meta.dirname, 'limit-young-generation.ts');
  const script = `
    import v8 from 'node:v8';
    import { limitYoungGeneration } from ${JSON.stringify(module)};
    const size = () => v8.getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size;
    ${prepare}
    const before = size();
    let kept = [];
    for (let made = 0; made < 2_000_000; made += 1) {
      if (kept.length === 50_000) kept = [];
      kept.push({ made });
    }
    console.log(size() / before);`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  return Number(stdout);
}

test('what V8 sets aside for new objects stays as large as it is', () => {
  expect(growth('')).toBeGreaterThan(8); // sixteen times, in V8's steps
  expect(growth('limitYoungGeneration();')).toBeLessThan(4); // it has two halves, the second of which is made later
});
