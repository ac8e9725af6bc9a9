#!/usr/bin/env bash
# A backup without what Argo CD finds out again, its history kept, as somebody would make it who thought of that.
# Usage: without-status.sh <EXPORT.yaml >SHORTER.yaml
exec awk '
  /^[^ ]/ { status = /^status:/; skip = 0 }
  status && /^  [^ -]/ { skip = !/^  history:/ }
  !skip
'
