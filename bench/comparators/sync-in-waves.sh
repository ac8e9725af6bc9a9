#!/usr/bin/env bash
# Syncs the Applications with a label in the order of their waves, each as soon as the one before is healthy, as people do
# after they have restored an Argo CD. The kubeconfig's namespace is Argo CD's own.
# Usage: sync-in-waves.sh LABEL REVISION
set -euo pipefail

kubectl get applications -l "$1" --no-headers \
  -o custom-columns='WAVE:.metadata.annotations.argocd\.argoproj\.io/sync-wave,NAME:.metadata.name' |
  sort -n |
  while read -r _ name; do
    argocd --core app sync "$name" --revision "$2" --async >/dev/null </dev/null
    # Now and then a refresh that it asks for at the end is lost, and it stands for minutes: then it is asked once more.
    wait=(argocd --core app wait "$name" --health --operation --timeout 300)
    timeout 10 "${wait[@]}" >/dev/null </dev/null || "${wait[@]}" >/dev/null </dev/null
  done
