// A small company's Monday, lived through in virtual time: a small edition of week.prove.ts.
import { expect, test } from 'vitest';
import { runWeek } from './run-week.ts';

test('after a day with bursts and imports the mirror is equal to the world, and no call was refused', async () => {
  const lines: string[] = [];
  const onProgress = (line: string): void => void lines.push(line);
  const week = await runWeek({ seed: 1, projects: 2, events: 500, callsPerHour: 600, days: 1, onProgress });
  const { report, differences, compared } = week;
  expect(differences).toEqual([]);
  expect(compared).toBeGreaterThan(1500);
  expect(report.total.events).toBe(500);
  expect(report.wrong).toEqual({ incomplete: 0, ignored: 0, deadLetters: 0 });
  expect(report.outsideTheWeek).toBe(0);
  expect(report.byStatus['429'] ?? 0).toBe(0);
  expect(lines.join('\n')).toContain('Mon 12:00  ');
}, 600_000); // beside whatever else the machine does
