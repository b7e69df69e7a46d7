import { expect, test } from 'vitest';
import { pulseInWords } from './live-line.ts';

test('the live line names what is wrong, and what to run', () => {
  const pulse = { recentEvents: 25, rows: '1200', pending: 3, deadLetters: 0, parkedScopes: 0, last: null };
  expect(pulseInWords(pulse)).toBe('2.5 events/s · about 1200 rows · 3 pending');
  expect(pulseInWords({ ...pulse, deadLetters: 2, last: { kind: 'update', resource: 'RFIs', recordId: '7' } })).toBe(
    '2.5 events/s · about 1200 rows · 3 pending · 2 dead letters (see: npx pnpm mirror status) · last: update of RFIs 7',
  );
});
