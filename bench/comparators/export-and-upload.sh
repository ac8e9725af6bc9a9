#!/usr/bin/env bash
# A nightly backup of Argo CD, as cron would run it.
# Usage: export-and-upload.sh FOLDER BUCKET KEY
set -euo pipefail
argocd admin export --namespace argocd | gzip >"$1/backup.yaml.gz"
aws s3 cp --quiet --endpoint-url "$S3_ENDPOINT" "$1/backup.yaml.gz" "s3://$2/$3"
