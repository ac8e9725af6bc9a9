#!/usr/bin/env bash
# Deploys what is on the branch, and waits until it is there. The kubeconfig's namespace is Argo CD's own.
# Usage: argocd-sync-and-wait.sh APPLICATION
set -euo pipefail

argocd --core app sync "$1" --prune
argocd --core app wait "$1" --sync --health --operation --timeout 120
