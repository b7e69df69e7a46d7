import { expect, test } from 'vitest';
import { pulseInWords } from './live-line.ts';
import { createProgress } from './progress.ts';

test('without a terminal there is a line for each tenth, however many steps there are', () => {
  const lines: string[] = [];
  const progress = createProgress({ title: 'Backfill', isTerminal: false, write: (text) => void lines.push(text) });
  for (let done = 0; done <= 1000; done++) progress.show(done, 1000, `step ${done}`);
  progress.stop();
  expect(lines).toHaveLength(11);
  expect(lines.at(-1)).toBe('Backfill 100% (1000/1000) step 1000\n');
});

test('the live line names what is wrong, and what to run', () => {
  const pulse = { recentEvents: 25, rows: '1200', pending: 3, deadLetters: 0, parkedScopes: 0, last: null };
  expect(pulseInWords(pulse)).toBe('2.5 events/s · about 1200 rows · 3 pending');
  expect(pulseInWords({ ...pulse, deadLetters: 2, last: { kind: 'update', resource: 'RFIs', recordId: '7' } })).toBe(
    '2.5 events/s · about 1200 rows · 3 pending · 2 dead letters (see: npx pnpm mirror status) · last: update of RFIs 7',
  );
});
