#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh PROGRAM CLIENT [OPTIONS OF THE SANDBOX] | turns [OPTIONS]: a client program of this folder, in both worlds. What is missing for it is a
# failure, never a skip: scripts/prepare installs it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
missing() { echo "FAILED: there is no $1; scripts/prepare installs it" >&2; exit 1; }
python=
for candidate in python3 /usr/bin/python3; do
  if command -v $candidate >/dev/null && $candidate -c 'import requests' 2>/dev/null; then python=$candidate && break; fi
done
[ -n "$python" ] || missing "python3 with requests"
export PYTHONDONTWRITEBYTECODE=1
program=$1 what=$2
shift 2
case $what in
  node) node -e 'process.exit(typeof fetch === "function" ? 0 : 1)' 2>/dev/null || missing "node with fetch" ;;
  curl) command -v curl >/dev/null || missing curl ;;
esac
[ "$what" = turns ] && exec "$python" "$here/turns.py" "$program" "$@"
exec "$python" "$here/suite.py" "$program" "$what" "$@"
