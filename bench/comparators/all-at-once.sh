#!/usr/bin/env bash
# Runs a writer in every clone below a folder, all at the same time, and waits for the last.
# Usage: all-at-once.sh WRITER FOLDER
set -euo pipefail

for clone in "$2"/*/; do
  "$1" "$clone" &
done
wait
