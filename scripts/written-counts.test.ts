import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { catalogue } from '../packages/catalogue/src/catalogue.ts';
import { countedFiles, writeCounts } from './written-counts.ts';

const root = path.resolve(import.meta.dirname, '..');

test.each(countedFiles)('the counts in %s are those of the catalogue (after a change: pnpm generate)', (file) => {
  const text = readFileSync(path.join(root, file), 'utf8');
  expect(text).toMatch(/<!--\w+-->\d/);
  expect(writeCounts(text, catalogue)).toBe(text);
});

test('only numbers behind a mark change, each by its own', () => {
  const text = 'Of <!--named-->5 (<!--mirrored-->4, <!--unread-->1; <!--other-->7) 5 and 4 stay.';
  const counted = writeCounts(text, { entries: Array(12).fill(null), mirrored: Array(10).fill(null) });
  expect(counted).toBe('Of <!--named-->12 (<!--mirrored-->10, <!--unread-->2; <!--other-->7) 5 and 4 stay.');
});
