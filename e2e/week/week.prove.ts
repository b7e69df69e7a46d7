// The calls that a week of a believable company takes, and that its mirror is right at the end of it: `pnpm prove week`.
// The table comes at the end, and as JSON in .data/week.json.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { runWeek } from './run-week.ts';
import { weekInWords } from './week-report.ts';

const DIRECTORY = path.resolve(import.meta.dirname, '../../.data');
const PROJECTS = 20;
const EVENTS = 100_000;
/** The aim is 0.35 and was not reached (docs/figures.md); this much must hold. */
const CALLS_PER_EVENT = 0.4;

test('a week of a company with twenty projects takes at most 0.4 calls for each event, and every row ends right', async () => {
  const onProgress = (line: string): void => console.info(line);
  const { report, differences, compared } = await runWeek({
    seed: 1,
    projects: PROJECTS,
    events: EVENTS,
    callsPerHour: 600,
    days: 7,
    onProgress,
  });
  console.info(weekInWords(report));
  await mkdir(DIRECTORY, { recursive: true });
  await writeFile(path.join(DIRECTORY, 'week.json'), JSON.stringify(report, null, 2));
  expect(differences).toEqual([]);
  expect(compared).toBeGreaterThan(EVENTS / 4);
  expect(report.total.events).toBe(EVENTS);
  expect(report.wrong).toEqual({ incomplete: 0, ignored: 0, deadLetters: 0 });
  expect(report.outsideTheWeek).toBe(0);
  expect(report.byStatus['429'] ?? 0).toBe(0);
  expect(report.total.callsPerEvent).toBeLessThanOrEqual(CALLS_PER_EVENT);
});
