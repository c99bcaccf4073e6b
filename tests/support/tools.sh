#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tools.sh FOLDER: what some tests run and scripts/prepare does not install, into FOLDER/bin, once: promtool and caddy out of
# Debian's packages, which would start servers if they were installed; prism from npm. What cannot be fetched is said, and the
# tests that need it are skipped, which CI takes for a failure (tests/skips.txt).
set -euo pipefail
mkdir -p "$1/bin"
folder=$(realpath "$1") prism=5.14.2
cd "$folder"

fetch_from() { # fetch_from PACKAGE TOOL; with && throughout: errexit does not hold in a function whose result is asked for
  mkdir -p deb && cd deb &&
    { apt-get download -q "$1" || { apt-get update -q && apt-get download -q "$1"; }; } &&
    dpkg-deb --fsys-tarfile "$1"_*.deb | tar -xO "./usr/bin/$2" >"$2" &&
    chmod +x "$2" && mv "$2" "$folder/bin" && rm -f "$1"_*.deb
}
fetch_promtool() { fetch_from prometheus promtool; }
fetch_caddy() { fetch_from caddy caddy; }
fetch_prism() {
  echo '{"private":true}' >package.json &&
    timeout 300 npm install --silent --no-audit --no-fund --no-save "@stoplight/prism-cli@$prism" &&
    ln -sf ../node_modules/.bin/prism bin/prism
}
for tool in promtool caddy prism; do
  ! command -v "$folder/bin/$tool" $tool >/dev/null || continue
  echo "==> fetching $tool"
  (fetch_$tool) >"$tool.log" 2>&1 || { tail -n 3 "$tool.log" >&2; echo "$tool cannot be fetched: tests that need it are skipped" >&2; }
done
