// What vitest's JSON reporter says, as far as the summary needs it.
type Report = {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  testResults: { status: string; assertionResults: unknown[] }[];
};

export type TestCounts = { passed: number; failed: number; skipped: number };

/** Adds up reports. A file that could not even be loaded has no tests in the report and counts as one that failed. */
export function countTests(reports: readonly string[]): TestCounts {
  const counts: TestCounts = { passed: 0, failed: 0, skipped: 0 };
  for (const text of reports) {
    const report = JSON.parse(text) as Report; // vitest's own format
    counts.passed += report.numPassedTests;
    counts.failed += report.numFailedTests;
    counts.failed += report.testResults.filter(
      (file) => file.status === 'failed' && file.assertionResults.length === 0,
    ).length;
    counts.skipped += report.numPendingTests + report.numTodoTests;
  }
  return counts;
}
