#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tools.sh FOLDER: what some tests run and scripts/prepare does not install, into FOLDER/bin, once: promtool out of Debian's
# package prometheus, which would start a server if it were installed; prism from npm. What cannot be fetched is said, and the
# tests that need it are skipped, which CI takes for a failure (tests/skips.txt).
set -euo pipefail
mkdir -p "$1/bin"
folder=$(realpath "$1") prism=5.14.2
cd "$folder"

fetch_promtool() { # with && throughout: errexit does not hold in a function whose result is asked for
  mkdir -p deb && cd deb &&
    { apt-get download -q prometheus || { apt-get update -q && apt-get download -q prometheus; }; } &&
    dpkg-deb --fsys-tarfile prometheus_*.deb | tar -xO ./usr/bin/promtool >promtool &&
    chmod +x promtool && mv promtool "$folder/bin" && rm -f prometheus_*.deb
}
fetch_prism() {
  echo '{"private":true}' >package.json &&
    timeout 300 npm install --silent --no-audit --no-fund --no-save "@stoplight/prism-cli@$prism" &&
    ln -sf ../node_modules/.bin/prism bin/prism
}
for tool in promtool prism; do
  ! command -v "$folder/bin/$tool" $tool >/dev/null || continue
  echo "==> fetching $tool"
  (fetch_$tool) >"$tool.log" 2>&1 || { tail -n 3 "$tool.log" >&2; echo "$tool cannot be fetched: tests that need it are skipped" >&2; }
done
