#!/usr/bin/env bash
# A job that releases its service, in its own clone; all jobs share a lock, so no push ever loses a race.
# Usage: push-under-mutex.sh CLONE
set -euo pipefail
here=$(dirname "$(realpath "$0")")

cd "$1"
source "$here/write-release.sh"
exec 9>../.lock
flock 9
git pull --quiet --rebase
git push --quiet
