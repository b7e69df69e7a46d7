// What vitest's JSON reporter says, as far as the summary needs it.
type FileReport = {
  name: string;
  status: string;
  /** In ms since 1970. */
  startTime: number;
  endTime: number;
  assertionResults: { status: string; fullName: string }[];
};
type Report = { numPassedTests: number; numPendingTests: number; numTodoTests: number; testResults: FileReport[] };

export type TestCounts = { passed: number; failed: number; skipped: number; failures: string[] };

/** What took longest: the files, and for how many seconds. */
export function slowestFiles(reports: readonly string[], most: number): { name: string; seconds: number }[] {
  const files = reports.flatMap((text) => (JSON.parse(text) as Report).testResults); // vitest's own format
  return files
    .map(({ name, startTime, endTime }) => ({ name, seconds: Math.round((endTime - startTime) / 1000) }))
    .toSorted((a, b) => b.seconds - a.seconds)
    .slice(0, most);
}

/**
 * Adds up reports and names what failed (`file: test`). A file that failed outside of its tests, for example because it
 * could not be loaded, counts as one failed test.
 */
export function countTests(reports: readonly string[]): TestCounts {
  const all = reports.map((text) => JSON.parse(text) as Report); // vitest's own format
  const failures = all.flatMap(({ testResults }) => testResults.flatMap(failuresOf));
  const sum = (count: (report: Report) => number) => all.reduce((total, report) => total + count(report), 0);
  return {
    passed: sum(({ numPassedTests }) => numPassedTests),
    failed: failures.length,
    skipped: sum(({ numPendingTests, numTodoTests }) => numPendingTests + numTodoTests),
    failures,
  };
}

function failuresOf({ name, status, assertionResults }: FileReport): string[] {
  const tests = assertionResults.filter((test) => test.status === 'failed').map(({ fullName }) => fullName);
  if (status === 'failed' && tests.length === 0) tests.push('failed outside of its tests');
  return tests.map((test) => `${name}: ${test}`);
}
