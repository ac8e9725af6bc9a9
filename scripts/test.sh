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

# The previous release's code comes from the repository's history.
upgrade=upgrade
[ "$(git rev-parse --is-shallow-repository)" = true ] && upgrade=''
projects=(together alone apart $upgrade)
report() { echo ".stack/test-$1.json"; }
tests() {
  rm -f "$(report "$1")"
  vitest run --project "$1" --reporter=default --reporter=json --outputFile.json="$(report "$1")"
}
tests together
# Those that end processes of the stack have it to themselves, and mostly wait: meanwhile run those that need no stack.
{
  for project in apart $upgrade; do tests "$project"; done
} >.stack/test-apart.log 2>&1 &
tests alone
wait
cat .stack/test-apart.log
[ "$upgrade" ] || echo 'The upgrade from the previous release was not tried: this clone is shallow. Run: git fetch --unshallow'

for project in "${projects[@]}"; do
  tally=$(node scripts/tally.ts "$(report "$project")" ||
    echo "0 1"$'\n'"FAILED  the tests that run $project left no report")
  read -r p f <<< "$tally"
  passed=$((passed + p)) failed=$((failed + f))
  failures+=$(tail -n +2 <<< "$tally")$'\n'
done

# At the end, where people look first.
printf '%s' "$failures"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
