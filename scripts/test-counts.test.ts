import { expect, test } from 'vitest';
import { countTests } from './test-counts.ts';

const aReport = (report: object) =>
  JSON.stringify({
    numPassedTests: 0,
    numFailedTests: 0,
    numPendingTests: 0,
    numTodoTests: 0,
    testResults: [],
    ...report,
  });

test('reports add up', () => {
  const reports = [
    aReport({ numPassedTests: 3, numFailedTests: 1 }),
    aReport({ numPassedTests: 2, numPendingTests: 4, numTodoTests: 1 }),
  ];
  expect(countTests(reports)).toEqual({ passed: 5, failed: 1, skipped: 5 });
});

test('a file that could not be loaded counts as a failed test', () => {
  const testResults = [
    { status: 'failed', assertionResults: [] },
    { status: 'passed', assertionResults: [{}] },
  ];
  expect(countTests([aReport({ numPassedTests: 1, testResults })])).toEqual({ passed: 1, failed: 1, skipped: 0 });
});
