#!/usr/bin/env bash
# What must be there before anything else can be installed. Changes nothing but Debian packages, and says so.
set -euo pipefail

fail() {
  echo "make: $1" >&2
  exit 1
}

[ "$(uname -s)" = Linux ] || fail 'the local stack needs Linux.'
[ "$(id -u)" = 0 ] || fail 'the local stack starts containers, so it needs root: run make with sudo.'
command -v npm >/dev/null || fail 'npm is missing: run apt-get install nodejs npm'
command -v python3 >/dev/null || fail 'python3 is missing: run apt-get install python3 python3-pip'
python3 -m pip --version >/dev/null 2>&1 || fail 'pip is missing: run apt-get install python3-pip'

PATH=$PATH:/usr/sbin:/sbin
missing=()
while read -r package file; do
  command -v "$file" >/dev/null || [[ $file = /* && -e $file ]] || missing+=("$package")
done < <(grep -v '^#' "$(dirname "$0")/../stack/debian-packages")
[ ${#missing[@]} = 0 ] && exit 0
command -v apt-get >/dev/null || fail "these Debian packages are missing: ${missing[*]}"
echo "make: installing Debian packages: ${missing[*]}" >&2
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
# The packages start these as services; the stack runs its own.
systemctl disable --now containerd docker-registry >/dev/null 2>&1 || true
