import { expect, test } from 'vitest';
import { countTests, slowestFiles } from './test-counts.ts';

const aReport = (report: object) =>
  JSON.stringify({
    numPassedTests: 0,
    numPendingTests: 0,
    numTodoTests: 0,
    testResults: [],
    ...report,
  });

test('reports add up, and what failed is named', () => {
  const testResults = [
    {
      name: 'a.test.ts',
      status: 'failed',
      assertionResults: [
        { status: 'passed', fullName: 'this' },
        { status: 'failed', fullName: 'that' },
      ],
    },
  ];
  const reports = [
    aReport({ numPassedTests: 3, testResults }),
    aReport({ numPassedTests: 2, numPendingTests: 4, numTodoTests: 1 }),
  ];
  expect(countTests(reports)).toEqual({ passed: 5, failed: 1, skipped: 5, failures: ['a.test.ts: that'] });
});

test('a file that failed outside of its tests, as one that could not be loaded, counts as a failed test', () => {
  const testResults = [
    { name: 'a.test.ts', status: 'failed', assertionResults: [] },
    { name: 'b.test.ts', status: 'passed', assertionResults: [{ status: 'passed', fullName: 'this' }] },
  ];
  const failures = ['a.test.ts: failed outside of its tests'];
  expect(countTests([aReport({ numPassedTests: 1, testResults })])).toEqual({
    passed: 1,
    failed: 1,
    skipped: 0,
    failures,
  });
});

test('the slowest files come first', () => {
  const file = (name: string, endTime: number) => ({
    name,
    status: 'passed',
    startTime: 1000,
    endTime,
    assertionResults: [],
  });
  const reports = [
    aReport({ testResults: [file('a.test.ts', 3400), file('b.test.ts', 2000)] }),
    aReport({ testResults: [file('c.test.ts', 9000)] }),
  ];
  expect(slowestFiles(reports, 2)).toEqual([
    { name: 'c.test.ts', seconds: 8 },
    { name: 'a.test.ts', seconds: 2 },
  ]);
});
