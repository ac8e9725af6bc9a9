#!/usr/bin/env bash
# Brings such a backup back.
# Usage: download-and-import.sh FOLDER BUCKET KEY
set -euo pipefail
aws s3 cp --quiet --endpoint-url "$S3_ENDPOINT" "s3://$2/$3" "$1/restored.yaml.gz"
gunzip --stdout "$1/restored.yaml.gz" | argocd admin import --namespace argocd -
