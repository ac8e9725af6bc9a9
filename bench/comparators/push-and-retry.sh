#!/usr/bin/env bash
# A job that releases its service, in its own clone, and tries again, a little later, when another one was faster.
# Usage: push-and-retry.sh CLONE
set -euo pipefail
here=$(dirname "$(realpath "$0")")

cd "$1"
source "$here/write-release.sh"
until git pull --quiet --rebase && git push --quiet; do
  sleep "$((RANDOM % 2)).$((RANDOM % 10))"
done 2>/dev/null
