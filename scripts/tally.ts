/** Prints what a report of vitest counts, `passed failed`, and then each failure with its messages. */
import { readFileSync } from 'node:fs';

interface Report {
  readonly numPassedTests: number;
  readonly numTotalTests: number;
  readonly success: boolean;
  readonly testResults: readonly {
    readonly name: string;
    /** Why the file could not be run. */
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[] | null;
    }[];
  }[];
}

const [, , path = ''] = process.argv;
const report = JSON.parse(readFileSync(path, 'utf8')) as Report;

// What did not pass counts as failed: a skipped test too, and an error outside of any test.
const notPassed = report.numTotalTests - report.numPassedTests;
const outside = notPassed === 0 && !report.success;
console.log(report.numPassedTests, outside ? 1 : notPassed);
if (outside) console.log('FAILED  an error outside of any test, which vitest tells above');

for (const { name, message, assertionResults } of report.testResults) {
  if (message !== '') console.log(`FAILED  ${name}\n${message}`);
  for (const { fullName, status, failureMessages } of assertionResults) {
    if (status === 'passed') continue;
    console.log(`FAILED  ${name}: ${fullName} (${status})`);
    console.log((failureMessages ?? []).join('\n'));
  }
}
