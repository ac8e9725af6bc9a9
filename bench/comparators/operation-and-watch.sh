#!/usr/bin/env bash
# Deploys a commit by writing the operation into the Application, and watches it until it is there.
# Usage: operation-and-watch.sh APPLICATION COMMIT
set -euo pipefail

operation=$(printf '{"sync": {"revision": "%s", "prune": true}}' "$2")
kubectl patch application "$1" --type merge --patch \
  "{\"operation\": $operation, \"status\": {\"operationState\": null}}"

state='{.status.operationState.phase} {.status.sync.revision} {.status.sync.status} {.status.health.status}{"\n"}'
exec 3< <(exec timeout 120 kubectl get application "$1" --watch --output "jsonpath=$state")
watch=$!
grep --quiet --max-count=1 "^Succeeded $2 Synced Healthy$" <&3
kill "$watch"
