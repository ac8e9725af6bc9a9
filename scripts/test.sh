#!/usr/bin/env bash
# make test: habits first, then every test on the running stack. Its last line is `N passed, N failed`.
set -uo pipefail
cd "$(dirname "$0")/.."

passed=0 failed=0

# A habit counts as one test.
habit() {
  local name=$1 began=$SECONDS
  shift
  if output=$("$@" 2>&1); then
    passed=$((passed + 1))
    echo "ok      $name ($((SECONDS - began)) s)"
  else
    failed=$((failed + 1))
    echo "FAILED  $name: $*"
    echo "$output"
  fi
}

habit 'formatter' prettier --check --log-level warn .
habit 'types' tsc --noEmit
habit 'typed lint and import directions' oxlint --format unix
habit 'dead code' knip --no-progress
habit 'package builds' npm run --silent build

# Tests that end processes of the stack run alone, after all others.
for project in together alone; do
  report=.stack/test-$project.json
  rm -f "$report"
  vitest run --project "$project" --reporter=default --reporter=json --outputFile.json="$report"
  read -r p f < <(node -e '
    const { readFileSync } = require("node:fs");
    const { numPassedTests, numFailedTests, numTotalTests, success } = JSON.parse(readFileSync(process.argv[1], "utf8"));
    // What was neither passed nor failed was not run: a file that could not be loaded, or a skipped test.
    const notRun = numTotalTests - numPassedTests - numFailedTests;
    console.log(numPassedTests, numFailedTests + notRun + (success || numFailedTests + notRun > 0 ? 0 : 1));
  ' "$report" || echo 0 1)
  passed=$((passed + p)) failed=$((failed + f))
done

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
