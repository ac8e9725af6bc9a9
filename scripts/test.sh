#!/usr/bin/env bash
# make test: habits first, then every test on the running stack. Its last line is `N passed, N failed`.
set -uo pipefail
cd "$(dirname "$0")/.."

passed=0 failed=0
failures=''

# A habit counts as one test.
habit() {
  local name=$1 began=$SECONDS
  shift
  if output=$("$@" 2>&1); then
    passed=$((passed + 1))
    echo "ok      $name ($((SECONDS - began)) s)"
  else
    failed=$((failed + 1))
    echo "FAILED  $name ($((SECONDS - began)) s)"
    failures+="FAILED  $name: $*"$'\n'"$output"$'\n'
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
  tally=$(node scripts/tally.ts "$report" || echo "0 1"$'\n'"FAILED  the tests that run $project left no report")
  read -r p f <<< "$tally"
  passed=$((passed + p)) failed=$((failed + f))
  failures+=$(tail -n +2 <<< "$tally")$'\n'
done

# At the end, where people look first.
printf '%s' "$failures"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
